using TorchSharp;

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

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => _scope.Dispose();
}
