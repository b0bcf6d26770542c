// Formulas in markdown: $…$ and $$…$$ inside a line, $$ blocks and \begin{…} environments on lines of their own.

using Markdig;
using Markdig.Helpers;
using Markdig.Parsers;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using PaperLab.Notebooks.Pages.Maths;

namespace PaperLab.Notebooks.Pages;

/// <summary>A formula inside a paragraph.</summary>
internal sealed class TexInline(string tex, bool display) : LeafInline
{
    public string Tex => tex;

    public bool Display => display;
}

/// <summary>A displayed formula that stands by itself.</summary>
internal sealed class TexBlock(BlockParser parser, string closing) : LeafBlock(parser)
{
    /// <summary>What ends the formula: <c>$$</c> or <c>\end{…}</c>.</summary>
    public string Closing => closing;

    public bool Closed { get; set; }

    public List<string> TexLines { get; } = [];

    public string Tex => string.Join('\n', TexLines);
}

internal sealed class TexMarkdown(Action<string> warn) : IMarkdownExtension
{
    public void Setup(MarkdownPipelineBuilder pipeline)
    {
        pipeline.BlockParsers.Insert(0, new TexBlockParser());
        pipeline.InlineParsers.Insert(0, new TexInlineParser());
    }

    public void Setup(MarkdownPipeline pipeline, IMarkdownRenderer renderer)
    {
        renderer.ObjectRenderers.Insert(0, new TexInlineRenderer(warn));
        renderer.ObjectRenderers.Insert(0, new TexBlockRenderer(warn));
    }
}

/// <summary>
/// Dollars that enclose a formula, told apart from money: no space just inside, no digit after the closing one, no code between
/// ("between $5 and $6" and "$HOME or `$PATH`" are prose).
/// </summary>
internal sealed class TexInlineParser : InlineParser
{
    public TexInlineParser() => OpeningCharacters = ['$'];

    public override bool Match(InlineProcessor processor, ref StringSlice slice)
    {
        string text = slice.Text;
        int start = slice.Start, last = slice.End;
        bool display = start < last && text[start + 1] == '$';
        int open = start + (display ? 2 : 1);
        int close = display ? FindDisplayEnd(text, open, last) : FindInlineEnd(text, open, last);
        if (close < 0)
            return false;
        processor.Inline = new TexInline(text[open..close], display);
        slice.Start = close + (display ? 2 : 1);
        return true;
    }

    private static int FindDisplayEnd(string text, int open, int last)
    {
        for (int i = open; i < last; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '$' && text[i + 1] == '$')
                return string.IsNullOrWhiteSpace(text[open..i]) ? -1 : i;
        }
        return -1;
    }

    private static int FindInlineEnd(string text, int open, int last)
    {
        if (open > last || char.IsWhiteSpace(text[open]) || text[open] == '$')
            return -1;
        for (int i = open; i <= last && text[i] != '`'; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '$' && !char.IsWhiteSpace(text[i - 1]) && !(i < last && char.IsAsciiDigit(text[i + 1])))
                return i;
        }
        return -1;
    }
}

/// <summary>A line that starts with $$ (and does not go on in prose after its end) or with \begin{…}.</summary>
internal sealed class TexBlockParser : BlockParser
{
    public TexBlockParser() => OpeningCharacters = ['$', '\\'];

    public override BlockState TryOpen(BlockProcessor processor)
    {
        if (processor.IsCodeIndent)
            return BlockState.None;
        string line = processor.Line.ToString().TrimEnd();
        TexBlock block;
        if (line.StartsWith("$$", StringComparison.Ordinal))
        {
            int end = line.IndexOf("$$", 2, StringComparison.Ordinal);
            if (end >= 0 && (end + 2 < line.Length || end == 2))
                return BlockState.None;
            block = new TexBlock(this, "$$");
            line = line[2..];
        }
        else if (line.StartsWith("\\begin{", StringComparison.Ordinal) && line.IndexOf('}') is var brace and > 0)
            block = new TexBlock(this, "\\end" + line["\\begin".Length..(brace + 1)]);
        else
            return BlockState.None;

        block.Column = processor.Column;
        block.Line = processor.LineIndex;
        processor.NewBlocks.Push(block);
        return Append(block, line);
    }

    public override BlockState TryContinue(BlockProcessor processor, Block block) =>
        Append((TexBlock)block, processor.Line.ToString().TrimEnd());

    private static BlockState Append(TexBlock block, string line)
    {
        block.Closed = line.EndsWith(block.Closing, StringComparison.Ordinal);
        if (block.Closed && block.Closing == "$$")
            line = line[..^2];
        block.TexLines.Add(line);
        return block.Closed ? BlockState.BreakDiscard : BlockState.ContinueDiscard;
    }
}

internal sealed class TexInlineRenderer(Action<string> warn) : HtmlObjectRenderer<TexInline>
{
    protected override void Write(HtmlRenderer renderer, TexInline formula) =>
        renderer.Write(Equation.ToHtml(formula.Tex, formula.Display, warn));
}

internal sealed class TexBlockRenderer(Action<string> warn) : HtmlObjectRenderer<TexBlock>
{
    protected override void Write(HtmlRenderer renderer, TexBlock formula)
    {
        if (!formula.Closed)
            warn($"a formula that starts on a line of its own has no {formula.Closing} after it: it takes the rest of its cell");
        renderer.WriteLine($"<div class=\"equation\">{Equation.ToHtml(formula.Tex, display: true, warn)}</div>");
    }
}

internal static class Equation
{
    /// <summary>The formula, with the number that its <c>\tag</c> gave it.</summary>
    public static string ToHtml(string tex, bool display, Action<string> warn)
    {
        MathMl math = TexToMathMl.Convert(tex, display, warn);
        return math.Tag is null ? math.Html : $"{math.Html}<span class=\"tag\">({Html.Escape(math.Tag)})</span>";
    }
}
