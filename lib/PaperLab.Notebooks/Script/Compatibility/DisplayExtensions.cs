// Extension methods that .NET Interactive puts into System, so that every cell has them: x.Display(), "…".DisplayAs("text/html").

using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Formatting.TabularData;
using PaperLab.Notebooks.Script;

namespace System;

/// <summary>Showing values below the running cell.</summary>
public static class DisplayExtensions
{
    /// <summary>Shows <paramref name="value"/> in the given MIME types or in those its type prefers.</summary>
    /// <returns>A handle that can replace what is shown.</returns>
    public static DisplayedValue Display(this object? value, params string[] mimeTypes) => ScriptSession.Current.Display(value, mimeTypes);

    /// <summary>Shows text that is already in the format <paramref name="mimeType"/>.</summary>
    /// <returns>A handle that can replace what is shown.</returns>
    public static DisplayedValue DisplayAs(this string value, string mimeType) => ScriptSession.Current.DisplayAs(value, mimeType);

    /// <summary>Shows the items as a table.</summary>
    /// <returns>A handle that can replace what is shown.</returns>
    public static DisplayedValue DisplayTable<T>(this IEnumerable<T> value, params string[] mimeTypes) =>
        value.ToTabularDataResource().Display(mimeTypes);
}
