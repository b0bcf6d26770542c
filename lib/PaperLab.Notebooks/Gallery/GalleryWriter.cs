// Notebooks in, a static site out: an index of the papers, a page for each, all claims in one table. Everything that a page loads lies in
// the folder; nothing comes from a network, and the same notebooks give the same bytes.

using System.Text;
using System.Text.Json;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Gallery;

/// <summary>What was written.</summary>
/// <param name="Index">The page to open.</param>
/// <param name="Files">How many files there are.</param>
/// <param name="Bytes">Their size.</param>
/// <param name="MovedAside">Where the folder went that was there and was no gallery; null where there was none.</param>
public sealed record GalleryReport(string Index, int Files, long Bytes, string? MovedAside);

/// <summary>Writes galleries.</summary>
public static class GalleryWriter
{
    /// <summary>Writes the gallery of <paramref name="papers"/>, which are shown in this order, in the place of an earlier one.</summary>
    /// <param name="papers">The papers; their names differ.</param>
    /// <param name="plotly">plotly.js, which brings the charts to life.</param>
    /// <param name="folder">Where to.</param>
    /// <param name="force">Move aside what is there and is not a gallery.</param>
    /// <param name="warn">Told about what could not be shown as meant; nobody by default.</param>
    /// <exception cref="GalleryException">The folder is not a gallery's, two papers have one name, or a paper's claims are damaged.</exception>
    /// <exception cref="IOException">The folder cannot be written; what was there is unchanged.</exception>
    public static GalleryReport Write(IReadOnlyList<GalleryPaper> papers, PlotlyScript plotly, string folder, bool force = false, Action<string>? warn = null)
    {
        if (papers.CountBy(paper => paper.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(name => name.Value > 1).Key is { } twice)
        {
            throw new GalleryException($"two notebooks are named \"{twice}\"; a gallery has one page for a name.");
        }

        PaperPage[] pages = [.. papers.Select(paper => Page(paper, plotly, warn ?? (static _ => { })))];
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [IndexPage.Path] = Encoding.UTF8.GetBytes(IndexPage.Render(pages)),
            [ClaimsPage.Path] = Encoding.UTF8.GetBytes(ClaimsPage.Render(pages)),
            [Frame.Style] = Encoding.UTF8.GetBytes(HtmlPage.Style + Html.Resource(typeof(GalleryWriter), "gallery.css")),
            [Frame.Script] = Encoding.UTF8.GetBytes(Html.Resource(typeof(GalleryWriter), "gallery.js") + HtmlPage.ChartScript),
            [Frame.Plotly] = Encoding.UTF8.GetBytes(plotly.Source),
        };
        foreach (PaperPage page in pages)
        {
            files[page.Path] = Encoding.UTF8.GetBytes(page.Markup);
            files[page.NotebookPath] = page.Paper.Notebook.ToBytes(page.Paper.Notebook.Format);
            foreach ((string path, byte[] picture) in page.Pictures)
            {
                files[path] = picture;
            }
        }

        string? movedAside = GalleryFolder.Replace(folder, files, force);
        return new GalleryReport(Path.Combine(Path.GetFullPath(folder), IndexPage.Path), files.Count, files.Values.Sum(file => (long)file.Length), movedAside);
    }

    private static PaperPage Page(GalleryPaper paper, PlotlyScript plotly, Action<string> warn)
    {
        try
        {
            return PaperPage.Of(paper, plotly, warn);
        }
        catch (JsonException error)
        {
            throw new GalleryException($"{paper.Name}: {error.Message} Run the notebook again.");
        }
    }
}
