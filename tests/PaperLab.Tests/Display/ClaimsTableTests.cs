using System.Text.Json.Nodes;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Display;
using PaperLab.Evaluation;

namespace PaperLab.Tests.Display;

public sealed class ClaimsTableTests
{
    private static readonly ClaimsTable s_table = ClaimsTable.Of(
        Claim.Test("AoE reaches a lower loss", "−0.02 nats at 100B tokens", "3.4M parameters, 5 seeds", new Interval(-0.0121, -0.019, -0.0052, 5), ClaimedSign.Negative, "nats, AoE − MoE"),
        Claim.Test("AoE balances load", "Table 3", "one seed", Interval.OfMean([0.3]), ClaimedSign.Positive, ""),
        Claim.NotTestable("8-task average rises", "43.28 → 44.46", "needs 100B tokens & <time>"));

    [Fact]
    public void Every_verdict_is_carried_by_words_and_a_symbol_not_by_colour_alone()
    {
        string html = s_table.ToHtml();

        Assert.Contains("✔ supported", html);
        Assert.Contains("≈ inconclusive", html);
        Assert.Contains("– not testable here", html);
    }

    [Fact]
    public void The_interval_shows_as_many_decimals_as_its_width_justifies()
    {
        Assert.Contains("−0.0121 [−0.0190, −0.0052]", s_table.ToString());
    }

    [Fact]
    public void One_observation_shows_that_there_is_no_interval()
    {
        Assert.Contains("0.300 [no interval: 1 observation]", s_table.ToString());
    }

    [Fact]
    public void A_claim_that_cannot_be_tested_shows_its_reason_escaped()
    {
        Assert.Contains("needs 100B tokens &amp; &lt;time&gt;", s_table.ToHtml());
        Assert.Contains("why:   needs 100B tokens & <time>", s_table.ToString());
    }

    [Fact]
    public void The_summary_counts_the_verdicts()
    {
        Assert.Equal("1 supported, 1 inconclusive, 1 not testable here", s_table.Summary);
    }

    [Fact]
    public void Markdown_has_one_row_for_each_claim()
    {
        string[] lines = s_table.ToMarkdown().Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(5, lines.Length);
        Assert.All(lines, line => Assert.Equal(6, line.Count(letter => letter == '|')));
    }

    [Fact]
    public void A_claims_table_shows_itself_as_json_html_and_text_through_the_notebook_formatter()
    {
        Assert.Equal(["application/vnd.paperlab.claims+json", "text/html", "text/plain"], Formatter.GetPreferredMimeTypesFor(typeof(ClaimsTable)));
        Assert.Equal(s_table.ToJson(), s_table.ToDisplayString("application/vnd.paperlab.claims+json"));
        Assert.Equal(s_table.ToHtml(), s_table.ToDisplayString("text/html"));
        Assert.Equal(s_table.ToString(), s_table.ToDisplayString("text/plain"));
    }

    [Fact]
    public void Programs_get_the_numbers_themselves_and_nothing_where_there_is_no_bound()
    {
        JsonArray claims = JsonNode.Parse(ClaimsTable.Of([.. s_table.Claims, Claim.Test("", "", "", new Interval(1.0 / 3, -1, 1, 5), ClaimedSign.Positive, "nats")]).ToJson())!["claims"]!.AsArray();

        Assert.Equal((-0.0121, -0.019, -0.0052, 5), ((double)claims[0]!["estimate"]!, (double)claims[0]!["low"]!, (double)claims[0]!["high"]!, (int)claims[0]!["observations"]!));
        Assert.Equal(["claim", "paper", "setting", "verdict", "estimate", "observations", "level", "unit"], claims[1]!.AsObject().Select(field => field.Key));
        Assert.Equal(["claim", "paper", "setting", "verdict", "reason"], claims[2]!.AsObject().Select(field => field.Key));
        Assert.Equal("0.3333333", claims[3]!["estimate"]!.ToJsonString());
    }
}
