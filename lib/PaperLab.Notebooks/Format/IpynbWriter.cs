// Writes .ipynb. Every value that still equals what was read is copied from the file it was read from; the others are
// written in that file's style. A notebook that came from elsewhere is written as nbformat itself would write it.

using System.Text;
using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>From a <see cref="Notebook"/> to the bytes of an .ipynb file.</summary>
internal sealed class IpynbWriter
{
    private const int CellDepth = 2;
    private readonly Notebook _notebook;
    private readonly JsonSlice? _root;
    private readonly JsonStyle _style;
    private readonly bool _sourceAsString;
    private readonly StringBuilder _text = new();

    private IpynbWriter(Notebook notebook)
    {
        _notebook = notebook;
        _root = notebook.Origin?.Root;
        _style = _root is null ? JsonStyle.Nbformat : JsonStyle.Detect(_root);
        _sourceAsString = notebook.Origin is { Cells.Count: > 0 } origin && origin.Cells[0].Origin!.Slice.Required("source").IsString;
    }

    /// <summary>The notebook's bytes; exactly those read when nothing was changed.</summary>
    public static byte[] Write(Notebook notebook) => new IpynbWriter(notebook).Write();

    /// <summary>The metadata of a C# notebook that VS Code, Jupyter and PaperLab all open as one.</summary>
    public static JsonObject DefaultMetadata() => new()
    {
        ["kernelspec"] = new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = ".net-csharp" },
        ["language_info"] = new JsonObject { ["name"] = "polyglot-notebook" },
        ["polyglot_notebook"] = new JsonObject
        {
            ["kernelInfo"] = new JsonObject
            {
                ["defaultKernelName"] = Notebook.CSharp,
                ["items"] = new JsonArray(new JsonObject { ["aliases"] = new JsonArray(), ["name"] = Notebook.CSharp }),
            },
        },
    };

    private byte[] Write()
    {
        var members = new List<Field>
        {
            new("cells", null, WriteCells),
            new("metadata", Unchanged(_root, "metadata", _notebook.TouchedMetadata), () => _style.Write(_text, _notebook.Metadata, 1)),
            new("nbformat", _root?.Member("nbformat"), () => _text.Append('4')),
            new("nbformat_minor", MinorUnchanged ? _root!.Member("nbformat_minor") : null, () => _text.Append(_notebook.MinorVersion)),
        };

        if (_root is null)
        {
            WriteObject(null, members, 0);
            return Utf8.Plain.GetBytes(_text.Append('\n').ToString());
        }

        Copy(_root.File, 0, _root.Start);
        WriteObject(_root, members, 0);
        Copy(_root.File, _root.End, _root.File.Bytes.Length);
        return Utf8.Plain.GetBytes(_text.ToString());
    }

    private bool MinorUnchanged => _root?.Required("nbformat_minor").Integer() == _notebook.MinorVersion;

    private void WriteCells()
    {
        if (_notebook.Origin is { } origin && origin.Cells.SequenceEqual(_notebook.Cells))
        {
            SpliceCells(origin.Root.Required("cells"));
        }
        else
        {
            _style.Block(_text, 1, '[', ']', _notebook.Cells.Select(cell => (Action)(() => WriteObject(OwnSlice(cell), Fields(cell), CellDepth))));
        }
    }

    // The same cells in the same order: the layout between them stays.
    private void SpliceCells(JsonSlice cells)
    {
        int position = cells.Start;
        foreach (Cell cell in _notebook.Cells)
        {
            JsonSlice slice = cell.Origin!.Slice;
            Copy(slice.File, position, slice.Start);
            WriteObject(slice, Fields(cell), CellDepth);
            position = slice.End;
        }

        Copy(cells.File, position, cells.End);
    }

    // A cell that was read from another notebook is written anew, in this one's style.
    private JsonSlice? OwnSlice(Cell cell) => cell.Origin is { } origin && origin.Slice.File == _root?.File ? origin.Slice : null;

    private List<Field> Fields(Cell cell)
    {
        JsonSlice? slice = OwnSlice(cell);
        CellOrigin? origin = slice is null ? null : cell.Origin;
        bool code = cell.Kind == CellKind.Code;
        var fields = new List<Field> { new("cell_type", slice?.Member("cell_type"), () => _style.String(_text, cell.Kind.ToString().ToLowerInvariant())) };
        if (cell.Attachments is { } attachments)
        {
            fields.Insert(0, new("attachments", Unchanged(slice, "attachments", attachments), () => _style.Write(_text, attachments, CellDepth + 1)));
        }

        if (code)
        {
            bool same = origin is not null && origin.ExecutionCount == cell.ExecutionCount;
            fields.Add(new("execution_count", same ? slice!.Member("execution_count") : null, () => _text.Append(cell.ExecutionCount?.ToString() ?? "null")));
        }

        if (cell.Id is { } id && (_notebook.MinorVersion >= Notebook.MinorVersionWithIds || origin?.Id is not null))
        {
            fields.Add(new("id", origin?.Id == id ? slice!.Member("id") : null, () => _style.String(_text, id)));
        }

        fields.Add(new("metadata", Unchanged(slice, "metadata", cell.TouchedMetadata), () => _style.Write(_text, cell.Metadata, CellDepth + 1)));
        if (code)
        {
            fields.Add(new("outputs", OutputsUnchanged(cell, origin) ? slice!.Member("outputs") : null, () => WriteOutputs(cell, origin)));
        }

        fields.Add(new("source", origin?.Source == cell.Source ? slice!.Member("source") : null, () => WriteSource(cell, slice)));
        return fields;
    }

    private static bool OutputsUnchanged(Cell cell, CellOrigin? origin) =>
        origin is not null && (cell.TouchedOutputs is not { } outputs
            || (outputs.Count == origin.Slice.Required("outputs").Items().Count
                && outputs.Select(output => origin.SliceOf(output)?.Start ?? -1).SequenceEqual(origin.Slice.Required("outputs").Items().Select(item => item.Start))));

    private void WriteOutputs(Cell cell, CellOrigin? origin) =>
        _style.Block(_text, CellDepth + 1, '[', ']', cell.Outputs.Select(output => (Action)(() =>
        {
            if (origin?.SliceOf(output) is { } slice)
            {
                Copy(slice.File, slice.Start, slice.End);
            }
            else
            {
                _style.Write(_text, OutputJson.ToJson(output), CellDepth + 2);
            }
        })));

    private void WriteSource(Cell cell, JsonSlice? slice)
    {
        if (slice?.Required("source").IsString ?? _sourceAsString)
        {
            _style.String(_text, cell.Source);
        }
        else
        {
            _style.Write(_text, TextLines.ToJson(cell.Source), CellDepth + 1);
        }
    }

    // An object keeps its layout where the same members are there; otherwise it is laid out anew, with the members it had in
    // their order (also those that this program does not know) and new ones where the alphabet puts them, as nbformat sorts.
    private void WriteObject(JsonSlice? slice, List<Field> fields, int depth)
    {
        if (slice is not null && SameMembers(slice, fields))
        {
            Splice(slice, fields);
            return;
        }

        var members = new List<Field>();
        foreach (JsonMember member in slice?.Members ?? [])
        {
            Field? field = fields.Find(field => field.Name == member.Name);
            if (field is not null || !IsOptional(member.Name))
            {
                members.Add(field ?? new Field(member.Name, member.Value, () => { }));
            }
        }

        foreach (Field field in fields.Except(members))
        {
            int greater = members.FindIndex(member => string.CompareOrdinal(member.Name, field.Name) > 0);
            members.Insert(greater < 0 ? members.Count : greater, field);
        }

        _style.Block(_text, depth, '{', '}', members.Select(member => (Action)(() =>
        {
            _style.Name(_text, member.Name);
            WriteValue(member);
        })));
    }

    // Copies the object, layout and all, with the changed values in the place of the old ones.
    private void Splice(JsonSlice slice, List<Field> fields)
    {
        int position = slice.Start;
        foreach (JsonMember member in slice.Members)
        {
            if (fields.Find(field => field.Name == member.Name) is not { } field || IsCopied(field))
            {
                continue;
            }

            Copy(slice.File, position, member.Value.Start);
            field.Write();
            position = member.Value.End;
        }

        Copy(slice.File, position, slice.End);
    }

    private void WriteValue(Field field)
    {
        if (field.Original is { } original)
        {
            Copy(original.File, original.Start, original.End);
        }
        else
        {
            field.Write();
        }
    }

    private void Copy(JsonFile file, int start, int end) => _text.Append(Encoding.UTF8.GetString(file.Bytes, start, end - start));

    private static bool SameMembers(JsonSlice slice, List<Field> fields) =>
        fields.TrueForAll(field => slice.Member(field.Name) is not null)
        && slice.Members.All(member => !IsOptional(member.Name) || fields.Exists(field => field.Name == member.Name));

    // The members that a cell may lose.
    private static bool IsOptional(string name) => name is "attachments" or "id";

    private static bool IsCopied(Field field) => field.Original is not null;

    private static JsonSlice? Unchanged(JsonSlice? parent, string name, JsonObject? touched)
    {
        JsonSlice? original = parent?.Member(name);
        return original is null || touched is null || JsonNode.DeepEquals(original.Node(), touched) ? original : null;
    }

    /// <summary>A member to write: copied from the file where it is unchanged, otherwise written by the action.</summary>
    private sealed record Field(string Name, JsonSlice? Original, Action Write);
}
