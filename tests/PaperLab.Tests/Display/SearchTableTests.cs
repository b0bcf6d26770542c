using PaperLab.Display;
using PaperLab.Preference;

namespace PaperLab.Tests.Display;

public sealed class SearchTableTests
{
    private static readonly ScoredSample s_a = new(0, "plain <b>", 1, SearchCost.None), s_b = new(0, "better", 2.5, SearchCost.None), s_c = new(1, "best", 4, SearchCost.None), s_d = new(2, "last", 3, SearchCost.None);

    private static readonly SearchTrace s_trace = new(
        new Query("q"), [s_a, s_b, s_c, s_d], [new SearchStep(1, s_b, s_a, " warmth more", " add warmth"), new SearchStep(2, s_c, s_a, null, null)], [SearchCost.None], null);

    [Fact]
    public void A_search_reads_in_the_order_in_which_it_went()
    {
        Assert.Equal(
            """
            T
            0 answer: plain <b> (score 1.00, gold 7)
            0 answer: better (score 2.50, gold 8)
            1 best so far: better (score 2.50, gold 8)
            1 worst so far: plain <b> (score 1.00, gold 7)
            1 critique: warmth more
            1 instruction: add warmth
            1 answer: best (score 4.00, gold 9.5)
            2 best so far: best (score 4.00, gold 9.5)
            2 worst so far: plain <b> (score 1.00, gold 7)
            2 answer: last (score 3.00, gold 1)
            """.ReplaceLineEndings("\n"),
            SearchTable.Of("T", SearchExample.Of(s_trace, "warmth", text => text switch { "plain <b>" => 7, "better" => 8, "best" => 9.5, _ => 1 })).ToString());
    }

    [Fact]
    public void It_can_end_early_and_do_without_gold_and_its_texts_are_no_markup()
    {
        SearchTable table = SearchTable.Of("T", SearchExample.Of(s_trace), iterations: 1);

        Assert.DoesNotContain("last", table.ToString());
        Assert.DoesNotContain("gold", table.ToHtml());
        Assert.Contains("plain &lt;b&gt;", table.ToHtml());
        Assert.Contains("<i>add warmth</i>", table.ToHtml());
    }
}
