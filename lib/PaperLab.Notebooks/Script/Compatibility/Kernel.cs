// The helpers that every C# cell of .NET Interactive can call without a using: display, HTML, Javascript, CSS, input.

using Microsoft.AspNetCore.Html;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Notebooks.Script;
using static Microsoft.DotNet.Interactive.Formatting.PocketViewTags;

namespace Microsoft.DotNet.Interactive;

/// <summary>Statically imported into every cell.</summary>
public static class Kernel
{
    /// <summary>Shows <paramref name="value"/> below the cell, in the given MIME types or in those its type prefers.</summary>
    /// <returns>A handle that can replace what is shown.</returns>
    public static DisplayedValue display(object? value, params string[] mimeTypes) => value.Display(mimeTypes);

    /// <summary>Marks text as HTML, so that showing it renders it.</summary>
    public static IHtmlContent HTML(string content) => content.ToHtmlContent();

    /// <summary>Runs JavaScript in the page that shows the notebook.</summary>
    public static void Javascript(string scriptContent)
    {
        PocketView view = script[type: "text/javascript"](HTML(scriptContent));
        view.ToString().DisplayAs(HtmlFormatter.MimeType);
    }

    /// <summary>Adds a style sheet to the page that shows the notebook.</summary>
    public static void CSS(string content)
    {
        PocketView view = style[type: "text/css"](HTML(content));
        view.ToString().DisplayAs(HtmlFormatter.MimeType);
    }

    /// <summary>Empties what the running cell has shown, at once or, with <paramref name="wait"/>, when it shows something next. (.NET Interactive has no such call.)</summary>
    public static void ClearOutput(bool wait = false) => ScriptSession.Current.Clear(wait);

    /// <summary>Asks whoever runs the notebook for a line of text.</summary>
    /// <exception cref="NotSupportedException">The notebook runs unattended, so that nobody is there to answer.</exception>
    public static Task<string> GetInputAsync(string prompt = "", string inputName = "") => ScriptSession.Current.AskAsync(prompt, hidden: false);

    /// <summary>As <see cref="GetInputAsync"/>; what is typed is not shown.</summary>
    /// <exception cref="NotSupportedException">The notebook runs unattended, so that nobody is there to answer.</exception>
    public static Task<string> GetPasswordAsync(string prompt = "", string inputName = "") => ScriptSession.Current.AskAsync(prompt, hidden: true);
}
