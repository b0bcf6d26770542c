// Unicode's composed canonical form (NFC, Unicode Standard Annex 15). The programs here run with InvariantGlobalization, so that they
// need no ICU and behave alike everywhere; string.Normalize then returns its text unchanged, and a tokenizer that asks for NFC would
// give wrong ids for decomposed letters and for Arabic vowel signs.

using System.Globalization;
using System.Reflection;
using System.Text;

namespace PaperLab.Text;

/// <summary>Canonically equivalent texts as one text.</summary>
internal static class CanonicalForm
{
    // Every character below is its own NFC and combines with nothing before it.
    private const char FirstThatMatters = '\u0300';

    // Hangul syllables are arithmetic: leading consonant, vowel, trailing consonant (Unicode Standard, section 3.12).
    private const int SBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, LCount = 19, VCount = 21, TCount = 28, SCount = LCount * VCount * TCount;

    private static readonly Tables s_tables = ReadTables();

    /// <summary>NFC of valid UTF-16; the same string where it is in that form by plain sight.</summary>
    public static string Compose(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange(FirstThatMatters, char.MaxValue))
        {
            return text;
        }

        var scalars = new List<int>(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, scalars);
        }

        Order(scalars);
        var composed = new StringBuilder(text.Length);
        foreach (int scalar in Composed(scalars))
        {
            composed.Append(new Rune(scalar));
        }

        return composed.ToString();
    }

    private static void Decompose(int scalar, List<int> into)
    {
        if (scalar is >= SBase and < SBase + SCount)
        {
            int index = scalar - SBase;
            into.Add(LBase + (index / (VCount * TCount)));
            into.Add(VBase + (index % (VCount * TCount) / TCount));
            if (index % TCount != 0)
            {
                into.Add(TBase + (index % TCount));
            }
        }
        else if (s_tables.Parts.TryGetValue(scalar, out int[]? parts))
        {
            Array.ForEach(parts, part => Decompose(part, into));
        }
        else
        {
            into.Add(scalar);
        }
    }

    // Marks that follow a base come in the order of their classes; those of one class keep theirs.
    private static void Order(List<int> scalars)
    {
        for (int i = 1; i < scalars.Count; i++)
        {
            int kind = ClassOf(scalars[i]);
            for (int j = i; kind != 0 && j > 0 && ClassOf(scalars[j - 1]) > kind; j--)
            {
                (scalars[j - 1], scalars[j]) = (scalars[j], scalars[j - 1]);
            }
        }
    }

    // A character joins the last starter unless a mark of its class or a higher one stands between them.
    private static List<int> Composed(List<int> scalars)
    {
        var result = new List<int>(scalars.Count);
        int starter = -1, lastClass = 0;
        foreach (int scalar in scalars)
        {
            int kind = ClassOf(scalar);
            bool blocked = result.Count - 1 > starter && lastClass >= kind;
            if (starter >= 0 && !blocked && Pair(result[starter], scalar) is { } composite)
            {
                result[starter] = composite;
                continue;
            }

            if (kind == 0)
            {
                starter = result.Count;
            }

            lastClass = kind;
            result.Add(scalar);
        }

        return result;
    }

    private static int? Pair(int first, int second)
    {
        if (first is >= LBase and < LBase + LCount && second is >= VBase and < VBase + VCount)
        {
            return SBase + ((((first - LBase) * VCount) + (second - VBase)) * TCount);
        }

        if (first is >= SBase and < SBase + SCount && (first - SBase) % TCount == 0 && second is > TBase and < TBase + TCount)
        {
            return first + (second - TBase);
        }

        return s_tables.Composites.TryGetValue((first, second), out int composite) ? composite : null;
    }

    private static byte ClassOf(int scalar) => s_tables.Classes.GetValueOrDefault(scalar);

    private static Tables ReadTables()
    {
        var tables = new Tables([], [], []);
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("canonical.txt")!);
        while (reader.ReadLine() is { } line)
        {
            string[] fields = line.Split(' ');
            int Hex(int field) => int.Parse(fields[field], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (fields[0] == "D")
            {
                int[] parts = [.. Enumerable.Range(3, fields.Length - 3).Select(Hex)];
                tables.Parts.Add(Hex(1), parts);
                if (fields[2] == "=")
                {
                    tables.Composites.Add((parts[0], parts[1]), Hex(1));
                }
            }
            else if (fields[0] == "C")
            {
                for (int scalar = Hex(1); scalar <= Hex(2); scalar++)
                {
                    tables.Classes.Add(scalar, byte.Parse(fields[3], CultureInfo.InvariantCulture));
                }
            }
        }

        return tables;
    }

    private sealed record Tables(Dictionary<int, int[]> Parts, Dictionary<(int, int), int> Composites, Dictionary<int, byte> Classes);
}
