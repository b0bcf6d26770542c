// What a page of the collection owes its reader: a card of the paper, its sections in order, outputs that belong to its code and its
// recorded runs, nothing too large to open, nothing of the machine it was made on. Held for the notebooks of notebooks/.

using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Cli.Checking;

/// <summary>The rules for the pages of the collection.</summary>
public static partial class ReadingRules
{
    /// <summary>The most bytes of a committed notebook.</summary>
    public const int MostBytes = 1_000_000;

    /// <summary>The most bytes of one output: a chart, a table or the text of a cell.</summary>
    public const int MostOutputBytes = 60_000;

    /// <summary>More for each further panel of a grid of charts.</summary>
    public const int MoreForEachPanel = 25_000;

    /// <summary>The preset whose outputs are committed.</summary>
    public const string CommittedPreset = "standard";

    private const string PlotlyMimeType = "application/vnd.plotly.v1+json";

    // Letters beyond ASCII stand in the file as they are.
    private static readonly JsonSerializerOptions s_asStored = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private sealed record Section(string Heading, string Purpose, string? Code = null);

    private static readonly Section[] s_sections =
    [
        new("What you will see, and how long it takes", "the page in a few sentences; times from the records by RunTimes", "RunTimes"),
        new("The idea", "the equations, and where in lib/ each is computed"),
        new("The experiment", "arms, text, sizes, the library call, the plots with intervals", ""),
        new("What surprised us, and what does not reproduce", "nulls, contradictions and differences from the paper, with the likely reason"),
        new("Claims", "every claim of the paper with its verdict, by ClaimsTable", "ClaimsTable"),
        new("Exercises", "what a reader can try next, and what to expect"),
    ];

    /// <summary>The headings that every page has, in order.</summary>
    public static IReadOnlyList<string> Headings { get; } = [.. s_sections.Select(section => section.Heading)];

    /// <summary>True for a notebook in the folder notebooks/ of a repository.</summary>
    public static bool Concern(string path) =>
        Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && Path.GetFileName(folder) == "notebooks" && File.Exists(Path.Combine(folder, "..", "PaperLab.sln"));

    /// <summary>Everything that is wrong with a page but its stamp.</summary>
    public static IEnumerable<Finding> OfContent(Notebook page) => [.. Card(page), .. Sections(page), .. MachinePaths(page), .. Sizes(page)];

    /// <summary>Whether a page's outputs are those of its code and its recorded runs.</summary>
    /// <param name="page">The page.</param>
    /// <param name="path">Its file; its name without extension is the folder of its runs in data/results.</param>
    public static IEnumerable<Finding> OfOutputs(Notebook page, string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        string results = ResultsOf(path);
        string[] recorded = Directory.Exists(results) ? [.. Directory.GetFiles(results, "*.json", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(results, file).Replace('\\', '/')).Order(StringComparer.Ordinal)] : [];
        PageStamp? stamp = null;
        string? unreadable = null;
        try
        {
            stamp = PageStamp.Read(page);
        }
        catch (JsonException error)
        {
            unreadable = error.Message;
        }

        string remedy = $"run it from the recorded runs and stamp it: paperlab stamp {name}";
        if (unreadable is not null)
        {
            yield return Error($"metadata.{PageStamp.Key} is not a stamp ({unreadable}); {remedy}.");
        }
        else if (stamp is not null)
        {
            foreach (string fault in stamp.Faults(page, results))
            {
                yield return Error($"the stamp is stale: {fault}; {remedy}.");
            }

            if (PresetOf(page, name) is var preset && preset != CommittedPreset)
            {
                yield return Error($"its outputs are committed and its preset is \"{preset}\"; it must be \"{CommittedPreset}\", so that who opens it finds these outputs again.");
            }

            if (recorded.Except(stamp.Runs.Keys).ToArray() is { Length: > 0 } unused)
            {
                yield return new Finding(IsError: false, $"{unused.Length} of {recorded.Length} files in data/results/{name} are not read by the page ({unused[0]}{(unused.Length > 1 ? ", …" : "")}); delete those that nothing needs.");
            }
        }
        else if (page.Cells.Any(cell => cell.Outputs.Count > 0))
        {
            yield return Error($"it has outputs without a stamp, so nobody knows what they come from; clear them, or {remedy}.");
        }
        else if (recorded.Length > 0)
        {
            yield return Error($"it has no outputs, although {recorded.Length} runs are recorded in data/results/{name}; {remedy}.");
        }
    }

    /// <summary>In a few words, whether a page has outputs and where from.</summary>
    public static string StateOf(Notebook page) => PageStamp.Read(page) is { } stamp
        ? $"outputs of {stamp.Runs.Count} recorded runs"
        : "no outputs, for nothing is recorded yet";

    /// <summary>The default of the page's parameter <c>preset</c>; null when it has none.</summary>
    public static string? PresetOf(Notebook page, string name) =>
        NotebookParameters.Of(page, name).Declared.FirstOrDefault(parameter => parameter.Name == "preset")?.Default.Trim('"');

    /// <summary>The folder of a page's recorded runs.</summary>
    public static string ResultsOf(string path) =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "..", "data", "results", Path.GetFileNameWithoutExtension(path)));

    private static IEnumerable<Finding> Card(Notebook page)
    {
        if (!page.Cells.TakeWhile(cell => HeadingsOf(cell).Length == 0).Any(cell => Holds(cell, "new PaperCard")))
        {
            yield return Error("the paper card is missing: a cell above the first section ends in `new PaperCard { … }` with title, authors, arXiv id and what is new; it makes the BibTeX.");
        }

        if (!page.Cells.Any(cell => Holds(cell, "RunSources")))
        {
            yield return Error("no cell says which runs the numbers come from: below the claims, show `RunSources.Of(RunStore.Default)`.");
        }
    }

    private static IEnumerable<Finding> Sections(Notebook page)
    {
        (string Heading, int Cell)[] found = [.. page.Cells.SelectMany((cell, index) => HeadingsOf(cell).Select(heading => (heading, index)))];
        int before = -1;
        foreach (Section section in s_sections)
        {
            int at = Array.FindIndex(found, heading => heading.Heading == section.Heading);
            if (at < 0)
            {
                yield return Error($"the section \"## {section.Heading}\" is missing ({section.Purpose}); the sections are, in this order: {string.Join("; ", Headings)}.");
                continue;
            }

            if (at < before)
            {
                yield return Error($"{Place(page, found[at].Cell)}: the section \"## {section.Heading}\" stands too early; the order is: {string.Join("; ", Headings)}.");
            }

            before = at;
            int end = at + 1 < found.Length ? found[at + 1].Cell : page.Cells.Count;
            Cell[] cells = [.. page.Cells.Skip(found[at].Cell + 1).Take(end - found[at].Cell - 1)];
            if (cells.Length == 0 && TextUnder(page.Cells[found[at].Cell], section.Heading).Length == 0)
            {
                yield return Error($"{Place(page, found[at].Cell)}: the section \"## {section.Heading}\" is empty; it holds {section.Purpose}.");
            }
            else if (section.Code is { } code && !cells.Any(cell => Holds(cell, code)))
            {
                yield return Error($"{Place(page, found[at].Cell)}: the section \"## {section.Heading}\" has no code cell{(code.Length > 0 ? $" with {code}" : "")}; it holds {section.Purpose}.");
            }
        }
    }

    private static IEnumerable<Finding> MachinePaths(Notebook page)
    {
        foreach ((int index, Cell cell) in page.Cells.Index())
        {
            if (MachinePath().Match(cell.Source) is { Success: true } inSource)
            {
                yield return Error($"{Place(page, index)}: its source names a folder of one machine ({inSource.Value}); use a path relative to the notebook, or Checkout.Root.");
            }

            if (cell.Outputs.SelectMany(TextsOf).Select(text => MachinePath().Match(text)).FirstOrDefault(match => match.Success) is { } inOutput)
            {
                yield return Error($"{Place(page, index)}: its output names a folder of one machine ({inOutput.Value}); do not print it, then stamp the page again.");
            }
        }
    }

    private static IEnumerable<Finding> Sizes(Notebook page)
    {
        if (page.ToBytes(NotebookFormat.Ipynb).Length is var bytes && bytes > MostBytes)
        {
            yield return Error($"the notebook has {bytes:N0} bytes, and may have {MostBytes:N0}; show fewer or smaller charts, then stamp it again.");
        }

        foreach ((int index, Cell cell) in page.Cells.Index())
        {
            foreach (CellOutput output in cell.Outputs)
            {
                int size = Encoding.UTF8.GetByteCount(output.ToJson().ToJsonString(s_asStored));
                int panels = PanelsOf(output);
                int most = MostOutputBytes + (MoreForEachPanel * (panels - 1));
                if (size > most)
                {
                    yield return Error($"{Place(page, index)}: an output has {size:N0} bytes, and may have {most:N0}{(panels > 1 ? $" with {panels} panels" : "")}; show less of it, then stamp the page again.");
                }
            }
        }
    }

    private static int PanelsOf(CellOutput output) =>
        output.Shown()?[PlotlyMimeType]?["layout"] is JsonObject layout ? Math.Max(1, layout.Count(member => AxisName().IsMatch(member.Key))) : 1;

    private static IEnumerable<string> TextsOf(CellOutput output) => output switch
    {
        StreamOutput stream => [stream.Text],
        ErrorOutput error => [error.Message, .. error.Traceback],
        _ => output.Shown()!.Entries.Where(entry => !entry.Key.StartsWith("image/", StringComparison.Ordinal) || entry.Key == "image/svg+xml").Select(entry => entry.Value.ToString()),
    };

    private static string[] HeadingsOf(Cell cell) => cell.Kind != CellKind.Markdown ? [] : [.. HeadingLine().Matches(cell.Source).Select(match => match.Groups[1].Value.Trim())];

    // From below a heading to the next one, or to the end of the cell.
    private static string TextUnder(Cell cell, string heading)
    {
        Match[] headings = [.. HeadingLine().Matches(cell.Source).OfType<Match>()];
        int at = Array.FindIndex(headings, match => match.Groups[1].Value.Trim() == heading);
        int end = at + 1 < headings.Length ? headings[at + 1].Index : cell.Source.Length;
        return cell.Source[(headings[at].Index + headings[at].Length)..end].Trim();
    }

    private static bool Holds(Cell cell, string code) => cell.Kind == CellKind.Code && cell.Source.Contains(code, StringComparison.Ordinal);

    /// <summary>"cell 5 (c714bf5c), section The idea", as a reader counts and as an editor shows it.</summary>
    private static string Place(Notebook page, int index)
    {
        string? section = page.Cells.Take(index + 1).SelectMany(HeadingsOf).LastOrDefault();
        return $"cell {index + 1} ({page.Cells[index].Id}){(section is null ? "" : $", section \"{section}\"")}";
    }

    private static Finding Error(string message) => new(IsError: true, message);

    [GeneratedRegex(@"^##[ \t]+(.+?)[ \t]*$", RegexOptions.Multiline)]
    private static partial Regex HeadingLine();

    [GeneratedRegex(@"^xaxis\d*$")]
    private static partial Regex AxisName();

    // A path from the root of a file system into what people and builds own; not the path of a web address, and not base64.
    [GeneratedRegex(@"(?<![\w+/=.:~-])/(?:home|Users|root|tmp|work|mnt|media|scratch|private|opt|var/(?:tmp|folders))/[\w.-]+|file:///\S+|\b[A-Za-z]:\\{1,2}(?:Users|Temp|Windows|Program Files)\b", RegexOptions.IgnoreCase)]
    private static partial Regex MachinePath();
}
