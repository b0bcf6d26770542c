// A cell's text taken apart along the lines of .NET Interactive's dialect: code, other languages, magic commands.

using System.Text.RegularExpressions;

namespace PaperLab.Notebooks.Script;

/// <summary>A stretch of a cell, in order.</summary>
/// <param name="Line">1-based line of the cell where it begins.</param>
internal abstract record CellPart(int Line);

/// <summary>Text in one language. It is padded with empty lines, so that its line numbers are those of the cell.</summary>
internal sealed record TextPart(int Line, string Language, string Text) : CellPart(Line);

/// <summary>A magic command, such as <c>#!time</c>, or a directive that asks for packages, such as <c>#r "nuget:…"</c>.</summary>
internal sealed record MagicPart(int Line, string Name, string Argument) : CellPart(Line);

/// <summary>Splits cells.</summary>
internal static partial class CellText
{
    public const string PackageReference = "#r nuget";
    public const string PackageSource = "#i nuget";

    private static readonly Dictionary<string, string> Languages = new()
    {
        ["#!csharp"] = "csharp",
        ["#!c#"] = "csharp",
        ["#!C#"] = "csharp",
        ["#!markdown"] = "markdown",
        ["#!md"] = "markdown",
        ["#!html"] = "html",
        ["#!javascript"] = "javascript",
        ["#!js"] = "javascript",
    };

    /// <summary>The parts of <paramref name="source"/> in order. Text that is only blank is left out.</summary>
    public static List<CellPart> Split(string source, string language)
    {
        var parts = new List<CellPart>();
        var text = new List<string>();
        int first = 1;
        string[] lines = source.Split('\n');
        for (int index = 0; index < lines.Length; index++)
        {
            string line = lines[index].TrimEnd();
            if (Languages.TryGetValue(line, out string? next))
            {
                AddText(parts, text, first, language);
                (language, first) = (next, index + 2);
            }
            else if (IsCSharp(language) && MagicOf(line, index + 1) is { } magic)
            {
                AddText(parts, text, first, language);
                parts.Add(magic);
                first = index + 2;
            }
            else
            {
                text.Add(lines[index]);
            }
        }

        AddText(parts, text, first, language);
        return parts;
    }

    /// <summary>The cell with everything but its C# blanked out: every character that is left stands where it stood.</summary>
    public static string OnlyCSharp(string source, string language)
    {
        string[] lines = source.Split('\n');
        string[] kept = [.. lines.Select(line => new string(' ', line.Length))];
        foreach (TextPart part in Split(source, language).OfType<TextPart>().Where(part => IsCSharp(part.Language)))
        {
            int end = part.Text.AsSpan().Count('\n') + 1;
            Array.Copy(lines, part.Line - 1, kept, part.Line - 1, end - part.Line + 1);
        }

        return string.Join('\n', kept);
    }

    /// <summary>The code of a cell that is C# alone and whose meaning rests on nothing but the cells before it; null for another.</summary>
    public static string? CodeOf(string source, string language) =>
        Split(source, language) is [TextPart { Language: "csharp" } code] && !FileDirective().IsMatch(code.Text) ? code.Text : null;

    private static bool IsCSharp(string language) => language == "csharp";

    private static void AddText(List<CellPart> parts, List<string> text, int first, string language)
    {
        if (text.Exists(line => !string.IsNullOrWhiteSpace(line)))
        {
            string padding = IsCSharp(language) ? new string('\n', first - 1) : "";
            parts.Add(new TextPart(first, language, padding + string.Join('\n', text)));
        }

        text.Clear();
    }

    private static MagicPart? MagicOf(string line, int number)
    {
        if (line.StartsWith("#!", StringComparison.Ordinal))
        {
            int end = line.AsSpan().IndexOfAny(' ', '\t');
            return end < 0 ? new MagicPart(number, line, "") : new MagicPart(number, line[..end], Unquoted(line[end..]));
        }

        return NuGetArgument(line, "#r") is { } package ? new MagicPart(number, PackageReference, package)
            : NuGetArgument(line, "#i") is { } source ? new MagicPart(number, PackageSource, source)
            : null;
    }

    private static string? NuGetArgument(string line, string directive)
    {
        string trimmed = line.TrimStart();
        if (!trimmed.StartsWith(directive, StringComparison.Ordinal))
        {
            return null;
        }

        string argument = Unquoted(trimmed[directive.Length..]);
        return argument.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase) ? argument["nuget:".Length..].Trim() : null;
    }

    private static string Unquoted(string argument) => argument.Trim().Trim('"').Trim();

    // A running cell may write the file that the next one names.
    [GeneratedRegex(@"^\s*#\s*(r|load)\b", RegexOptions.Multiline)]
    private static partial Regex FileDirective();
}
