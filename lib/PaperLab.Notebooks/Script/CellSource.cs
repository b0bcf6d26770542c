// Where a cell's text lies: the name that errors give it and the folder that its relative paths start from.

namespace PaperLab.Notebooks.Script;

/// <summary>A piece of source: a cell of the notebook, or a file or cell that one imports.</summary>
/// <param name="Folder">Absolute folder that <c>#r</c>, <c>#load</c> and <c>#!import</c> start from.</param>
/// <param name="Name">What messages call it: <c>cell 3</c>, <c>util.csx</c>, <c>util.ipynb cell 2</c>.</param>
internal sealed record CellSource(string Folder, string Name)
{
    /// <summary>The path that the compiler sees: rooted, so that relative paths in the source start from the right folder.</summary>
    public string FilePath => Path.Combine(Folder, Name);
}
