// What a caller decides about a page.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Pages;

/// <summary>How interactive charts reach a page.</summary>
public enum ChartMode
{
    /// <summary>As the pictures stored in the notebook; no script.</summary>
    Still,

    /// <summary>Live, by one <c>plotly.min.js</c> beside the pages, which all pages of the folder share. Without that file the pictures stand.</summary>
    Linked,

    /// <summary>Live, with plotly.js inside the page (3.6 MB more), so that the page can be sent on its own.</summary>
    Inline,
}

public sealed record HtmlPageOptions
{
    /// <summary>The file that linked pages look for in their own folder.</summary>
    public const string LinkedScriptName = "plotly.min.js";

    /// <summary>How charts are shown; anything but <see cref="ChartMode.Still"/> needs <see cref="Plotly"/>.</summary>
    public ChartMode Charts { get; init; } = ChartMode.Still;

    /// <summary>plotly.js, see <see cref="PlotlyScript.FromAssembly"/>.</summary>
    public PlotlyScript? Plotly { get; init; }

    /// <summary>The page's title; by default the notebook's first heading, then its file name.</summary>
    public string? Title { get; init; }

    /// <summary>Where relative images in markdown are looked for; by default the folder the notebook was loaded from.</summary>
    public string? SourceFolder { get; init; }

    /// <summary>An output's text beyond this many characters is left out of the page, with a note that says so.</summary>
    public int MaxOutputCharacters { get; init; } = 500_000;

    /// <summary>Told about what could not be shown as meant: an unknown TeX command, a missing attachment, something a page would load from the network.</summary>
    public Action<string> Warn { get; init; } = static _ => { };

    /// <summary>Every cell's code is folded away, for who reads rather than runs.</summary>
    internal bool FoldsCode { get; init; }

    /// <summary>Markup that stands in an output's place; null where the output shows itself.</summary>
    internal Func<CellOutput, string?> Instead { get; init; } = static _ => null;

    /// <summary>The address under which the page finds an output's picture, from its MIME type and its base64; by default the picture itself.</summary>
    internal Func<string, string, string> AddressOfPicture { get; init; } = Html.DataUri;
}
