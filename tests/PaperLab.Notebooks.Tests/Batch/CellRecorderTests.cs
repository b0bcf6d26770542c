using System.Text.Json.Nodes;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class CellRecorderTests
{
    private static readonly OutputLimits s_small = new(HeadCharacters: 1000, TailCharacters: 1000, DisplayCharacters: 1000);

    [Fact]
    public void Chunks_of_one_stream_become_one_output()
    {
        var recorder = new CellRecorder(s_small);
        recorder.Append(new StreamOutput(StreamName.Stdout, "a"));
        recorder.Append(new StreamOutput(StreamName.Stdout, "b\n"));
        recorder.Append(new StreamOutput(StreamName.Stderr, "c"));

        Assert.Equal([new StreamOutput(StreamName.Stdout, "ab\n"), new StreamOutput(StreamName.Stderr, "c")], recorder.ToOutputs());
    }

    [Theory]
    [InlineData("10%\r20%\r30%", "30%")]
    [InlineData("10%\r", "10%")]
    [InlineData("one\r\ntwo\r\n", "one\ntwo\n")]
    [InlineData("kept\n10%\rdone\n", "kept\ndone\n")]
    public void A_carriage_return_keeps_the_last_state_of_its_line(string written, string kept)
    {
        var recorder = new CellRecorder(s_small);
        foreach (char c in written)
        {
            recorder.Append(new StreamOutput(StreamName.Stdout, c.ToString()));
        }

        Assert.Equal(kept, ((StreamOutput)Assert.Single(recorder.ToOutputs())).Text);
    }

    [Fact]
    public void A_progress_line_can_go_on_for_ever()
    {
        var recorder = new CellRecorder(s_small);
        for (int step = 0; step < 10_000; step++)
        {
            recorder.Append(new StreamOutput(StreamName.Stdout, $"\rstep {step}"));
        }

        Assert.Equal([new StreamOutput(StreamName.Stdout, "step 9999")], recorder.ToOutputs());
    }

    [Fact]
    public void Text_past_the_limit_keeps_beginning_and_end_and_says_how_much_is_missing()
    {
        var recorder = new CellRecorder(s_small);
        recorder.Append(new StreamOutput(StreamName.Stdout, "first\n"));
        for (int line = 0; line < 10_000; line++)
        {
            recorder.Append(new StreamOutput(line % 2 == 0 ? StreamName.Stdout : StreamName.Stderr, $"line {line}\n"));
        }

        string text = string.Concat(recorder.ToOutputs().Cast<StreamOutput>().Select(output => output.Text));
        Assert.StartsWith("first\n", text);
        Assert.EndsWith("line 9999\n", text);
        Assert.Contains("left out here", text);
        Assert.InRange(text.Length, 200, 4000);
    }

    [Fact]
    public void An_update_replaces_a_display_in_its_place()
    {
        var recorder = new CellRecorder(s_small);
        recorder.Append(new DisplayOutput(Plain("1"), "id"));
        recorder.Append(new StreamOutput(StreamName.Stdout, "text"));

        Assert.True(recorder.Update("id", Plain("2")));

        Assert.Equal("2", ((DisplayOutput)recorder.ToOutputs()[0]).Data.PlainText);
        Assert.False(recorder.Update("other", Plain("3")));
    }

    [Fact]
    public void Displays_past_the_limit_are_counted()
    {
        var recorder = new CellRecorder(s_small);
        for (int i = 0; i < 100; i++)
        {
            recorder.Append(new DisplayOutput(Plain(new string('x', 100))));
        }

        List<CellOutput> outputs = recorder.ToOutputs();
        int kept = outputs.OfType<DisplayOutput>().Count();
        Assert.InRange(kept, 1, 9);
        Assert.Contains($"{100 - kept} displays left out", ((StreamOutput)outputs[^1]).Text);
    }

    [Fact]
    public void Clearing_can_wait_for_the_next_output()
    {
        var recorder = new CellRecorder(s_small);
        recorder.Append(new StreamOutput(StreamName.Stdout, "old"));

        recorder.Clear(wait: true);
        Assert.Single(recorder.ToOutputs());
        recorder.Append(new StreamOutput(StreamName.Stdout, "new"));

        Assert.Equal([new StreamOutput(StreamName.Stdout, "new")], recorder.ToOutputs());
    }

    private static MimeBundle Plain(string text) => new([KeyValuePair.Create<string, JsonNode>("text/plain", JsonValue.Create(text))]);
}
