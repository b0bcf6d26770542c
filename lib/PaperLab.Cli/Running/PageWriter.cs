// The HTML page beside each executed notebook.

using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Cli.Running;

/// <summary>Writes pages.</summary>
internal static class PageWriter
{
    private const string PlotlyMimeType = "application/vnd.plotly.v1+json";

    /// <summary>Writes the result's page, whether it passed or not; a page that cannot be written becomes the result's save error.</summary>
    public static NotebookResult Write(NotebookResult result)
    {
        try
        {
            Save(result.Job);
            return result;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            RunStatus status = result.Status == RunStatus.Passed ? RunStatus.NotSaved : result.Status;
            return result with { Status = status, SaveError = result.SaveError ?? $"its page {result.Job.PagePath}: {error.Message}" };
        }
    }

    /// <summary>Writes the page of a job's notebook as it stands.</summary>
    /// <exception cref="IOException">It cannot be written; what was there is unchanged.</exception>
    public static void Save(NotebookJob job) => HtmlPage.Save(job.Notebook, job.PagePath!, OptionsFor(job.Notebook));

    /// <summary>plotly.js, which lies in Plotly.NET beside this tool.</summary>
    public static PlotlyScript ReadPlotly() => PlotlyScript.FromAssembly(Path.Combine(AppContext.BaseDirectory, "Plotly.NET.dll"));

    /// <summary>Live charts, by one plotly.js that the pages of a folder share.</summary>
    private static HtmlPageOptions OptionsFor(Notebook notebook) => HasChart(notebook)
        ? new HtmlPageOptions { Charts = ChartMode.Linked, Plotly = ReadPlotly() }
        : new HtmlPageOptions();

    private static bool HasChart(Notebook notebook) => notebook.Cells.SelectMany(cell => cell.Outputs).Any(output => output.Shown()?[PlotlyMimeType] is not null);
}
