// Splits TeX maths into tokens on demand; text groups (\text{…}) are read raw, so the parser drives the position.

using System.Text;

namespace PaperLab.Notebooks.Pages.Maths;

internal enum TexKind
{
    Command,
    Char,
    Open,
    Close,
    Sup,
    Sub,
    Align,
    NewRow,
    End,
}

/// <summary>One token. <paramref name="Text"/> is the command's name without its backslash, or the character itself.</summary>
internal readonly record struct TexToken(TexKind Kind, string Text)
{
    public bool Is(TexKind kind, string text) => Kind == kind && Text == text;
}

/// <summary>The formula cannot be read; the message says what was expected and where.</summary>
internal sealed class TexSyntaxException(string message) : Exception(message);

internal sealed class TexLexer(string source)
{
    private int _position;

    public TexToken Peek()
    {
        int start = _position;
        TexToken token = Next();
        _position = start;
        return token;
    }

    public TexToken Next()
    {
        SkipSpaceAndComments();
        if (_position >= source.Length)
            return new TexToken(TexKind.End, "");

        char first = source[_position];
        TexKind? special = first switch
        {
            '{' => TexKind.Open,
            '}' => TexKind.Close,
            '^' => TexKind.Sup,
            '_' => TexKind.Sub,
            '&' => TexKind.Align,
            _ => null,
        };
        if (special is { } kind)
        {
            _position++;
            return new TexToken(kind, first.ToString());
        }
        return first == '\\' ? ReadCommand() : new TexToken(TexKind.Char, ReadRune());
    }

    /// <summary>The source between <c>{</c> and its <c>}</c>, or a single character where there are no braces.</summary>
    public string ReadRawGroup(string owner)
    {
        SkipSpaceAndComments();
        if (_position >= source.Length)
            throw new TexSyntaxException($"{owner} is missing its argument at the end of the formula");
        if (source[_position] != '{')
            return ReadRune();

        int start = ++_position;
        for (int depth = 1; _position < source.Length; _position++)
        {
            char c = source[_position];
            if (c == '\\')
                _position++;
            else if (c == '{')
                depth++;
            else if (c == '}' && --depth == 0)
                return source[start.._position++];
        }
        throw new TexSyntaxException($"the {{ after {owner} is never closed");
    }

    /// <summary>The source between <c>[</c> and <c>]</c> if a bracket comes next, otherwise null.</summary>
    public string? ReadOptional()
    {
        SkipSpaceAndComments();
        if (_position >= source.Length || source[_position] != '[')
            return null;
        int end = source.IndexOf(']', _position);
        if (end < 0)
            throw new TexSyntaxException("an optional argument opened with [ is never closed");
        string text = source[(_position + 1)..end];
        _position = end + 1;
        return text;
    }

    private TexToken ReadCommand()
    {
        int start = ++_position;
        while (_position < source.Length && char.IsAsciiLetter(source[_position]))
            _position++;
        if (_position > start)
            return new TexToken(TexKind.Command, source[start.._position]);
        if (_position >= source.Length)
            throw new TexSyntaxException("the formula ends with a lone backslash");
        string symbol = ReadRune();
        return symbol == "\\" ? new TexToken(TexKind.NewRow, symbol) : new TexToken(TexKind.Command, symbol);
    }

    private string ReadRune()
    {
        Rune.DecodeFromUtf16(source.AsSpan(_position), out Rune rune, out int length); // a lone surrogate reads as U+FFFD
        _position += length;
        return rune.ToString();
    }

    private void SkipSpaceAndComments()
    {
        for (; _position < source.Length; _position++)
        {
            char c = source[_position];
            if (c == '%')
            {
                int newline = source.IndexOf('\n', _position);
                _position = newline < 0 ? source.Length - 1 : newline;
            }
            else if (!char.IsWhiteSpace(c) && !char.IsControl(c))
                return;
        }
    }
}
