// The foot of a notebook: which recorded runs its numbers come from. For readers in a sentence, for the tool, which stamps pages, as a list.

using System.Text.Json;
using PaperLab.Display.Mime;
using PaperLab.Training;

namespace PaperLab.Display;

/// <summary>The recorded runs and measurements behind a page.</summary>
[TypeFormatterSource(typeof(RunSourcesFormatterSource), PreferredMimeTypes = [MimeTypes.Runs, MimeTypes.Html, MimeTypes.Text])]
public sealed class RunSources : IHtmlView
{
    private readonly IReadOnlyList<RunSource> _sources;

    private RunSources(IReadOnlyList<RunSource> sources) => _sources = sources;

    /// <summary>Everything read and written through <paramref name="store"/> so far; ask at the end of the page.</summary>
    public static RunSources Of(RunStore store) => new(store.Sources);

    /// <summary>The names of the files, and how many of them this page made.</summary>
    public string ToJson() => JsonSerializer.Serialize(new { runs = _sources.Select(source => source.File), made = _sources.Count(source => source.Made) });

    /// <inheritdoc/>
    public string ToHtml() => $"<p style=\"{Html.Font};max-width:760px;{Html.Soft}\">{Html.Text(ToString())}</p>";

    /// <summary>"20 recorded runs and 1 measurement, …".</summary>
    public override string ToString()
    {
        if (_sources.Count == 0)
        {
            return "These numbers come from no recorded run.";
        }

        IRecordedRun[] records = [.. _sources.Select(source => source.Record).OfType<IRecordedRun>()];
        int measurements = _sources.Count - records.Length;
        string counts = string.Join(" and ", new[] { RunText.Count(records.Length, "recorded run"), RunText.Count(measurements, "measurement") }.Where(part => part.Length > 0));
        string made = _sources.Count(source => source.Made) is > 0 and int here ? $", {here} of them made just now" : "";
        return $"These numbers come from {counts}{made}{(records.Length == 0 ? "" : ": " + RunText.Footing(records))}.";
    }
}

/// <summary>The formatters of <see cref="RunSources"/>.</summary>
public sealed class RunSourcesFormatterSource
{
    /// <summary>The formatters; hosts look for an instance method.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "The convention is an instance method.")]
    public IEnumerable<object> CreateTypeFormatters() =>
    [
        new ConventionFormatter<RunSources>(MimeTypes.Runs, sources => sources.ToJson()),
        new ConventionFormatter<RunSources>(MimeTypes.Html, sources => sources.ToHtml()),
        new ConventionFormatter<RunSources>(MimeTypes.Text, sources => sources.ToString()),
    ];
}
