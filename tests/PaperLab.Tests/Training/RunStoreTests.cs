using System.Text.Json;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

public sealed class RunStoreTests : TrainingTest
{
    private readonly List<string> _notes = [];

    [Fact]
    public void A_run_is_found_again_by_its_config_alone()
    {
        var store = new RunStore(Folder.File("runs"));
        store.Save(Record());

        Assert.NotNull(store.Find(TrainingFixtures.RunConfig));
        Assert.Null(store.Find(TrainingFixtures.RunConfig with { Seed = 9 }));
    }

    [Fact]
    public void A_shipped_run_is_found_and_never_written()
    {
        string shipped = Folder.File("shipped");
        new RunStore(shipped).Save(Record());
        var store = new RunStore(Folder.File("runs"), shipped);

        Assert.NotNull(store.Find(TrainingFixtures.RunConfig));
        store.Save(Record() with { Preset = "again" });
        Assert.Equal("smoke", new RunStore(shipped).Find(TrainingFixtures.RunConfig)!.Preset);
        Assert.Equal("again", store.Find(TrainingFixtures.RunConfig)!.Preset);
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

        Assert.Null(store.Find(TrainingFixtures.RunConfig, _notes.Add));
        Assert.Contains(path, Assert.Single(_notes));
        Assert.Equal(content, File.ReadAllText(path));
    }

    [Fact]
    public void A_record_under_the_name_of_another_run_is_not_taken_for_it()
    {
        var store = new RunStore(Folder.File("runs"));
        string path = store.Save(Record());
        RunConfig other = TrainingFixtures.RunConfig with { Seed = 2 };
        File.Copy(path, path.Replace(TrainingFixtures.RunConfig.Key, other.Key));

        Assert.Null(store.Find(other, _notes.Add));
        Assert.Contains("holds another run (MoE, seed 1)", Assert.Single(_notes));
    }

    [Fact]
    public void A_record_of_another_format_is_not_read()
    {
        var store = new RunStore(Folder.File("runs"));
        store.Save(Record() with { Format = 99 });

        Assert.Null(store.Find(TrainingFixtures.RunConfig, _notes.Add));
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
        string[] shipped = Directory.GetFiles(Path.Combine(Checkout.Root!, "data", "results", "autonomy-of-experts"), "*.json");

        Assert.Contains(shipped, path => Path.GetFileName(path) == "00c4e2a1f54ca5f1.json");
        Assert.All(shipped, path => Assert.StartsWith(JsonSerializer.Deserialize<RunRecord>(File.ReadAllText(path), RunRecord.Json)!.Config.Key, Path.GetFileName(path)));
    }

    private RunRecord Record() => new LanguageModelTrainer(
        TrainingFixtures.RunConfig with { }, TrainingFixtures.Text(Folder), Runtime).Run("smoke");
}
