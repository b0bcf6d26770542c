// What the claims of a run are compared with: the outputs that are committed in its page, or the summary of an earlier run.

using System.Text.Json;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Cli.Running;

/// <summary>What claims are compared with.</summary>
/// <param name="Against">A summary of an earlier run; null for the outputs that are committed in the pages.</param>
/// <param name="Tolerance">As in <see cref="ClaimsComparison"/>.</param>
public sealed record ComparisonRequest(string? Against, double Tolerance = ClaimsComparison.DefaultTolerance);

/// <summary>Claims that were recorded for a notebook.</summary>
/// <param name="Where">The file that they stand in.</param>
/// <param name="Claims">The claims; one at least.</param>
public sealed record RecordedClaims(string Where, IReadOnlyList<PageClaim> Claims)
{
    /// <summary>The claims to compare a notebook's with; null, and a note to the user, where none are recorded.</summary>
    /// <param name="notebook">The notebook that is about to run.</param>
    /// <param name="summary">The summary to compare with; null for the outputs in the notebook.</param>
    /// <param name="against">Path of the summary.</param>
    /// <exception cref="UsageException">The claims are of another preset.</exception>
    public static RecordedClaims? Of(PreparedNotebook notebook, RunSummary? summary, string? against)
    {
        NotebookReport? report = summary?.Notebooks.FirstOrDefault(report => report.Name == notebook.Name);
        string where = against ?? Repository.ShortPath(notebook.Path);
        IReadOnlyList<PageClaim> claims = summary is null ? Committed(notebook.Path) : report?.Claims ?? [];
        if (claims.Count == 0)
        {
            Console.Error.WriteLine($"paperlab: note: {where} has no recorded claims of {notebook.Name}; they are not compared.");
            return null;
        }

        string? recorded = summary is null ? notebook.DefaultPreset : report!.Preset;
        return recorded == notebook.Preset ? new RecordedClaims(where, claims) : throw new UsageException(
            $"{notebook.Name} is to run at the preset \"{notebook.Preset}\", and the claims in {where} are of \"{recorded}\": another preset has other numbers, so that nothing would be learned. Leave --preset out, or compare with a run at the same one: --against SUMMARY.json.");
    }

    private static IReadOnlyList<PageClaim> Committed(string path)
    {
        try
        {
            return PageClaims.Of(Notebook.Load(path));
        }
        catch (JsonException error)
        {
            throw new UsageException($"{path}: {error.Message} Stamp the page again (paperlab stamp), or compare with a summary (--against).");
        }
    }
}
