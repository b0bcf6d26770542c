using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Display;

namespace PaperLab.Tests.Display;

public sealed class CardAndNoteTests
{
    private static PaperCard Card(string arXivId) => new()
    {
        Title = "Autonomy-of-Experts Models",
        Authors = "Lv et al.",
        ArXivId = arXivId,
        Claim = "Experts that choose themselves beat a router.",
        Notebook = "Trains both at a small scale.",
        Times = [("smoke", "45 s on 2 cores")],
    };

    [Fact]
    public void A_card_links_to_its_paper_and_tells_the_time_of_each_preset()
    {
        string html = Card("2501.13074").ToHtml();

        Assert.Contains("href=\"https://arxiv.org/abs/2501.13074\"", html);
        Assert.Contains("smoke: 45 s on 2 cores", html);
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
    public void Cards_and_notes_show_themselves_as_html_and_text_through_the_notebook_formatter()
    {
        Assert.Equal(Card("2501.13074").ToHtml(), Card("2501.13074").ToDisplayString("text/html"));
        Assert.Equal(Card("2501.13074").ToString(), Card("2501.13074").ToDisplayString("text/plain"));
        Assert.Equal(Note.Info("x").ToHtml(), Note.Info("x").ToDisplayString("text/html"));
        Assert.Equal(Note.Info("x").ToString(), Note.Info("x").ToDisplayString("text/plain"));
    }
}
