// The HTML of a figure: the picture, and a script that puts the live chart over it where plotly.js is there to draw it.

using System.Net;

namespace PaperLab.Display.Rendering;

internal static class FigureHtml
{
    /// <summary>The fragment. <paramref name="name"/> follows from the content; the same figure shown twice on a page works, too.</summary>
    public static string Of(string name, string summary, RenderedFigure figure)
    {
        string alt = WebUtility.HtmlEncode(summary.Split('\n')[0].Trim());
        // "<" would let "</script>" in the data end the script.
        string json = figure.PlotlyJson.Replace("<", "\\u003c");
        return $$"""
            <div class="paperlab-figure {{name}}" style="max-width:{{figure.Width}}px"><img alt="{{alt}}" width="{{figure.Width}}" height="{{figure.Height}}" style="max-width:100%;height:auto;display:block" src="data:image/png;base64,{{figure.PngBase64}}"/></div>
            <script>
            (function () {
              var figure = {{json}};
              function draw(Plotly) {
                document.querySelectorAll('.{{name}}:not([data-live])').forEach(function (box) {
                  box.setAttribute('data-live', '');
                  var live = document.createElement('div'), image = box.querySelector('img');
                  box.appendChild(live);
                  Plotly.newPlot(live, figure.data, figure.layout, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ['select2d', 'lasso2d'] })
                    .then(function () { image.style.display = 'none'; }, function () { live.remove(); });
                });
              }
              function start() {
                if (window.Plotly) { draw(window.Plotly); return true; }
                if (window.require && window.require.defined && window.require.defined('plotly')) { window.require(['plotly'], draw); return true; }
                return false;
              }
              if (!start()) { window.addEventListener('load', start); }
            })();
            </script>
            """;
    }
}
