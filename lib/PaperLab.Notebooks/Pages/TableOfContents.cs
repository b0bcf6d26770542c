// The headings of a page: unique anchors and the list that links to them.

using System.Text;

namespace PaperLab.Notebooks.Pages;

/// <summary>A heading: level 1–6, anchor, its text as markup for the list and as plain text for the title.</summary>
internal sealed record PageHeading(int Level, string Id, string Html, string Text);

internal sealed class TableOfContents
{
    private const int DeepestListed = 3;
    private readonly List<PageHeading> _headings = [];
    private readonly HashSet<string> _ids = [];

    /// <summary>The text of the first heading; null where there is none.</summary>
    public string? Title => _headings.FirstOrDefault()?.Text;

    /// <summary>Adds a heading and answers its anchor, unique in the page.</summary>
    public string Add(int level, string html, string text)
    {
        string slug = Slug(text);
        string id = slug;
        for (int n = 1; !_ids.Add(id); n++)
            id = $"{slug}-{n}";
        _headings.Add(new PageHeading(level, id, html, text));
        return id;
    }

    /// <summary>The list, without the title itself; empty where it would say nothing.</summary>
    public string ToHtml()
    {
        bool titled = _headings.Count > 0 && _headings.Count(heading => heading.Level == _headings[0].Level) == 1;
        PageHeading[] listed = [.. _headings.Skip(titled ? 1 : 0).Where(heading => heading.Level <= DeepestListed)];
        if (listed.Length < 2)
            return "";
        int top = listed.Min(heading => heading.Level);
        IEnumerable<string> items = listed.Select(heading =>
            $"<li class=\"depth-{heading.Level - top}\" dir=\"auto\"><a href=\"#{Html.Escape(heading.Id)}\">{heading.Html}</a></li>");
        return $"<nav class=\"contents\" aria-label=\"Contents\"><ol>\n{string.Join('\n', items)}\n</ol></nav>\n";
    }

    /// <summary>Lower case, spaces to hyphens, punctuation dropped: the anchors that GitHub makes.</summary>
    private static string Slug(string text)
    {
        var slug = new StringBuilder();
        foreach (Rune rune in text.Trim().ToLowerInvariant().EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '_')
                slug.Append(rune.ToString());
            else if (Rune.IsWhiteSpace(rune))
                slug.Append('-');
        }
        return slug.Length == 0 ? "section" : slug.ToString();
    }
}
