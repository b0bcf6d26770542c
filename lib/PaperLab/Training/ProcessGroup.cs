// Processes that train one model together: each takes a part of every batch, and what they add up makes the step that of one process.

using System.Diagnostics;
using System.Text.Json;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>The processes of a data-parallel training. Every call is made by all of them, in the same order.</summary>
public abstract class ProcessGroup
{
    private readonly Stopwatch _exchanging = new();

    /// <summary>A process by itself.</summary>
    public static ProcessGroup Alone { get; } = new Single();

    /// <summary>This process's number, from 0.</summary>
    public abstract int Rank { get; }

    /// <summary>How many processes there are.</summary>
    public abstract int Size { get; }

    /// <summary>Whether this is the process that draws the weights and writes files.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Time spent in exchanges, waiting for the others included.</summary>
    public TimeSpan Exchanging => _exchanging.Elapsed;

    /// <summary>Adds a tensor up over all processes, in place.</summary>
    /// <exception cref="ArgumentException">Its numbers are neither fp32, fp64 nor int64.</exception>
    public void Sum(Tensor values)
    {
        if (Size == 1)
        {
            return;
        }

        Require.That(
            values.dtype is ScalarType.Float32 or ScalarType.Float64 or ScalarType.Int64, nameof(values), values.dtype, "fp32, fp64 or int64");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        bool inPlace = values.device_type == TorchSharp.DeviceType.CPU && values.is_contiguous();
        Tensor onHost = inPlace ? values : values.cpu().contiguous();
        _exchanging.Start();
        SumOnHost(onHost);
        _exchanging.Stop();
        if (!inPlace)
        {
            values.copy_(onHost);
        }
    }

    /// <summary>Adds several fp32 tensors up over all processes, in place, in one exchange: they travel in one flat buffer.</summary>
    public void Sum(IReadOnlyList<Tensor> parts)
    {
        if (Size == 1)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor flat = cat(parts.Select(part => part.reshape(-1)).ToArray());
        Sum(flat);
        foreach ((Tensor part, Tensor sum) in parts.Zip(flat.split(parts.Select(part => part.numel()).ToArray())))
        {
            part.copy_(sum.view_as(part));
        }
    }

    /// <summary>Whether any process says yes.</summary>
    public bool Any(bool here)
    {
        if (Size == 1)
        {
            return here;
        }

        using Tensor count = tensor(here ? 1L : 0L);
        Sum(count);
        return count.item<long>() > 0;
    }

    /// <summary>Gives every process the first one's tensor, in place.</summary>
    internal void ShareFromFirst(Tensor values)
    {
        if (Size == 1)
        {
            return;
        }

        using var noGrad = no_grad();
        if (!IsFirst)
        {
            values.zero_(); // whatever was in its memory
        }

        Sum(values);
    }

    /// <summary>Gives every process what the first one has, by way of JSON.</summary>
    internal T? ShareFromFirst<T>(T? value)
        where T : class
    {
        if (Size == 1)
        {
            return value;
        }

        using var scope = NewDisposeScope();
        byte[] json = IsFirst ? JsonSerializer.SerializeToUtf8Bytes(value, RunRecord.Json) : [];
        Tensor length = tensor((long)json.Length);
        Sum(length);
        Tensor bytes = IsFirst ? tensor(json.Select(part => (long)part).ToArray()) : zeros(length.item<long>(), ScalarType.Int64);
        Sum(bytes);
        return IsFirst ? value : JsonSerializer.Deserialize<T>(bytes.data<long>().Select(part => (byte)part).ToArray(), RunRecord.Json);
    }

    /// <summary>Adds up a contiguous tensor in host memory: fp32, fp64 or int64.</summary>
    protected abstract void SumOnHost(Tensor values);

    private sealed class Single : ProcessGroup
    {
        public override int Rank => 0;

        public override int Size => 1;

        protected override void SumOnHost(Tensor values)
        {
        }
    }
}
