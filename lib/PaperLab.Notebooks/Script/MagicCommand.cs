// The magic commands that a cell may use, each with its one-line description, and what to say about the others.

namespace PaperLab.Notebooks.Script;

/// <summary>Knows every command by name.</summary>
internal static class MagicCommand
{
    public const string Time = "#!time";
    public const string Who = "#!who";
    public const string Whos = "#!whos";
    public const string About = "#!about";
    public const string ListMagic = "#!lsmagic";
    public const string Import = "#!import";

    private static readonly string[] OtherLanguages =
        ["#!fsharp", "#!f#", "#!F#", "#!pwsh", "#!powershell", "#!sql", "#!kql", "#!mermaid", "#!http", "#!python", "#!r", "#!value"];

    /// <summary>Commands and what they do, as <c>#!lsmagic</c> lists them.</summary>
    public static IReadOnlyList<(string Name, string Description)> All { get; } =
    [
        ("#r \"path.dll\"", "References a library; the path starts from the notebook's folder, its dependencies lie beside it."),
        ("#r \"nuget:Id, Version\"", "Restores a NuGet package and references it."),
        ("#i \"nuget:source\"", "Adds a source (URL or folder) for packages."),
        ("#load \"file.csx\"", "Runs a C# script file as part of the cell."),
        (Import, "Runs the code of another file: #!import file.ipynb, .dib, .cs or .csx, relative to this one."),
        ("#!csharp", "What follows is C#."),
        ("#!markdown", "What follows is shown as Markdown."),
        ("#!html", "What follows is shown as HTML."),
        ("#!javascript", "What follows runs in the page that shows the notebook."),
        (Time, "Shows the wall time of the cell."),
        (Who, "Lists the names of all variables."),
        (Whos, "Lists all variables with their types and values."),
        (About, "Shows the versions of the engine and the runtime."),
        (ListMagic, "Lists these commands."),
    ];

    /// <summary>What is wrong with the command <paramref name="name"/>, which the engine does not know.</summary>
    public static string Unknown(string name) => OtherLanguages.Contains(name)
        ? $"{name}: this engine runs C#, and shows Markdown, HTML and JavaScript. Move the code into C#, or into a library that the notebook references with #r"
        : $"unknown magic command {name}; known are {string.Join(", ", All.Select(command => command.Name).Where(known => known.StartsWith("#!", StringComparison.Ordinal)))}";
}
