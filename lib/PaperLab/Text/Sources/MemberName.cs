// Documentation identifiers ("M:System.Collections.BitArray.And(System.Collections.BitArray)") as a reader would write them.

using System.Text.RegularExpressions;

namespace PaperLab.Text.Sources;

/// <summary>Reads documentation identifiers.</summary>
internal static partial class MemberName
{
    /// <summary>The full name of the type that the member belongs to, with its arity: <c>System.Collections.BitArray</c>.</summary>
    public static string TypeOf(string id)
    {
        string name = NameOf(id);
        return id[0] == 'T' || !name.Contains('.') ? name : name[..name.LastIndexOf('.')];
    }

    /// <summary>A heading: <c>System.Collections.BitArray</c> for a type, <c>BitArray.And(BitArray)</c> for a member.</summary>
    public static string Readable(string id) => id[0] == 'T' ? Arity().Replace(id[2..], "") : Short(id);

    /// <summary>The last part of a type's name, the last two of a member's, with short parameter types.</summary>
    public static string Short(string id)
    {
        if (id.Length < 3 || id[1] != ':')
        {
            return id;
        }

        string name = NameOf(id);
        string arguments = id[(2 + name.Length)..];
        string[] parts = Arity().Replace(name, "").Split('.');
        string last = parts[^1].Replace('#', '.');
        string readable = (id[0], parts.Length) switch
        {
            ('T' or 'N' or '!' or 'X', _) or (_, 1) => last,
            _ when last is ".ctor" or ".cctor" => "new " + parts[^2],
            _ => $"{parts[^2]}.{last}",
        };
        arguments = Arity().Replace(Qualifier().Replace(arguments, ""), "T").Replace(",", ", ").Replace('{', '<').Replace('}', '>').Replace("@", "");
        return readable + arguments.Split('~')[0];
    }

    // Without the kind, the parameters and a conversion's result type.
    private static string NameOf(string id)
    {
        int end = id.AsSpan(2).IndexOfAny('(', '~');
        return end < 0 ? id[2..] : id.Substring(2, end);
    }

    [GeneratedRegex(@"`+\d+")]
    private static partial Regex Arity();

    [GeneratedRegex(@"(?:\w+\.)+")]
    private static partial Regex Qualifier();
}
