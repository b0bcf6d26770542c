// The notebook that `paperlab new` makes: the order of a page, each part with a line on what belongs there. It runs as it is.

using PaperLab.Cli.Checking;
using PaperLab.Notebooks.Format;

namespace PaperLab.Cli.Templates;

/// <summary>A new notebook in the project's form.</summary>
internal static class NotebookTemplate
{
    /// <summary>The cells of a page about the paper <paramref name="name"/>.</summary>
    public static Notebook Create(string name)
    {
        string words = name.Replace('-', ' ');
        string title = char.ToUpperInvariant(words[0]) + words[1..];
        var notebook = new Notebook();
        Add(CellKind.Markdown, $"""
            # {title}

            One paragraph: the question the paper asks, what it proposes, what this page shows.
            """);
        Add(CellKind.Code, $$"""
            #r "../lib/out/PaperLab.Display.dll"
            using PaperLab;
            using PaperLab.Display;
            using PaperLab.Evaluation;
            using PaperLab.Training;

            new PaperCard
            {
                Title = "{{title}}",
                Authors = ["F. Author", "S. Author"],
                ArXivId = "2501.00000",
                WhatIsNew = ["What was known.", "What the paper adds.", "What it found."],
                Notebook = "What this page trains, measures and controls for.",
            }
            """);
        Add(CellKind.Code, """
            // Set from outside with: paperlab run NAME --preset standard -p seed=2 --device cuda
            var preset = "smoke"; // smoke, standard or full; standard once its runs are recorded
            var seed = 1;
            var device = "auto";  // auto, cpu, cuda or cuda:N
            """).AddTag("parameters");
        Add(CellKind.Markdown, $"""
            ## {ReadingRules.Headings[0]}

            The figures to look for, and the one number that decides.
            """);
        Add(CellKind.Code, $"""
            RunTimes.Of(RunStore.Default, "{name}", preset)
            """);
        Add(CellKind.Markdown, $"""
            ## {ReadingRules.Headings[1]}

            The equation, with its number in the paper, and the file in `lib/` that computes it:

            $$ y = f(x) $$

            ## {ReadingRules.Headings[2]}

            Arms, text, sizes; what is equal between the arms and what is not.
            """);
        Add(CellKind.Code, """
            int steps = preset switch
            {
                "smoke" => 10,
                "standard" => 100,
                "full" => 1000,
                _ => throw new ArgumentException($"preset is \"{preset}\"; allowed: smoke, standard, full"),
            };
            double[] differences = Enumerable.Range(1, 5).Select(i => Math.Sin(seed + i) / steps).ToArray();
            Interval interval = Interval.OfMean(differences);
            interval.ToString()
            """);
        Add(CellKind.Markdown, $"""
            ## {ReadingRules.Headings[3]}

            Nulls, contradictions, differences from the paper, each with its likely reason.

            ## {ReadingRules.Headings[4]}

            Each claim of the paper, the setting here, what was measured, and what that says about the claim.
            """);
        Add(CellKind.Code, """
            ClaimsTable.Of(Claim.Test("what the paper says", "the paper's number", $"{preset}, 5 seeds", interval, ClaimedSign.Positive, "unit"))
            """);
        Add(CellKind.Code, """
            RunSources.Of(RunStore.Default)
            """);
        Add(CellKind.Markdown, $"""
            ## {ReadingRules.Headings[5]}

            1. What a reader can change here, and what should then happen.
            """);
        notebook.EnsureCellIds();
        return notebook;

        Cell Add(CellKind kind, string source)
        {
            var cell = new Cell(kind, source);
            notebook.Cells.Add(cell);
            return cell;
        }
    }
}
