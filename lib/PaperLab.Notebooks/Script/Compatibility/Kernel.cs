// The helpers that every C# cell of .NET Interactive can call without a using: display, HTML, Javascript, CSS.

using Microsoft.AspNetCore.Html;
using Microsoft.DotNet.Interactive.Formatting;
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

    /// <summary>Not available: a notebook that runs unattended has nobody to ask.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public static Task<string> GetInputAsync(string prompt = "", string inputName = "") => throw NobodyToAsk(prompt);

    /// <inheritdoc cref="GetInputAsync"/>
    public static Task<string> GetPasswordAsync(string prompt = "", string inputName = "") => throw NobodyToAsk(prompt);

    private static NotSupportedException NobodyToAsk(string prompt) => new(
        $"The notebook asks for input (\"{prompt}\"), and nobody is there to answer. Put the value into the cell tagged \"parameters\", or read an environment variable.");
}
