namespace PaperLab.Tests.Training;

/// <summary>A test that trains: one thread, plain arithmetic, and a folder for text and records.</summary>
public abstract class TrainingTest : TorchTest
{
    internal TemporaryFolder Folder { get; } = new();

    protected TorchRuntime Runtime { get; } = TorchRuntime.Initialize("cpu", threads: 1, fastMath: false);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Folder.Dispose();
    }
}
