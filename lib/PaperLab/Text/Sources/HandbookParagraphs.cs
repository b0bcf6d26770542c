// The Debian Administrator's Handbook: pages in XHTML, made of one DocBook source, so that the paragraphs of a page have the same order in
// every language. What nobody translated stands there in English; only its references to other sections are Arabic, and do not count.
//
// Of a paragraph the words are kept, also those marked as commands and files, which are part of its sentences. Lists, listings and links
// that stand in it as blocks are left out: their paragraphs come by themselves, and the rest is no language.

using System.Xml;
using System.Xml.Linq;

namespace PaperLab.Text.Sources;

/// <summary>The pages of the handbook.</summary>
internal static class HandbookParagraphs
{
    private const string Folder = "usr/share/doc/debian-handbook/html/";
    private const string English = Folder + "en-US/", Arabic = Folder + "ar-MA/";

    private static readonly HashSet<string> s_blocks = ["div", "p", "pre", "ul", "ol", "dl", "table"];

    /// <summary>Whether a file of the package is a page.</summary>
    public static bool IsWanted(string path) =>
        (path.StartsWith(English, StringComparison.Ordinal) || path.StartsWith(Arabic, StringComparison.Ordinal)) && path.EndsWith(".html", StringComparison.Ordinal);

    /// <summary>The translated paragraphs, page by page.</summary>
    /// <exception cref="InvalidDataException">A page is damaged, or is not the translation of the other; the message names it.</exception>
    public static IReadOnlyList<ParallelPair> Pairs(IReadOnlyDictionary<string, byte[]> files)
    {
        var pairs = new List<ParallelPair>();
        foreach (string path in files.Keys.Where(path => path.StartsWith(English, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            string page = path[English.Length..];
            XElement[] english = Paragraphs(files, path), arabic = Paragraphs(files, Arabic + page);
            if (english.Length != arabic.Length)
            {
                throw new InvalidDataException($"{page} has {english.Length} paragraphs in English and {arabic.Length} in Arabic; a translation has as many.");
            }

            for (int i = 0; i < english.Length; i++)
            {
                string text = ParallelText.Tidy(TextOf(english[i], references: true));
                if (text.Length > 0 && ParallelText.IsArabic(TextOf(arabic[i], references: false)))
                {
                    pairs.Add(new ParallelPair(text, ParallelText.Tidy(TextOf(arabic[i], references: true)), $"debian-handbook/{page}/{i + 1}"));
                }
            }
        }

        return pairs;
    }

    private static XElement[] Paragraphs(IReadOnlyDictionary<string, byte[]> files, string path)
    {
        using var stream = new MemoryStream(ParallelText.FileOf(files, path));
        using var reader = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
        try
        {
            return [.. XDocument.Load(reader).Descendants().Where(element => element.Name.LocalName == "div" && ClassOf(element) == "para")];
        }
        catch (XmlException error)
        {
            throw new InvalidDataException($"{path} is no XHTML: {error.Message}", error);
        }
    }

    private static string TextOf(XElement element, bool references) => string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement block when s_blocks.Contains(block.Name.LocalName) => " ",
        XElement reference when !references && ClassOf(reference) == "xref" => "",
        XElement inline => TextOf(inline, references),
        _ => "",
    }));

    private static string? ClassOf(XElement element) => element.Attribute("class")?.Value;
}
