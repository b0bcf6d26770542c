using Microsoft.Data.Analysis;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Display;

namespace PaperLab.Tests.Display;

public sealed class TableTests
{
    private static readonly Run[] s_runs = [new("AoE", 1, 2.34567, 12_345), new("MoE <b>", 2, double.NaN, 9)];

    [Fact]
    public void Arabic_reads_from_the_right_and_nothing_else_does()
    {
        string html = Table.Of([new { English = "Fever.", Arabic = "3. حمى." }]).ToHtml();

        Assert.Contains("<td dir=\"rtl\" align=\"right\" style=\"text-align:right", html);
        Assert.Single(html.Split("dir=").Skip(1));
    }

    [Fact]
    public void Columns_come_from_properties_with_words_units_and_formats()
    {
        string text = Table.Of(s_runs, options => options.Caption("Runs").Column("Loss", unit: "nats", format: "F2").Hide("Seed")).ToString();

        Assert.Equal(
            """
            Runs
            name     loss (nats)  tokens per second
            ───────  ───────────  ─────────────────
            AoE             2.35             12,345
            MoE <b>          NaN                  9
            """.ReplaceLineEndings("\n"),
            text);
    }

    [Fact]
    public void A_table_shows_itself_as_html_and_text_through_the_notebook_formatter()
    {
        Table table = Table.Of(s_runs);

        Assert.Equal(["text/html", "text/plain"], Formatter.GetPreferredMimeTypesFor(typeof(Table)));
        Assert.Equal(table.ToHtml(), table.ToDisplayString("text/html"));
        Assert.Equal(table.ToString(), table.ToDisplayString("text/plain"));
    }

    [Fact]
    public void Html_keeps_its_alignment_without_styles_and_escapes_the_readers_words()
    {
        string html = Table.Of(s_runs).ToHtml();

        Assert.Contains("<td align=\"right\"", html);
        Assert.Contains("MoE &lt;b&gt;", html);
        Assert.DoesNotContain("<style", html);
    }

    [Fact]
    public void Every_header_says_to_a_screen_reader_that_it_heads_a_column()
    {
        string html = Table.Of(s_runs).ToHtml();

        Assert.Contains("<th scope=\"col\"", html);
        Assert.DoesNotContain("<th align", html);
    }

    [Fact]
    public void An_unknown_property_is_an_error_that_lists_the_known_ones()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Table.Of(s_runs, options => options.Column("Los")));

        Assert.Contains("\"Los\"; Run has Name, Seed, Loss, TokensPerSecond", error.Message);
    }

    [Fact]
    public void A_long_table_says_how_many_rows_it_leaves_out()
    {
        Table table = Table.Of(Enumerable.Range(0, 120).Select(i => new { Value = i }), options => options.Rows(100));

        Assert.EndsWith("… and 20 more rows", table.ToString());
        Assert.Contains("… and 20 more rows", table.ToHtml());
    }

    [Fact]
    public void A_data_frame_keeps_its_columns_and_shows_missing_values_as_a_dash()
    {
        var frame = new DataFrame(new StringDataFrameColumn("run", ["a", "b"]), new DoubleDataFrameColumn("loss", new double?[] { 1.5, null }));

        string text = Table.OfDataFrame(frame).ToString();

        Assert.Equal("run  loss\n───  ────\na     1.5\nb       —", text);
    }

    [Fact]
    public void Markdown_survives_a_bar_in_a_cell()
    {
        Assert.Contains("| a\\|b |", Table.Of([new { Text = "a|b" }]).ToMarkdown());
    }

    private sealed record Run(string Name, int Seed, double Loss, double TokensPerSecond);
}
