// Text as a terminal would leave it: carriage returns and backspaces overwrite, ANSI colours become spans, the rest of
// the escapes vanish. Everything is escaped: markup in the text stays text.

using System.Globalization;
using System.Text;

namespace PaperLab.Notebooks.Pages;

public sealed class TerminalText
{
    private readonly StringBuilder _html = new();
    private readonly List<(Rune Rune, Style Style)> _line = [];
    private int _column;
    private Style _style;

    private TerminalText()
    {
    }

    /// <summary>How a character looks. A colour is what CSS calls it; null is the default.</summary>
    private readonly record struct Style(string? Foreground, string? Background, bool Bold, bool Faint, bool Italic, bool Underline, bool Inverse);

    /// <summary>The text as HTML for a <c>pre</c> element.</summary>
    public static string ToHtml(string text)
    {
        var terminal = new TerminalText();
        terminal.Read(text);
        terminal.EndLine();
        return terminal._html.ToString();
    }

    private void Read(string text)
    {
        for (int i = 0; i < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(i), out Rune rune, out int length);
            i += length;
            switch (rune.Value)
            {
                case '\n':
                    EndLine();
                    _html.Append('\n');
                    break;
                case '\r':
                    _column = 0;
                    break;
                case '\b':
                    _column = Math.Max(0, _column - 1);
                    break;
                case '\e':
                    i = ReadEscape(text, i);
                    break;
                case '\t' or >= ' ' and not 0x7F:
                    Put(rune);
                    break;
            }
        }
    }

    private void Put(Rune rune)
    {
        if (_column < _line.Count)
            _line[_column] = (rune, _style);
        else
            _line.Add((rune, _style));
        _column++;
    }

    private void EndLine()
    {
        Style current = default;
        var run = new StringBuilder();
        foreach ((Rune rune, Style style) in _line)
        {
            if (style != current)
            {
                AppendRun(run, current);
                current = style;
            }
            run.Append(rune.ToString());
        }
        AppendRun(run, current);
        _line.Clear();
        _column = 0;
    }

    private void AppendRun(StringBuilder run, Style style)
    {
        if (run.Length == 0)
            return;
        string text = Html.Escape(run.ToString());
        run.Clear();
        _html.Append(style == default ? text : $"<span{Attributes(style)}>{text}</span>");
    }

    private static string Attributes(Style style)
    {
        (string? foreground, string? background) = style.Inverse
            ? (style.Background ?? "var(--surface)", style.Foreground ?? "var(--text)")
            : (style.Foreground, style.Background);
        IEnumerable<string?> declarations =
        [
            foreground is null ? null : "color:" + foreground,
            background is null ? null : "background:" + background,
            style.Bold ? "font-weight:bold" : null,
            style.Faint ? "opacity:.65" : null,
            style.Italic ? "font-style:italic" : null,
            style.Underline ? "text-decoration:underline" : null,
        ];
        return $" style=\"{string.Join(';', declarations.Where(declaration => declaration is not null))}\"";
    }

    /// <summary>Reads the escape that starts after ESC at <paramref name="start"/>; answers where the text goes on.</summary>
    private int ReadEscape(string text, int start)
    {
        if (start >= text.Length)
            return start;
        if (text[start] == ']') // a title or a link, up to BEL or ESC \
        {
            int bell = text.IndexOf('\a', start), terminator = text.IndexOf("\e\\", start, StringComparison.Ordinal);
            return bell >= 0 && (terminator < 0 || bell < terminator) ? bell + 1 : terminator >= 0 ? terminator + 2 : text.Length;
        }
        if (text[start] != '[')
            return start + 1;

        int end = start + 1;
        while (end < text.Length && text[end] is >= ' ' and < '@')
            end++;
        if (end >= text.Length)
            return text.Length;
        string parameters = text[(start + 1)..end];
        if (text[end] == 'm')
            SetStyle(parameters);
        else if (text[end] == 'K')
            EraseInLine(parameters);
        return end + 1;
    }

    private void EraseInLine(string parameters)
    {
        if (parameters == "2")
            _line.Clear();
        else if (parameters is "" or "0" && _column < _line.Count)
            _line.RemoveRange(_column, _line.Count - _column);
        while (_line.Count < _column)
            _line.Add((new Rune(' '), default));
    }

    private void SetStyle(string parameters)
    {
        int[] codes = [.. parameters.Split(';', ':').Select(code => int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : 0)];
        for (int i = 0; i < codes.Length; i++)
        {
            int code = codes[i];
            if (code is 38 or 48)
            {
                string? colour = ExtendedColour(codes, ref i);
                _style = code == 38 ? _style with { Foreground = colour } : _style with { Background = colour };
                continue;
            }
            _style = code switch
            {
                0 => default,
                1 => _style with { Bold = true },
                2 => _style with { Faint = true },
                3 => _style with { Italic = true },
                4 => _style with { Underline = true },
                7 => _style with { Inverse = true },
                22 => _style with { Bold = false, Faint = false },
                23 => _style with { Italic = false },
                24 => _style with { Underline = false },
                27 => _style with { Inverse = false },
                >= 30 and <= 37 => _style with { Foreground = Named(code - 30) },
                39 => _style with { Foreground = null },
                >= 40 and <= 47 => _style with { Background = Named(code - 40) },
                49 => _style with { Background = null },
                >= 90 and <= 97 => _style with { Foreground = Named(code - 90 + 8) },
                >= 100 and <= 107 => _style with { Background = Named(code - 100 + 8) },
                _ => _style,
            };
        }
    }

    /// <summary>The sixteen named colours follow the page's theme.</summary>
    private static string Named(int index) => $"var(--ansi-{index})";

    /// <summary>38;5;N is one of 256 colours, 38;2;R;G;B a colour by its parts.</summary>
    private static string? ExtendedColour(int[] codes, ref int i)
    {
        if (i + 2 < codes.Length && codes[i + 1] == 5)
        {
            i += 2;
            return Indexed(codes[i]);
        }
        if (i + 4 < codes.Length && codes[i + 1] == 2)
        {
            i += 4;
            return $"rgb({Byte(codes[i - 2])},{Byte(codes[i - 1])},{Byte(codes[i])})";
        }
        i = codes.Length;
        return null;
    }

    private static int Byte(int value) => Math.Min(value, 255);

    private static string? Indexed(int index)
    {
        if (index is < 0 or > 255)
            return null;
        if (index < 16)
            return Named(index);
        if (index >= 232)
        {
            int grey = 8 + (index - 232) * 10;
            return $"rgb({grey},{grey},{grey})";
        }
        int cube = index - 16;
        return $"rgb({Level(cube / 36)},{Level(cube / 6 % 6)},{Level(cube % 6)})";

        static int Level(int step) => step == 0 ? 0 : 55 + step * 40;
    }
}
