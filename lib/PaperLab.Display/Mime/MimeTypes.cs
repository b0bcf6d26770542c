// The MIME types that PaperLab's values show themselves in.

namespace PaperLab.Display.Mime;

internal static class MimeTypes
{
    public const string Plotly = "application/vnd.plotly.v1+json";
    public const string Claims = "application/vnd.paperlab.claims+json";
    public const string Runs = "application/vnd.paperlab.runs+json";
    public const string Html = "text/html";
    public const string Png = "image/png";
    public const string Text = "text/plain";
}
