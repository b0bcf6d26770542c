// The way in: one TeX formula to one <math> element, with its source kept as an annotation for copying and search.

using System.Xml.Linq;

namespace PaperLab.Notebooks.Pages.Maths;

/// <summary>A formula ready for a page. <paramref name="Tag"/> is the number that <c>\tag{…}</c> gave it.</summary>
public sealed record MathMl(string Html, string? Tag);

public static class TexToMathMl
{
    /// <summary>
    /// Converts a formula (without its dollar signs) to MathML that browsers set natively. An unknown command stays visible as text;
    /// a formula that cannot be read stays visible as its source. Either is told to <paramref name="warn"/>.
    /// </summary>
    public static MathMl Convert(string tex, bool display, Action<string> warn)
    {
        string source = Printable(tex.Trim());
        try
        {
            var parser = new TexParser(source, warn);
            XElement formula = parser.ParseFormula();
            var math = new XElement("math",
                new XAttribute("dir", "ltr"),
                new XAttribute("display", display ? "block" : "inline"),
                new XElement("semantics",
                    formula.Name == "mrow" ? formula : new XElement("mrow", formula),
                    new XElement("annotation", new XAttribute("encoding", "application/x-tex"), source)));
            return new MathMl(math.ToString(SaveOptions.DisableFormatting), parser.Tag);
        }
        catch (TexSyntaxException error)
        {
            warn($"a formula is shown as its source because {error.Message}: {source}");
            var code = new XElement("code", new XAttribute("class", "tex-error"), new XAttribute("title", error.Message), source);
            return new MathMl(code.ToString(SaveOptions.DisableFormatting), null);
        }
    }

    /// <summary>XML has no place for control characters, lone surrogates and the two non-characters that end the first plane.</summary>
    private static string Printable(string text) =>
        string.Concat(text.EnumerateRunes().Select(rune =>
            rune.Value is '\n' or '\t' || (rune.Value >= ' ' && rune.Value is not (0xFFFE or 0xFFFF)) ? rune.ToString() : " "));
}
