using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Tests;

/// <summary>A test that computes with tensors: plain fp32 arithmetic, a fixed seed, and one dispose scope.</summary>
public abstract class TorchTest : IDisposable
{
    private readonly DisposeScope _scope;

    protected TorchTest()
    {
        TorchRuntime.Initialize("cpu", seed: 3, fastMath: false);
        _scope = torch.NewDisposeScope();
    }

    /// <summary>Live tensors of the process, once the finalizer has taken what other tests left to it.</summary>
    protected static long LiveTensors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => _scope.Dispose();
}
