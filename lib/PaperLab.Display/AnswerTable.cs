// What policies wrote, as they wrote it, with the verifiers' words beside it.

using PaperLab.Display.Mime;
using PaperLab.Reinforcement;

namespace PaperLab.Display;

/// <summary>Answers to the same problems at several points of a training.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed class AnswerTable : IHtmlView
{
    private readonly string _title;
    private readonly IReadOnlyList<(int Step, PolicyExample Example)> _rows;

    private AnswerTable(string title, IReadOnlyList<(int Step, PolicyExample Example)> rows) => (_title, _rows) = (title, rows);

    /// <summary>A run's greedy answers to the first problem of each difficulty, before the first step, halfway and after the last.</summary>
    /// <exception cref="ArgumentException">The run was not evaluated on the way.</exception>
    public static AnswerTable Of(PolicyRecord run)
    {
        if (run.Evaluations.Count == 0)
        {
            throw new ArgumentException($"{run.Config.Name} was not evaluated on its way (EvaluationInterval is 0), so there is nothing to set side by side.", nameof(run));
        }

        PolicyEvaluationPoint[] points = [run.Evaluations[0], run.Evaluations[run.Evaluations.Count / 2], run.Final];
        int[] levels = [.. run.Final.Scores.Select(score => score.Difficulty)];
        return new AnswerTable(
            $"{run.Config.Name}: what it writes",
            [.. levels.SelectMany(level => points.Select(point => (point.Step, point.Examples.First(example => example.Difficulty == level))))]);
    }

    /// <inheritdoc/>
    public string ToHtml() => Html.Table(
        Html.Text(_title),
        [("asked", false), ("after step", true), ("answer", false), ("", false), ("the verifiers", false)],
        _rows.Select(row => (IReadOnlyList<string>)
        [
            Code(row.Example.Prompt),
            $"{row.Step}",
            Code(row.Example.Completion + (row.Example.Truncated ? " …" : "")),
            row.Example.Right ? $"<b style=\"color:{Palette.Green}\">✓</b>" : $"<b style=\"color:{Palette.Vermillion}\">✗</b>",
            Html.Text(row.Example.Verdict),
        ]));

    /// <summary>The same as text, an answer a paragraph.</summary>
    public override string ToString() => _title + "\n" + string.Join("\n\n", _rows.Select(row =>
        $"{row.Example.Prompt} after step {row.Step} {(row.Example.Right ? "✓" : "✗")} ({row.Example.Verdict})\n{row.Example.Completion}"));

    private static string Code(string text) => $"<code style=\"font-size:12px;background:none;color:inherit;padding:0\">{Html.Text(text)}</code>";
}
