// One search, step by step, as a reader follows it: what was written, what the critic said, what was changed.

using PaperLab.Display.Mime;
using PaperLab.Preference;

namespace PaperLab.Display;

/// <summary>The search for one query, iteration by iteration.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed class SearchTable : IHtmlView
{
    private const string Answer = "answer", Chosen = "best so far", Rejected = "worst so far", Critique = "critique", Instruction = "instruction";

    private readonly string _title;
    private readonly IReadOnlyList<Line> _lines;

    private SearchTable(string title, IReadOnlyList<Line> lines) => (_title, _lines) = (title, lines);

    /// <summary>The example of a run, with what each answer was worth to its taste.</summary>
    /// <param name="run">The run.</param>
    /// <param name="iterations">Iterations after the start that are shown; all by default.</param>
    public static SearchTable Of(SearchRecord run, int? iterations = null) =>
        Of($"{run.Config.Name}, asked “{run.Example.Query.TrimEnd(':')}” by somebody who likes: {run.Example.Taste}", run.Example, iterations);

    /// <summary>Any search.</summary>
    /// <param name="title">What it was.</param>
    /// <param name="example">The search.</param>
    /// <param name="iterations">Iterations after the start that are shown; all by default.</param>
    public static SearchTable Of(string title, SearchExample example, int? iterations = null)
    {
        var lines = new List<Line>();
        int last = Math.Min(iterations ?? int.MaxValue, example.Answers.Select(answer => answer.Iteration).DefaultIfEmpty(0).Max());
        for (int iteration = 0; iteration <= last; iteration++)
        {
            if (example.Steps.FirstOrDefault(step => step.Iteration == iteration) is { } step)
            {
                lines.Add(LineOf(Chosen, example.Answers[step.Chosen]));
                lines.Add(LineOf(Rejected, example.Answers[step.Rejected]));
                lines.AddRange(new[] { (What: Critique, Text: step.Critique), (What: Instruction, Text: step.Instruction) }.Where(said => said.Text is not null).Select(said => new Line(iteration, said.What, said.Text!, null, null)));
            }

            lines.AddRange(example.Answers.Where(answer => answer.Iteration == iteration).Select(answer => LineOf(Answer, answer)));

            Line LineOf(string what, ExampleAnswer answer) => new(iteration, what, answer.Text, answer.Score, answer.Gold);
        }

        return new SearchTable(title, lines);
    }

    /// <inheritdoc/>
    public string ToHtml()
    {
        bool golds = _lines.Any(line => line.Gold is not null);
        return Html.Table(
            Html.Text(_title),
            [("iteration", true), ("", false), ("text", false), ("score", true), .. golds ? [("gold", true)] : Array.Empty<(string, bool)>()],
            _lines.Select(line => (IReadOnlyList<string>)
            [
                $"{line.Iteration}",
                line.What == Answer ? "" : $"<span style=\"{Html.Soft}\">{line.What}</span>",
                line.What is Critique or Instruction ? $"<i>{Html.Text(line.Text.Trim())}</i>" : Html.Text(line.Text.Trim()),
                $"{line.Score:0.00}",
                .. golds ? [line.Gold is { } gold ? $"{gold:0.##}" : ""] : Array.Empty<string>(),
            ]));
    }

    /// <summary>The same as text, a line each.</summary>
    public override string ToString() => _title + "\n" + string.Join("\n", _lines.Select(line =>
        $"{line.Iteration} {line.What}: {line.Text.Trim()}{(line.Score is { } score ? $" (score {score:0.00}{(line.Gold is { } gold ? $", gold {gold:0.##}" : "")})" : "")}"));

    private sealed record Line(int Iteration, string What, string Text, double? Score, double? Gold);
}
