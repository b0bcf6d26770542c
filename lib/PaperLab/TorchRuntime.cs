// The one door to torch: loads the natives, picks the device, sets threads and seed, and explains itself.

using System.Globalization;
using PaperLab.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab;

/// <summary>Torch as it runs in this process.</summary>
/// <param name="Device">Where models and batches go.</param>
/// <param name="Threads">Threads of one CPU operation.</param>
/// <param name="Libtorch">Version of libtorch, for example 2.10.0.</param>
/// <param name="Folder">Folder that libtorch was loaded from.</param>
/// <param name="Arithmetic">What a matrix product computes in: "fp32, libtorch's default", "fp32, oneDNN", or "bf16 autocast, else …".</param>
/// <param name="Allocator">How host memory is kept between steps.</param>
public sealed record TorchRuntime(Device Device, int Threads, string Libtorch, string Folder, string Arithmetic, string Allocator)
{
    /// <summary>Environment variable that names the device where no parameter does.</summary>
    public const string DeviceVariable = "PAPERLAB_DEVICE";

    /// <summary>True when <see cref="Device"/> is a GPU.</summary>
    public bool IsCuda => Device.type == DeviceType.CUDA;

    /// <summary>Who brought libtorch: "its package" or "PAPERLAB_LIBTORCH".</summary>
    public string Source { get; private init; } = "";

    /// <summary>True when <see cref="BeginForward"/> switches to bf16.</summary>
    public bool UsesBFloat16 { get; private init; }

    /// <summary>Loads torch (once per process), picks a device and seeds the generators.</summary>
    /// <param name="device">auto, cpu, cuda or cuda:N; null takes PAPERLAB_DEVICE, else auto.</param>
    /// <param name="threads">Threads of one CPU operation; null takes OMP_NUM_THREADS, else every processor.</param>
    /// <param name="seed">Seed of torch's generators on every device.</param>
    /// <param name="fastMath">On a CPU, whether fp32 products may go through oneDNN. Parity tests say no.</param>
    /// <exception cref="ArgumentException">The device has none of the allowed forms, or <paramref name="threads"/> is not positive.</exception>
    /// <exception cref="TorchRuntimeException">Torch is not installed, has another version, or the device does not exist here.</exception>
    public static TorchRuntime Initialize(string? device = null, int? threads = null, long seed = 0, bool fastMath = true)
    {
        int threadCount = threads ?? (int.TryParse(Environment.GetEnvironmentVariable("OMP_NUM_THREADS"), out int wanted) && wanted > 0 ? wanted : Environment.ProcessorCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threadCount, nameof(threads));
        LoadedNatives natives = TorchNatives.Load();
        Device chosen = PickDevice(device, natives);
        set_num_threads(threadCount);
        manual_seed(seed);
        CpuTuning.KeepMemory();
        string arithmetic = chosen.type == DeviceType.CUDA ? "fp32" : CpuTuning.UseOneDnn(natives, fastMath);
        return new TorchRuntime(chosen, threadCount, natives.Version.ToString(), natives.Folder, arithmetic, CpuTuning.Allocator)
        {
            Source = natives.IsExternal ? TorchNatives.LibtorchVariable : "its package",
        };
    }

    /// <summary>Sets the threads of one CPU operation from now on.</summary>
    public TorchRuntime WithThreads(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        set_num_threads(threads);
        return this with { Threads = threads };
    }

    /// <summary>
    /// Forward passes compute in bf16 from now on, where libtorch can be told so; where it cannot, they stay in fp32, and
    /// <see cref="Arithmetic"/> says which.
    /// </summary>
    public TorchRuntime WithBFloat16() =>
        UsesBFloat16 || !Autocast.IsAvailable(Device.type) ? this : this with { UsesBFloat16 = true, Arithmetic = $"bf16 autocast, else {Arithmetic}" };

    /// <summary>Waits until the device has computed all that it was given: a GPU runs ahead of the program. For clocks alone.</summary>
    public void Synchronize()
    {
        if (IsCuda)
        {
            cuda.synchronize();
        }
    }

    /// <summary>Wraps one forward pass and its loss, in a using statement; the backward pass comes after it.</summary>
    internal Autocast BeginForward() => UsesBFloat16 ? Autocast.BFloat16(Device) : default;

    /// <summary>One line for a page or a log.</summary>
    public override string ToString() =>
        $"libtorch {Libtorch} on {Device}, {Threads} thread{(Threads == 1 ? "" : "s")}, {Arithmetic}";

    private static Device PickDevice(string? parameter, LoadedNatives natives)
    {
        (string wanted, string source) = (parameter, Environment.GetEnvironmentVariable(DeviceVariable)) switch
        {
            ({ Length: > 0 } named, _) => (named, "the device parameter"),
            (_, { Length: > 0 } named) => (named, DeviceVariable),
            _ => ("auto", "the default"),
        };
        return wanted switch
        {
            "auto" => natives.TorchCuda is not null && cuda.is_available() ? new Device(DeviceType.CUDA, 0) : CPU,
            "cpu" => CPU,
            "cuda" => Cuda(0, wanted, source, natives),
            _ when wanted.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(wanted.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int index) => Cuda(index, wanted, source, natives),
            _ => throw new ArgumentException($"'{wanted}' (from {source}) is not a device; use auto, cpu, cuda or cuda:N."),
        };
    }

    private static Device Cuda(int index, string wanted, string source, LoadedNatives natives)
    {
        if (natives.TorchCuda is null)
        {
            throw new TorchRuntimeException(
                $"'{wanted}' was asked for (by {source}), but the libtorch in {natives.Folder} has no CUDA part. " +
                $"Build with -p:TorchBackend=cuda, or set {TorchNatives.LibtorchVariable} to the torch/lib folder of a Python install with CUDA, or use cpu.");
        }

        if (!cuda.is_available())
        {
            throw new TorchRuntimeException(
                $"'{wanted}' was asked for (by {source}) and libtorch in {natives.Folder} has CUDA, but no GPU answers. Check the driver (nvidia-smi), or use cpu.");
        }

        int count = cuda.device_count();
        return index < count ? new Device(DeviceType.CUDA, index) : throw new TorchRuntimeException(
            $"'{wanted}' was asked for (by {source}), but there {(count == 1 ? "is 1 GPU: cuda:0" : $"are {count} GPUs: cuda:0 to cuda:{count - 1}")}.");
    }
}
