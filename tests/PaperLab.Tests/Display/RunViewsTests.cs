// What a page says of its recorded runs: how long they took, and which they are.

using System.Text.Json.Nodes;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Display;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Display;

public sealed class RunViewsTests : TrainingTest
{
    private static readonly Comparison s_brief = TrainingFixtures.Comparison with { Training = TrainingFixtures.Comparison.Training with { Steps = 2 } };

    private RunStore Trained()
    {
        string folder = Folder.File("runs");
        ComparisonResult result = s_brief.Run(Runtime, new RunStore(folder), text: TrainingFixtures.Text(Folder));
        foreach (RunRecord record in result.Records)
        {
            new RunStore(folder).Save(record with { TrainingSeconds = 180, Finished = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero) });
        }

        return new RunStore(folder);
    }

    [Fact]
    public void Times_are_those_of_the_records()
    {
        RunStore store = Trained();
        (string paper, string preset) = (TrainingFixtures.Comparison.Paper, TrainingFixtures.Comparison.Preset);
        int runs = TrainingFixtures.Comparison.Arms.Count * TrainingFixtures.Comparison.Seeds.Count;

        string text = RunTimes.Of(store, paper, preset).ToString();

        Assert.StartsWith($"{runs} runs of the preset {preset} recorded on 2026-03-01 on cpu, 1 thread: {runs * 3} min of training in all, 180 s for the longest run. They are read now", text);
        Assert.Contains("everything is trained anew", RunTimes.Of(store, paper, preset, fresh: true).ToString());
        Assert.Contains("Nothing is recorded of the preset full yet", RunTimes.Of(store, paper, "full").ToString());
        Assert.Contains("Loaded from recorded runs", RunTimes.Of(store, paper, preset).ToDisplayString("text/html"));
    }

    [Fact]
    public void Sources_are_told_to_readers_in_a_sentence_and_to_the_tool_as_a_list()
    {
        RunStore store = Trained();
        Assert.Equal("These numbers come from no recorded run.", RunSources.Of(store).ToString());

        RunRecord record = store.FindAll(s_brief.ConfigOf(s_brief.Arms[0], s_brief.Seeds[0]))[0];
        store.Measured(record.Config.Paper, "speed", () => new double[] { 1 });
        RunSources sources = RunSources.Of(store);

        Assert.StartsWith("These numbers come from 1 recorded run and 1 measurement, 1 of them made just now: 3 min of training on cpu, 1 thread, recorded on 2026-03-01 with libtorch 2.10", sources.ToString());
        JsonNode list = JsonNode.Parse(sources.ToDisplayString("application/vnd.paperlab.runs+json"))!;
        Assert.Equal(store.Sources.Select(source => source.File), list["runs"]!.AsArray().Select(file => file!.ToString()));
        Assert.Equal(1, list["made"]!.GetValue<int>());
    }
}
