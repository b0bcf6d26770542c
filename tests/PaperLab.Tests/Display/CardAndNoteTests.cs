using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Display;

namespace PaperLab.Tests.Display;

public sealed class CardAndNoteTests
{
    private static PaperCard Card(string arXivId) => new()
    {
        Title = "Autonomy-of-Experts Models",
        Authors = ["A. Lv", "R. Xie"],
        ArXivId = arXivId,
        WhatIsNew = ["Routers choose blindly.", "Here experts choose themselves.", "They beat a router."],
        Notebook = "Trains both at a small scale.",
    };

    [Fact]
    public void A_card_links_to_its_paper_names_its_authors_and_makes_the_entry_for_a_bibliography()
    {
        PaperCard card = Card("2501.13074");
        string html = card.ToHtml();

        Assert.Contains("href=\"https://arxiv.org/abs/2501.13074\"", html);
        Assert.Contains("A. Lv, R. Xie", html);
        Assert.Contains("Here experts choose themselves.", html);
        Assert.StartsWith("@misc{lv2025autonomy,", card.BibTeX);
        Assert.Contains("author        = {A. Lv and R. Xie},", card.BibTeX);
        Assert.Contains("eprint        = {2501.13074},", html.Replace("<br/>", "\n"));
        Assert.Equal(card.BibTeX.Count(c => c == '{'), card.BibTeX.Count(c => c == '}'));
    }

    [Fact]
    public void What_is_new_takes_three_sentences_and_a_paper_has_authors()
    {
        Assert.Contains("there are 1", Assert.Throws<ArgumentException>(() => new PaperCard { Title = "T", Authors = ["A"], ArXivId = "2501.13074", WhatIsNew = ["one"], Notebook = "N" }).Message);
        Assert.Contains("authors", Assert.Throws<ArgumentException>(() => new PaperCard { Title = "T", Authors = [], ArXivId = "2501.13074", WhatIsNew = ["1", "2", "3"], Notebook = "N" }).Message);
    }

    [Fact]
    public void An_arXiv_id_of_another_form_is_refused()
    {
        Assert.Contains("\"arXiv:2501\" is not an arXiv id", Assert.Throws<ArgumentException>(() => Card("arXiv:2501")).Message);
    }

    [Fact]
    public void A_note_says_in_words_what_kind_it_is()
    {
        Assert.Equal("Warning: one seed", Note.Warning("one seed").ToString());
        Assert.StartsWith("Loaded from recorded runs, not computed here", Note.Recorded("2 × H200").ToString());
        Assert.Contains("&lt;i&gt;", Note.Info("<i>").ToHtml());
    }

    [Fact]
    public void A_stack_shows_its_views_from_the_top()
    {
        Stack stack = Stack.Of(Note.Info("first"), Card("2501.13074"), Note.Warning("last"));

        Assert.Equal($"{Note.Info("first").ToHtml()}\n{Card("2501.13074").ToHtml()}\n{Note.Warning("last").ToHtml()}", stack.ToDisplayString("text/html"));
        Assert.Equal($"Note: first\n\n{Card("2501.13074").ToString().TrimEnd()}\n\nWarning: last", stack.ToDisplayString("text/plain"));
    }

    [Fact]
    public void Cards_and_notes_show_themselves_as_html_and_text_through_the_notebook_formatter()
    {
        Assert.Equal(Card("2501.13074").ToHtml(), Card("2501.13074").ToDisplayString("text/html"));
        Assert.Equal(Card("2501.13074").ToString(), Card("2501.13074").ToDisplayString("text/plain"));
        Assert.Equal(Note.Info("x").ToHtml(), Note.Info("x").ToDisplayString("text/html"));
        Assert.Equal(Note.Info("x").ToString(), Note.Info("x").ToDisplayString("text/plain"));
    }
}
