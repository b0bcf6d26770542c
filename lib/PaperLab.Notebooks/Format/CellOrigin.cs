// A cell as it lies in its .ipynb file: checked when the notebook is read, taken apart field by field when somebody asks.

using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>The range of the file that a cell was read from, and what its fields held.</summary>
internal sealed class CellOrigin(JsonSlice slice)
{
    // Which output came from which bytes: an output that is still in the list is written back verbatim.
    private readonly ConditionalWeakTable<CellOutput, JsonSlice> _outputSlices = [];

    public JsonSlice Slice => slice;

    /// <summary>The source as read.</summary>
    public required string Source { get; init; }

    /// <summary>The cell id as read.</summary>
    public required string? Id { get; init; }

    /// <summary>The execution count as read.</summary>
    public required int? ExecutionCount { get; init; }

    /// <summary>A fresh copy of an object-valued field as read; null where there is none.</summary>
    public JsonObject? ReadObject(string field) => slice.Member(field)?.Node() as JsonObject;

    /// <summary>The outputs as read; null where the cell has no such field.</summary>
    public List<CellOutput>? ReadOutputs() =>
        slice.Member("outputs")?.Items().ConvertAll(item =>
        {
            CellOutput output = OutputJson.Read(item);
            _outputSlices.Add(output, item);
            return output;
        });

    /// <summary>The bytes that <paramref name="output"/> was read from; null for one made in memory.</summary>
    public JsonSlice? SliceOf(CellOutput output) => _outputSlices.TryGetValue(output, out JsonSlice? found) ? found : null;
}
