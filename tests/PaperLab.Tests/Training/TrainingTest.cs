using PaperLab.Training;

namespace PaperLab.Tests.Training;

/// <summary>A test that trains: one thread, plain arithmetic, and a folder for text and records.</summary>
public abstract class TrainingTest : TorchTest
{
    internal TemporaryFolder Folder { get; } = new();

    protected TorchRuntime Runtime { get; } = TorchRuntime.Initialize("cpu", threads: 1, fastMath: false);

    /// <summary>Two steps of a run of the full preset, on the fixtures' text with its small vocabulary.</summary>
    protected RunRecord TwoSteps(RunConfig config) => new LanguageModelTrainer(
        config with
        {
            Model = config.Model with { VocabularySize = 300 },
            Text = TrainingFixtures.Comparison.Text with { EvaluationWindows = 1, Validate = true },
            Training = config.Training with { Steps = 2 },
        },
        TrainingFixtures.Text(Folder),
        Runtime).Run("full");

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Folder.Dispose();
    }
}
