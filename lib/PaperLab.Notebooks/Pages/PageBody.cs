// What a page shows of a notebook, without the frame around it: HtmlPage frames it as a file of its own, the gallery as a page of a site.

using System.Text;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Pages;

/// <param name="Title">The page's title.</param>
/// <param name="Contents">The table of contents; empty where it would say nothing.</param>
/// <param name="Cells">The cells, in order.</param>
/// <param name="HasLiveChart">Whether there is a chart that plotly.js can bring to life.</param>
internal sealed record PageBody(string Title, string Contents, string Cells, bool HasLiveChart)
{
    public static PageBody Of(Notebook notebook, HtmlPageOptions options)
    {
        int cellNumber = 0;
        void Warn(string message) => options.Warn($"cell {cellNumber}: {message}");
        var contents = new TableOfContents();
        string? folder = options.SourceFolder ?? Path.GetDirectoryName(notebook.Path);
        var markdown = new MarkdownHtml(contents, folder, Warn);
        var outputs = new OutputHtml(markdown, options, Warn);
        var cells = new CellHtml(markdown, outputs, options.FoldsCode);
        var body = new StringBuilder();
        foreach (Cell cell in notebook.Cells)
        {
            cellNumber++;
            body.Append(cells.ToHtml(cell));
        }

        string title = options.Title ?? contents.Title ?? Path.GetFileNameWithoutExtension(notebook.Path) ?? "Notebook";
        return new PageBody(title, contents.ToHtml(), body.ToString(), outputs.HasLiveChart);
    }
}
