using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Text;
using PaperLab.Text;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

/// <summary>A comparison small enough to run in a test: two domains of a few kilobytes, a model of a few thousand parameters.</summary>
internal static class TrainingFixtures
{
    public static CorpusOptions Corpus { get; } = new() { Domains = ["alpha", "beta"], MaxBytesPerDomain = 40_000, HeldOutShare = 0.2 };

    public static Comparison Comparison { get; } = new()
    {
        Paper = "test-paper",
        Preset = "smoke",
        Arms =
        [
            new Arm("MoE", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BalanceLossWeight = 0.01 }),
            new Arm("AoE", new AutonomyOfExpertsConfig { NumExperts = 4, Hidden = 16, GateRank = 4, BalanceLossWeight = 0.01 }),
        ],
        Seeds = [1, 2],
        Model = new TransformerConfig { VocabularySize = 300, Width = 16, Layers = 2, Heads = 2, ContextLength = 16, FeedForward = new DenseConfig(16) },
        Training = new TrainingConfig { Steps = 30, BatchSize = 8, LearningRate = 5e-3 },
        Text = new TextConfig { Corpus = Corpus, VocabularySize = 300, EvaluationWindows = 8 },
    };

    public static RunConfig RunConfig { get; } = Comparison.ConfigOf(Comparison.Arms[0], seed: 1);

    /// <summary>One sequence of one token.</summary>
    public static Batch Batch { get; } = new([1], [2], [0], 1);

    public static TokenizedCorpus Text(TemporaryFolder folder) => Text(folder.Path);

    public static TokenizedCorpus Text(string folder)
    {
        var cache = new TextCache(folder, _ => { });
        ITextSource[] sources = [new FixedSource("alpha", Fixtures.RandomDocuments("a", 60, seed: 1)), new FixedSource("beta", Fixtures.RandomDocuments("b", 60, seed: 2))];
        Corpus corpus = PaperLab.Text.Corpus.Load(sources, Corpus, cache);
        return TokenizedCorpus.Load(corpus, BpeTokenizer.Load(corpus, 300, cache), cache);
    }
}
