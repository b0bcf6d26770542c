using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Display;
using PaperLab.Training;

namespace PaperLab.Tests.Display;

public sealed class LiveTrainingTests
{
    [Fact]
    public void A_host_that_can_replace_gets_at_most_four_updates_a_second()
    {
        var clock = new ManualClock();
        var host = new Host();
        LiveTraining live = new("t", host.Display, TextWriter.Null, clock);

        for (int step = 1; step <= 100; step++)
        {
            live.Report(Step("a", step, 1000));
            clock.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.Equal(1, host.Displayed);
        Assert.Equal(4, host.Replaced);
    }

    [Fact]
    public void A_view_that_saw_no_training_says_so_in_the_end()
    {
        var live = new LiveTraining("Arms", null, TextWriter.Null, TimeProvider.System);
        Assert.Equal("Arms: waiting for the first step", live.ToString());

        live.Finish();

        Assert.Equal("Arms: nothing to train", live.ToString());
        Assert.Contains("nothing to train", live.ToHtml());
    }

    [Fact]
    public void The_last_step_is_shown_at_once()
    {
        var host = new Host();
        LiveTraining live = new("t", host.Display, TextWriter.Null, new ManualClock());

        live.Report(Step("a", 1, 2));
        live.Report(Step("a", 2, 2));

        Assert.Equal(2, host.Replaced);
        Assert.Contains("1 run done", host.LastHtml);
    }

    [Fact]
    public void A_plain_console_gets_a_line_every_few_seconds_and_one_at_the_end_of_each_run()
    {
        var clock = new ManualClock();
        using var console = new StringWriter();
        LiveTraining live = new("t", null, console, clock);

        for (int step = 1; step <= 100; step++)
        {
            live.Report(Step("a", step, 100));
            clock.Advance(TimeSpan.FromMilliseconds(100));
        }

        string[] lines = console.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(5, lines.Length);
        Assert.Equal("a: step 1/100 (1%), loss 3.000, 1,234 tokens/s, 0:01 elapsed, 1:39 left", lines[0]);
        Assert.EndsWith("done", lines[^1]);
    }

    [Fact]
    public void Each_run_has_one_row_that_holds_its_last_report()
    {
        LiveTraining live = new("AoE against MoE", null, TextWriter.Null, new ManualClock());
        live.Report(Step("AoE, seed 1", 5, 10));
        live.Report(Step("MoE, seed 1", 10, 10));
        live.Report(Step("AoE, seed 1", 6, 10));

        string text = live.ToString();
        Assert.Equal(4, text.Split('\n').Length);
        Assert.Contains("2 runs, 1 done", text);
        Assert.Contains("6/10", text);
        Assert.DoesNotContain("5/10", text);
    }

    [Fact]
    public void A_resumed_run_says_so()
    {
        LiveTraining live = new("t", null, TextWriter.Null, new ManualClock());
        live.Report(Step("a", 41, 100) with { ResumedAfter = 40 });

        Assert.Contains("a, resumed after step 40", live.ToHtml());
        Assert.Contains("a, resumed after step 40", live.ToString());
    }

    [Fact]
    public void A_loss_that_is_not_finite_is_said_in_words()
    {
        LiveTraining live = new("t", null, TextWriter.Null, new ManualClock());
        live.Report(Step("a", 1, 10) with { Loss = double.NaN });

        Assert.Contains("not finite", live.ToHtml());
        Assert.Contains("not finite", live.ToString());
    }

    [Fact]
    public void Reports_from_many_threads_lose_no_run()
    {
        var host = new Host();
        LiveTraining live = new("t", host.Display, TextWriter.Null, TimeProvider.System);

        Parallel.For(0, 32, run =>
        {
            for (int step = 1; step <= 200; step++)
            {
                live.Report(Step($"run {run}", step, 200));
            }
        });
        live.Finish();

        Assert.Contains("32 runs done", host.LastHtml);
    }

    [Fact]
    public void A_long_run_keeps_a_short_curve()
    {
        LiveTraining live = new("t", null, TextWriter.Null, new ManualClock());
        for (int step = 1; step <= 50_000; step++)
        {
            live.Report(Step("a", step, 50_000) with { Loss = 10.0 / step });
        }

        Assert.InRange(live.ToHtml().Length, 500, 4000);
        Assert.Contains("<polyline", live.ToHtml());
    }

    [Fact]
    public void The_hosts_display_function_is_found_by_its_name()
    {
        var host = new Host();
        AppContext.SetData(LiveTraining.DisplayHook, (Func<object, Action<object>>)host.Display);
        try
        {
            LiveTraining.Start("t").Report(Step("a", 1, 10));
        }
        finally
        {
            AppContext.SetData(LiveTraining.DisplayHook, null);
        }

        Assert.Equal((1, 1), (host.Displayed, host.Replaced));
    }

    [Fact]
    public void The_view_shows_itself_as_html_and_text_through_the_notebook_formatter()
    {
        LiveTraining live = new("t", null, TextWriter.Null, new ManualClock());
        live.Report(Step("a", 1, 10));

        Assert.Equal(["text/html", "text/plain"], Formatter.GetPreferredMimeTypesFor(typeof(LiveTraining)));
        Assert.Equal(live.ToHtml(), live.ToDisplayString("text/html"));
        Assert.Equal(live.ToString(), live.ToDisplayString("text/plain"));
    }

    [Fact]
    public void A_run_that_counts_no_tokens_tells_no_speed()
    {
        using var console = new StringWriter();
        LiveTraining live = new("t", null, console, new ManualClock());

        live.Report(Step("a", 1, 10) with { TokensPerSecond = null, Metric = "score" });

        Assert.Equal("a: step 1/10 (10%), score 3.000, 0:01 elapsed, 0:09 left", console.ToString().TrimEnd());
        Assert.Contains("score 3.000", live.ToString());
        Assert.DoesNotContain("0 tokens", live.ToHtml());
    }

    private static TrainingProgress Step(string run, int step, int steps) =>
        new(run, step, steps, 3, 1234, TimeSpan.FromSeconds(step), TimeSpan.FromSeconds(steps - step));

    private sealed class Host
    {
        public int Displayed { get; private set; }

        public int Replaced { get; private set; }

        public string LastHtml { get; private set; } = "";

        public Action<object> Display(object value)
        {
            Displayed++;
            return replacement =>
            {
                Replaced++;
                LastHtml = ((LiveTraining)replacement).ToHtml();
            };
        }
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
