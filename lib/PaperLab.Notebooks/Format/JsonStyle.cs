// How a JSON file is laid out, and writing values in that layout. New values look as if the file's own tool had written them.

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>Layout of a JSON file.</summary>
/// <param name="Indent">One level of indentation; null when the file is on one line.</param>
/// <param name="NewLine">"\n" or "\r\n".</param>
/// <param name="Colon">What stands between a name and its value.</param>
/// <param name="Comma">What stands between two items of a file on one line.</param>
/// <param name="EscapeNonAscii">True when every non-ASCII character is written as \uXXXX.</param>
internal sealed record JsonStyle(string? Indent, string NewLine, string Colon, string Comma, bool EscapeNonAscii)
{
    /// <summary>nbformat's own: one space, "\n", characters as they are.</summary>
    public static readonly JsonStyle Nbformat = new(" ", "\n", ": ", ",", EscapeNonAscii: false);

    /// <summary>Reads the layout off the outermost object.</summary>
    public static JsonStyle Detect(JsonSlice root)
    {
        ReadOnlySpan<byte> all = root.Raw;
        JsonMember? first = root.Members.Count > 0 ? root.Members[0] : null;
        if (first is null)
        {
            return Nbformat;
        }

        string opening = Encoding.UTF8.GetString(root.File.Bytes.AsSpan(root.Start + 1, first.NameStart - root.Start - 1));
        int lineEnd = opening.IndexOf('\n');
        bool escapes = all.IndexOf("\\u"u8) >= 0 && !all.ContainsAnyExceptInRange((byte)0, (byte)127);
        return new JsonStyle(
            Indent: lineEnd < 0 ? null : opening[(opening.LastIndexOf('\n') + 1)..],
            NewLine: lineEnd > 0 && opening[lineEnd - 1] == '\r' ? "\r\n" : "\n",
            Colon: Between(first),
            Comma: root.Members.Count > 1 && lineEnd < 0 ? Separator(first.Value, root.Members[1]) : ",",
            EscapeNonAscii: escapes);
    }

    /// <summary>Appends a line break and the indentation of <paramref name="depth"/>, or nothing in a file on one line.</summary>
    public void Break(StringBuilder text, int depth)
    {
        if (Indent is null)
        {
            return;
        }

        text.Append(NewLine);
        for (int i = 0; i < depth; i++)
        {
            text.Append(Indent);
        }
    }

    /// <summary>Appends an object or a list whose parts are appended by <paramref name="parts"/>.</summary>
    public void Block(StringBuilder text, int depth, char open, char close, IEnumerable<Action> parts)
    {
        text.Append(open);
        bool first = true;
        foreach (Action part in parts)
        {
            text.Append(first ? "" : Indent is null ? Comma : ",");
            Break(text, depth + 1);
            part();
            first = false;
        }

        if (!first)
        {
            Break(text, depth);
        }

        text.Append(close);
    }

    /// <summary>Appends a value; <paramref name="depth"/> is the depth of the line it begins on.</summary>
    public void Write(StringBuilder text, JsonNode? node, int depth)
    {
        switch (node)
        {
            case JsonObject members:
                Block(text, depth, '{', '}', members.Select(member => (Action)(() =>
                {
                    Name(text, member.Key);
                    Write(text, member.Value, depth + 1);
                })));
                break;
            case JsonArray items:
                Block(text, depth, '[', ']', items.Select(item => (Action)(() => Write(text, item, depth + 1))));
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                String(text, value.GetValue<string>());
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }
    }

    /// <summary>Appends a name and its colon.</summary>
    public void Name(StringBuilder text, string name)
    {
        String(text, name);
        text.Append(Colon);
    }

    /// <summary>Appends a string. Only what JSON requires is escaped, and non-ASCII where the file does so.</summary>
    public void String(StringBuilder text, string value)
    {
        text.Append('"');
        for (int i = 0; i < value.Length; i++)
        {
            char c = value[i];
            bool pair = char.IsHighSurrogate(c) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]);
            switch (c)
            {
                case '"' or '\\':
                    text.Append('\\').Append(c);
                    break;
                case '\n':
                    text.Append("\\n");
                    break;
                case '\r':
                    text.Append("\\r");
                    break;
                case '\t':
                    text.Append("\\t");
                    break;
                case '\b':
                    text.Append("\\b");
                    break;
                case '\f':
                    text.Append("\\f");
                    break;
                case < ' ':
                case >= '\u007f' when EscapeNonAscii && c != '\u007f':
                case >= '\ud800' and <= '\udfff' when !pair:
                    text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                    if (pair)
                    {
                        text.Append("\\u").Append(((int)value[++i]).ToString("x4", CultureInfo.InvariantCulture));
                    }

                    break;
                default:
                    text.Append(c);
                    if (pair)
                    {
                        text.Append(value[++i]);
                    }

                    break;
            }
        }

        text.Append('"');
    }

    // The text between a name's closing quote and its value.
    private static string Between(JsonMember member)
    {
        ReadOnlySpan<byte> name = member.Value.File.Bytes.AsSpan(member.NameStart, member.Value.Start - member.NameStart);
        string after = Encoding.UTF8.GetString(name[(name.LastIndexOf((byte)'"') + 1)..]);
        return after.Contains('\n') ? ": " : after;
    }

    private static string Separator(JsonSlice before, JsonMember next) =>
        Encoding.UTF8.GetString(before.File.Bytes.AsSpan(before.End, next.NameStart - before.End));
}
