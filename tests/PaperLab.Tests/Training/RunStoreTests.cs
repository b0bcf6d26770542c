using System.Text.Json;
using PaperLab.Papers;
using PaperLab.Preference;
using PaperLab.Reinforcement;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

public sealed class RunStoreTests : TrainingTest
{
    private static readonly string OtherCorpus = new('c', 64);
    private readonly List<string> _notes = [];

    [Fact]
    public void A_run_is_found_again_by_its_config_and_corpus()
    {
        var store = new RunStore(Folder.File("runs"));
        RunRecord record = Record();
        store.Save(record);

        Assert.NotNull(store.Find(record.Config, record.CorpusHash));
        Assert.Null(store.Find(record.Config with { Seed = 9 }, record.CorpusHash));
        Assert.Null(store.Find(record.Config, OtherCorpus));
        Assert.Single(store.FindAll(record.Config));
    }

    [Fact]
    public void A_store_says_which_files_its_numbers_came_from_and_which_of_them_it_made()
    {
        string folder = Folder.File("runs");
        RunRecord record = Record();
        var maker = new RunStore(folder);
        maker.Save(record);
        maker.Measured(record.Config.Paper, new { Rounds = 3 }, () => new double[] { 1 });
        maker.Find(record.Config, record.CorpusHash);
        var reader = new RunStore(folder);

        Assert.Empty(reader.Sources);
        reader.Find(record.Config, record.CorpusHash);
        reader.Measured(record.Config.Paper, new { Rounds = 3 }, () => new double[] { 2 });

        Assert.All(maker.Sources, source => Assert.True(source.Made));
        Assert.All(reader.Sources, source => Assert.False(source.Made));
        Assert.Equal(maker.Sources.Select(source => source.File), reader.Sources.Select(source => source.File));
        Assert.Equal([record.Config.Key, "measurements"], reader.Sources.Select(source => source.File.Split('-', '/')[0]));
        Assert.All(reader.Sources, source => Assert.True(File.Exists(Path.Combine(folder, record.Config.Paper, source.File))));
    }

    [Fact]
    public void The_records_of_a_preset_are_those_that_ship_else_those_made_here()
    {
        RunRecord here = Record(), ships = here with { CorpusHash = OtherCorpus, Finished = here.Finished.AddDays(1) };
        new RunStore(Folder.File("runs")).Save(here);
        var store = new RunStore(Folder.File("runs"), Folder.File("results"));

        Assert.Equal(here.Finished, Assert.Single(store.RecordsOf(here.Config.Paper, here.Preset)).Finished);
        new RunStore(Folder.File("results")).Save(ships);
        File.WriteAllText(Folder.File($"results/{here.Config.Paper}/half.json"), "{");
        Assert.Equal(ships.Finished, Assert.Single(store.RecordsOf(here.Config.Paper, here.Preset)).Finished);
        Assert.Empty(store.RecordsOf(here.Config.Paper, "another"));
        Assert.Empty(store.RecordsOf("another", here.Preset));
    }

    [Fact]
    public void The_same_config_on_two_corpora_is_two_runs()
    {
        var store = new RunStore(Folder.File("runs"));
        RunRecord one = Record(), two = one with { CorpusHash = OtherCorpus, Finished = one.Finished.AddHours(1) };

        Assert.NotEqual(store.Save(one), store.Save(two));
        Assert.Equal([two.CorpusHash, one.CorpusHash], store.FindAll(one.Config).Select(record => record.CorpusHash));
    }

    [Fact]
    public void A_record_named_by_its_config_alone_is_found_too()
    {
        var store = new RunStore(Folder.File("runs"));
        RunRecord record = Record();
        string path = store.Save(record);
        File.Move(path, Path.Combine(Path.GetDirectoryName(path)!, record.Config.Key + ".json"));

        Assert.NotNull(store.Find(record.Config, record.CorpusHash));
    }

    [Fact]
    public void Every_shipped_run_can_be_read()
    {
        var store = new RunStore(Folder.File("runs"), Path.Combine(Checkout.Root!, "data", "results"));
        RunRecord[] records = [.. ShippedRuns().Select(path => JsonSerializer.Deserialize<RunRecord>(File.ReadAllText(path), RunRecord.Json)!)];

        Assert.All(records, record => Assert.NotNull(store.Find(record.Config, record.CorpusHash, _notes.Add)));
        Assert.Empty(_notes);
    }

    [Fact]
    public void A_measurement_is_kept_by_its_settings_and_made_again_where_it_is_broken_or_wanted_fresh()
    {
        var store = new RunStore(Folder.File("runs"));
        int made = 0;
        Times Measure(int length, bool fresh = false, RunStore? from = null) => (from ?? store).Measured("paper", new { length }, () => new Times([++made]), fresh, _notes.Add);

        Assert.Equal([1.0], Measure(8).Seconds);
        Assert.Equal([1.0], Measure(8).Seconds);
        Assert.Equal([2.0], Measure(9).Seconds);
        Assert.Equal([3.0], Measure(8, fresh: true).Seconds);
        Assert.Equal([3.0], Measure(8, from: new RunStore(Folder.File("other"), shipped: Folder.File("runs"))).Seconds);
        Assert.Empty(_notes);

        string broken = Directory.GetFiles(Folder.File("runs"), "*.json", SearchOption.AllDirectories).First(path => File.ReadAllText(path).Contains('3'));
        File.WriteAllText(broken, "{");
        Assert.Equal([4.0], Measure(8).Seconds);
        Assert.Contains($"{broken} cannot be read", Assert.Single(_notes));
        Assert.Equal("{", File.ReadAllText(broken + ".unreadable"));
    }

    [Fact]
    public async Task Of_two_that_want_the_same_measurement_one_makes_it_and_the_other_waits_and_reads_it()
    {
        int made = 0;
        using var begun = new ManualResetEventSlim();
        using var waiting = new ManualResetEventSlim();
        Times Measure(Action<string>? warn) => new RunStore(Folder.File("runs")).Measured("paper", new { length = 8 }, () =>
        {
            begun.Set();
            Assert.True(waiting.Wait(TimeSpan.FromSeconds(30)));
            return new Times([++made]);
        }, warn: warn);

        Task<Times> first = Task.Run(() => Measure(null));
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));
        Task<Times> second = Task.Run(() => Measure(note =>
        {
            _notes.Add(note);
            waiting.Set();
        }));

        Assert.Equal([1.0], (await first).Seconds);
        Assert.Equal([1.0], (await second).Seconds);
        Assert.Contains("is in use by", Assert.Single(_notes));
    }

    private sealed record Times(IReadOnlyList<double> Seconds);

    [Fact]
    public async Task Writers_at_the_same_time_leave_whole_records_and_nothing_else()
    {
        string runs = Folder.File("runs");
        RunRecord record = Record();
        RunRecord[] others = [.. Enumerable.Range(1, 4).Select(seed => record with { Config = record.Config with { Seed = seed } })];
        using var done = new CancellationTokenSource();
        Task<int> reader = Task.Run(() =>
        {
            var store = new RunStore(runs);
            int found = 0;
            while (!done.IsCancellationRequested)
            {
                found += others.Count(other => store.Find(other.Config, other.CorpusHash, _notes.Add) is not null);
            }

            return found;
        });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(() =>
        {
            var store = new RunStore(runs);
            for (int i = 0; i < 50; i++)
            {
                store.Save(others[(writer + i) % others.Length]);
            }
        })));
        await done.CancelAsync();

        Assert.True(await reader > 0);
        Assert.Empty(_notes);
        Assert.Equal(others.Length, Directory.GetFiles(runs, "*", SearchOption.AllDirectories).Length);
        Assert.All(others, other => Assert.Equal(other.Config.Key, new RunStore(runs).Find(other.Config, other.CorpusHash)!.Config.Key));
    }

    [Fact]
    public void A_long_run_keeps_a_short_curve()
    {
        double[] losses = [.. Enumerable.Range(0, 12_001).Select(i => (double)(8 + (float)Math.Sin(i)))];
        RunRecord record = Record();
        record = record with
        {
            Config = record.Config with { Training = record.Config.Training with { Steps = losses.Length } },
            TrainingLoss = RunRecord.LossCurve(losses),
        };

        Assert.Equal(4001, record.TrainingLoss.Count);
        Assert.Equal(3, record.StepsPerLoss);
        Assert.Equal(losses.Take(3).Average(), record.TrainingLoss[0], 5);
        Assert.InRange(new FileInfo(new RunStore(Folder.File("runs")).Save(record)).Length, 1, 100_000);
    }

    [Fact]
    public void Losses_are_kept_exactly_and_briefly()
    {
        float[] losses = [7.811718940734863f, 0.1f, float.Pi, 1e-7f];

        IReadOnlyList<double> kept = RunRecord.LossCurve([.. losses.Select(loss => (double)loss)]);

        Assert.Equal(losses, kept.Select(loss => (float)loss));
        Assert.Equal("[7.811719,0.1,3.1415927,1E-07]", JsonSerializer.Serialize(kept));
    }

    [Fact]
    public void A_shipped_run_is_found_and_never_written()
    {
        string shipped = Folder.File("shipped");
        new RunStore(shipped).Save(Record());
        var store = new RunStore(Folder.File("runs"), shipped);

        RunRecord record = Assert.Single(store.FindAll(TrainingFixtures.RunConfig));
        store.Save(record with { Preset = "again" });
        Assert.Equal("smoke", new RunStore(shipped).Find(record.Config, record.CorpusHash)!.Preset);
        Assert.Equal("again", store.Find(record.Config, record.CorpusHash)!.Preset);
    }

    [Theory]
    [InlineData("{\"Format\":1,\"Conf")]
    [InlineData("null")]
    [InlineData("")]
    public void A_broken_record_is_reported_kept_and_counts_as_absent(string content)
    {
        var store = new RunStore(Folder.File("runs"));
        string path = store.Save(Record());
        File.WriteAllText(path, content);

        Assert.Empty(store.FindAll(TrainingFixtures.RunConfig, _notes.Add));
        Assert.Contains(path, Assert.Single(_notes));
        Assert.Equal(content, File.ReadAllText(path));

        store.Save(Record());
        Assert.Equal(content, File.ReadAllText(path + ".unreadable"));
        Assert.Single(store.FindAll(TrainingFixtures.RunConfig));
    }

    [Fact]
    public void A_record_under_the_name_of_another_run_is_not_taken_for_it()
    {
        var store = new RunStore(Folder.File("runs"));
        string path = store.Save(Record());
        RunConfig other = TrainingFixtures.RunConfig with { Seed = 2 };
        File.Copy(path, path.Replace(TrainingFixtures.RunConfig.Key, other.Key));

        Assert.Empty(store.FindAll(other, _notes.Add));
        Assert.Contains("holds another run (MoE, seed 1)", Assert.Single(_notes));
    }

    [Fact]
    public void A_record_of_another_format_is_not_read()
    {
        var store = new RunStore(Folder.File("runs"));
        store.Save(Record() with { Format = 99 });

        Assert.Empty(store.FindAll(TrainingFixtures.RunConfig, _notes.Add));
        Assert.Contains("format 99", Assert.Single(_notes));
    }

    [Fact]
    public void A_config_has_one_key_and_every_field_counts()
    {
        RunConfig config = TrainingFixtures.RunConfig;

        Assert.Equal(config.Key, (config with { }).Key);
        Assert.NotEqual(config.Key, (config with { Arm = "AoE" }).Key);
        Assert.NotEqual(config.Key, (config with { Training = config.Training with { Steps = 31 } }).Key);
        Assert.NotEqual(config.Key, (config with { Model = config.Model with { Width = 32 } }).Key);
        Assert.NotEqual(config.Key, (config with { Text = config.Text with { EvaluationWindows = 9 } }).Key);
    }

    [Fact]
    public void A_recorded_run_keeps_its_key_whatever_fields_a_config_gains()
    {
        // As the first version recorded it.
        const string config = """
            {"Paper":"autonomy-of-experts","Arm":"MoE, factorised gate","Seed":5,
             "Model":{"VocabularySize":2048,"Width":128,"Layers":4,"Heads":4,"ContextLength":128,"RopeTheta":10000,"NormEpsilon":1E-06,
              "FeedForward":{"$type":"moe","GateRank":32,"NumExperts":8,"TopK":2,"Hidden":242,"NormalizeWeights":true,"BalanceLossWeight":0.01}},
             "Training":{"Steps":300,"BatchSize":16,"LearningRate":0.002,"WarmupShare":0.1,"WeightDecay":0.1,"GradientClip":1},
             "Text":{"Corpus":{"Domains":["prose","code","messages-de","messages-ru","messages-ja","messages-zh-Hans"],"MaxBytesPerDomain":900000,"HeldOutShare":0.1},
              "VocabularySize":2048,"EvaluationWindows":32}}
            """;

        Assert.Equal("00c4e2a1f54ca5f1", JsonSerializer.Deserialize<RunConfig>(config, RunRecord.Json)!.Key);
    }

    [Fact]
    public void A_shipped_run_has_its_key_in_its_name()
    {
        foreach (string path in ShippedRuns())
        {
            Assert.StartsWith(JsonSerializer.Deserialize<RunRecord>(File.ReadAllText(path), RunRecord.Json)!.Config.Key, Path.GetFileName(path));
        }
    }

    [Fact]
    public void A_shipped_policy_can_be_read_and_has_its_key_as_its_name()
    {
        string[] paths = [.. Shipped().Where(IsPolicy)];

        Assert.NotEmpty(paths);
        Assert.All(paths, path => Assert.Equal(JsonSerializer.Deserialize<PolicyRecord>(File.ReadAllText(path), RunRecord.Json)!.Config.Key, Path.GetFileNameWithoutExtension(path)));
    }

    [Fact]
    public void A_shipped_search_can_be_read_and_has_its_key_as_its_name()
    {
        string[] paths = [.. Shipped().Where(IsSearch)];

        Assert.NotEmpty(paths);
        Assert.All(paths, path =>
        {
            string json = File.ReadAllText(path);
            JsonElement config = JsonDocument.Parse(json).RootElement.GetProperty("Config");
            string key = config.TryGetProperty("Search", out _) ? JsonSerializer.Deserialize<SearchRecord>(json, RunRecord.Json)!.Config.Key
                : config.TryGetProperty("Tastes", out _) ? JsonSerializer.Deserialize<DpoRecord>(json, RunRecord.Json)!.Config.Key
                : JsonSerializer.Deserialize<FourRoleRecord>(json, RunRecord.Json)!.Config.Key;
            Assert.Equal(key, Path.GetFileNameWithoutExtension(path));
        });
    }

    [Fact]
    public void A_shipped_cell_of_a_mixing_experiment_can_be_read_and_has_its_key_as_its_name() => Assert.All(
        Shipped().Where(IsCell),
        path => Assert.Equal(JsonSerializer.Deserialize<MixingRecord>(File.ReadAllText(path), RunRecord.Json)!.Config.Key, Path.GetFileNameWithoutExtension(path)));

    private static IEnumerable<string> ShippedRuns() => Shipped().Where(path => !IsPolicy(path) && !IsSearch(path) && !IsCell(path));

    private static bool IsPolicy(string path) => IsOf(path, R1ZeroPaper.Name);

    private static bool IsSearch(string path) => IsOf(path, TpoPaper.Name);

    private static bool IsCell(string path) => IsOf(path, ArabicMixingPaper.Name);

    private static bool IsOf(string path, string paper) => Path.GetFileName(Path.GetDirectoryName(path)) == paper;

    private static IEnumerable<string> Shipped() => Directory.GetFiles(Path.Combine(Checkout.Root!, "data", "results"), "*.json", SearchOption.AllDirectories)
        .Where(path => !path.Contains("measurements", StringComparison.Ordinal));

    private RunRecord Record() => new LanguageModelTrainer(
        TrainingFixtures.RunConfig with { }, TrainingFixtures.Text(Folder), Runtime).Run("smoke");
}
