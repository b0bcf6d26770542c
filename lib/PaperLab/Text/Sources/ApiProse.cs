// English prose: the XML documentation of the .NET reference pack, one document per type with all its members.

using System.Text;
using System.Xml;

namespace PaperLab.Text.Sources;

/// <summary>The <c>prose</c> domain.</summary>
public sealed class ApiProse(SdkLocation sdk) : ITextSource
{
    // Processor intrinsics are lists of instruction names, thousands of near-identical lines without prose.
    private static readonly string[] s_notProse = ["System.Runtime.Intrinsics.X86.", "System.Runtime.Intrinsics.Arm.", "System.Runtime.Intrinsics.Wasm."];

    /// <inheritdoc/>
    public string Domain => "prose";

    /// <inheritdoc/>
    public bool DropRepeatedLines => true;

    /// <inheritdoc/>
    public string Fingerprint() => string.Join('\n', sdk.Documentation().Select(file => $"{file.Name} {file.Length}").Prepend(sdk.Description));

    /// <inheritdoc/>
    public IEnumerable<SourceDocument> Read() => sdk.Documentation().AsParallel().AsOrdered().SelectMany(file => ReadFile(file.FullName));

    /// <summary>The types documented in one XML file.</summary>
    /// <exception cref="InvalidDataException">The file is not well-formed XML.</exception>
    internal static List<SourceDocument> ReadFile(string path)
    {
        var types = new Dictionary<string, List<Member>>();
        try
        {
            using XmlReader reader = XmlReader.Create(path, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, IgnoreComments = true });
            while (reader.ReadToFollowing("member"))
            {
                if (reader.GetAttribute("name") is not { Length: > 2 } name || s_notProse.Any(prefix => name.AsSpan(2).StartsWith(prefix)))
                {
                    continue;
                }

                string type = MemberName.TypeOf(name);
                if (!types.TryGetValue(type, out List<Member>? members))
                {
                    types[type] = members = [];
                }

                members.Add(new Member(name, ReadMember(reader)));
            }
        }
        catch (XmlException error)
        {
            throw new InvalidDataException($"{path} is not well-formed XML documentation: {error.Message} Repair the .NET SDK installation.", error);
        }

        // Types that differ in arity only (Func`1 to Func`17) are documented alike: one group.
        return [.. types.Select(type => new SourceDocument(
            type.Key,
            type.Key.Split('`')[0],
            type.Value.Select(member => new Section(MemberName.Readable(member.Name), [.. member.Parts.SelectMany(Paragraphs)]))))];
    }

    private static List<Part> ReadMember(XmlReader reader)
    {
        var parts = new List<Part>();
        if (reader.IsEmptyElement)
        {
            return parts;
        }

        int depth = reader.Depth;
        while (reader.Read() && reader.Depth > depth)
        {
            if (reader.NodeType == XmlNodeType.Element && reader.Depth == depth + 1)
            {
                string label = reader.Name switch
                {
                    "param" or "typeparam" => reader.GetAttribute("name") + ": ",
                    "returns" => "Returns: ",
                    "exception" => $"Throws {MemberName.Short(reader.GetAttribute("cref") ?? "")}: ",
                    _ => "",
                };
                parts.Add(new Part(label, ReadProse(reader)));
            }
        }

        return parts;
    }

    // The text under the current element, with blank lines between paragraphs; leaves the reader on its end tag.
    private static string ReadProse(XmlReader reader)
    {
        var text = new StringBuilder();
        if (reader.IsEmptyElement)
        {
            return "";
        }

        int depth = reader.Depth;
        while (reader.Read() && reader.Depth > depth)
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    text.Append(reader.Value);
                    break;
                case XmlNodeType.Element when reader.Name is "para" or "p" or "br" or "item" or "listheader" or "li" or "list" or "ul":
                    text.Append("\n\n");
                    break;
                case XmlNodeType.Element when reader.Name == "description":
                    text.Append(": ");
                    break;
                case XmlNodeType.Element:
                    text.Append(Reference(reader));
                    break;
                case XmlNodeType.EndElement when reader.Name is "para" or "p" or "list" or "ul":
                    text.Append("\n\n");
                    break;
            }
        }

        return text.ToString();
    }

    // What an element without text of its own stands for: a type, a parameter, a keyword.
    private static string Reference(XmlReader reader) =>
        reader.GetAttribute("langword")
        ?? (reader.IsEmptyElement && reader.GetAttribute("cref") is { } cref ? MemberName.Short(cref) : null)
        ?? (reader.Name is "paramref" or "typeparamref" ? reader.GetAttribute("name") : null)
        ?? (reader.Name == "xref" && reader.GetAttribute("uid") is { } uid ? MemberName.Short("X:" + uid) : "");

    private static IEnumerable<string> Paragraphs(Part part)
    {
        string label = part.Label;
        foreach (string paragraph in part.Text.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string line = CleanText.Clean(CleanText.Collapse(paragraph)).Replace(" : ", ": ");
            if (line.Length > 0 && line != "-or-")
            {
                yield return label + line;
                label = "";
            }
        }
    }

    // As read: made into lines only when the document is taken into a corpus.
    private sealed record Member(string Name, IReadOnlyList<Part> Parts);

    private sealed record Part(string Label, string Text);
}
