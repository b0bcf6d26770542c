// Progress rows as HTML, as text, and as the single lines of a plain console.

using PaperLab.Display.Mime;
using PaperLab.Training;

namespace PaperLab.Display;

internal static class TrainingView
{
    private const int SparkWidth = 96;
    private const int SparkHeight = 20;

    private static readonly (string Header, bool Right)[] s_columns =
        [("run", false), ("progress", false), ("step", true), ("loss", true), ("", false), ("tokens/s", true), ("elapsed", true), ("left", true)];

    public static string ToHtml(string title, IReadOnlyList<TrainingRow> rows, bool finished = false) => rows.Count == 0
        ? $"<p style=\"{Html.Font}\"><b>{Html.Text(title)}</b>: {Empty(finished)}</p>"
        : Html.Table($"{Html.Text(title)}: {State(rows)}", s_columns, rows.Select(row => (IReadOnlyList<string>)
        [
            $"<span style=\"white-space:nowrap\">{Html.Text(Name(row.Last!))}</span>",
            $"<span style=\"white-space:nowrap\">{Bar(row)}</span>",
            Steps(row.Last!),
            Loss(row.Last!),
            Spark(row.Losses),
            Html.Text(Speed(row.Last!)),
            CellText.Duration(row.Last!.Elapsed),
            row.IsDone ? "done" : CellText.Duration(row.Last.Remaining),
        ]));

    public static string ToText(string title, IReadOnlyList<TrainingRow> rows, bool finished = false) => rows.Count == 0
        ? $"{title}: {Empty(finished)}"
        : $"{title}: {State(rows)}\n" + TextGrid.Of(
            [
                ["run", "", "step", "loss", "tokens/s", "elapsed", "left"],
                .. rows.Select(row => (string[])
                [
                    Name(row.Last!),
                    TextBar(Share(row.Last!)),
                    Steps(row.Last!),
                    LossText(row.Last!),
                    Speed(row.Last!),
                    CellText.Duration(row.Last!.Elapsed),
                    row.IsDone ? "done" : CellText.Duration(row.Last.Remaining),
                ]),
            ],
            leftColumns: 2,
            indent: "  ").TrimEnd();

    public static string ToLine(TrainingProgress progress) =>
        $"{Name(progress)}: step {Steps(progress)} ({Share(progress) * 100:0}%){(progress.Metric == "loss" ? ", loss" : ",")} {LossText(progress)}{(progress.TokensPerSecond is null ? "" : $", {Speed(progress)} tokens/s")}, {CellText.Duration(progress.Elapsed)} elapsed"
            + (progress.Step >= progress.Steps ? ", done" : $", {CellText.Duration(progress.Remaining)} left");

    private static string Name(TrainingProgress progress) => progress.ResumedAfter is { } step ? $"{progress.Run}, resumed after step {step:N0}" : progress.Run;

    private static string Empty(bool finished) => finished ? "nothing to train" : "waiting for the first step";

    private static string State(IReadOnlyList<TrainingRow> rows)
    {
        int done = rows.Count(row => row.IsDone);
        string runs = rows.Count == 1 ? "1 run" : $"{rows.Count} runs";
        return done == rows.Count ? $"{runs} done" : $"{runs}, {done} done";
    }

    private static double Share(TrainingProgress progress) => progress.Steps <= 0 ? 0 : Math.Clamp((double)progress.Step / progress.Steps, 0, 1);

    private static string Steps(TrainingProgress progress) => $"{progress.Step:N0}/{progress.Steps:N0}";

    // The column is headed "loss"; another number says what it is.
    private static string LossText(TrainingProgress progress) =>
        (progress.Metric == "loss" ? "" : progress.Metric + " ") + (double.IsFinite(progress.Loss) ? progress.Loss.ToString("F3") : "not finite");

    private static string Loss(TrainingProgress progress) =>
        double.IsFinite(progress.Loss) ? LossText(progress) : $"<b style=\"color:{Palette.Vermillion}\">⚠ not finite</b>";

    private static string Speed(TrainingProgress progress) => progress.TokensPerSecond switch
    {
        null => "",
        >= 10_000 and { } many => $"{many / 1000:0.#}k",
        { } few => few.ToString("#,0"),
    };

    // The percentage stands beside the bar, for front ends that drop styles.
    private static string Bar(TrainingRow row)
    {
        int percent = (int)Math.Floor(Share(row.Last!) * 100);
        string color = row.IsDone ? Palette.Green : Palette.Blue;
        return $"<span style=\"display:inline-block;width:110px;height:8px;border-radius:4px;background:rgba(128,128,128,0.25);overflow:hidden;vertical-align:middle\"><span style=\"display:block;width:{percent}%;height:8px;background:{color}\"></span></span> {percent}%";
    }

    private static string TextBar(double share)
    {
        const int Width = 16;
        int full = (int)(share * Width);
        return new string('█', full) + new string('░', Width - full);
    }

    private static string Spark(IReadOnlyList<double> losses)
    {
        if (losses.Count < 2)
        {
            return "";
        }

        double min = losses.Min(), range = Math.Max(losses.Max() - min, 1e-12);
        IEnumerable<string> points = losses.Select((loss, i) => FormattableString.Invariant(
            $"{1 + ((SparkWidth - 2) * i / (losses.Count - 1.0)):0},{SparkHeight - 2 - ((SparkHeight - 4) * (loss - min) / range):0.#}"));
        return $"<svg width=\"{SparkWidth}\" height=\"{SparkHeight}\" role=\"img\" aria-label=\"loss so far\" style=\"vertical-align:middle\"><polyline points=\"{string.Join(' ', points)}\" fill=\"none\" stroke=\"{Palette.Blue}\" stroke-width=\"1.5\"/></svg>";
    }
}
