// A notebook as it lies in its .ipynb file: the cells in the order they were read, and where the rest stands.

namespace PaperLab.Notebooks.Format;

/// <summary>The outermost object of an .ipynb file and the cells read from it.</summary>
internal sealed record NotebookOrigin(JsonSlice Root, IReadOnlyList<Cell> Cells);
