// The claims of a page, read from what its claims table left: of the committed pages, and of damaged ones.

using System.Text.Json;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Pages;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Pages;

public sealed class PageClaimsTests
{
    public static TheoryData<string> Stamped { get; } =
        [.. Directory.GetFiles(Path.Combine(Tool.Repository, "notebooks"), "*.ipynb").Where(path => Notebook.Load(path).Metadata.ContainsKey("paperlab_stamp")).Select(path => Path.GetFileNameWithoutExtension(path))];

    [Theory]
    [MemberData(nameof(Stamped))]
    public void A_committed_page_gives_the_claims_that_its_table_shows(string name)
    {
        Notebook page = Notebook.Load(Path.Combine(Tool.Repository, "notebooks", name + ".ipynb"));

        IReadOnlyList<PageClaim> claims = PageClaims.Of(page);

        string[] shown = TextOfTable(page).Split('\n');
        string[] order = [.. PageClaim.Verdicts];
        Assert.Equal($"Claims: {string.Join(", ", claims.CountBy(claim => claim.Verdict).OrderBy(group => Array.IndexOf(order, group.Key)).Select(group => $"{group.Value} {group.Key}"))}", shown[0]);
        Assert.Equal(claims.Select(claim => $"{claim.Verdict}: {claim.Statement}"), shown.Skip(1).Where(line => !line.StartsWith(' ')).Select(line => line[2..]));
        Assert.Equal(claims.Select(claim => claim.Paper), Field("paper"));
        Assert.Equal(claims.Where(claim => claim.Reason is null).Select(claim => claim.Setting), Field("from"));
        Assert.Equal(claims.Select(claim => claim.Reason).OfType<string>(), Field("why"));
        foreach ((PageClaim claim, string line) in claims.Where(claim => claim.Reason is null).Zip(Field("here")))
        {
            Assert.EndsWith($" {claim.Unit}; {claim.Level * 100} % interval, n\u00A0=\u00A0{claim.Observations}", line);
            (int decimals, double[] numbers) = NumbersOf(line[..(line.IndexOf(']') + 1)]);
            Assert.Equal([claim.Estimate!.Value, claim.Low!.Value, claim.High!.Value], numbers, (a, b) => Math.Abs(a - b) <= 0.5001 * Math.Pow(10, -decimals));
        }

        IEnumerable<string> Field(string field) => shown.Where(line => line.StartsWith($"    {field}:", StringComparison.Ordinal)).Select(line => line["    paper: ".Length..]);
    }

    [Fact]
    public void A_page_without_a_claims_table_has_no_claims()
    {
        Assert.Empty(PageClaims.Of(Notebook.Load(Tool.Fixture("plain"))));
    }

    [Theory]
    [InlineData("""{"claims":[{"claim":"A","paper":"","setting":"","verdict":"proven"}]}""", "the verdict of \"A\" is \"proven\"; it must be one of: supported,")]
    [InlineData("""{"claims":[{"claim":"A","paper":""}]}""", "setting")]
    [InlineData("""{"claim":"A"}""", "there is no list \"claims\"")]
    [InlineData("""[]""", "there is no list \"claims\"")]
    public void Damaged_claims_name_their_cell_and_what_is_wrong(string table, string problem)
    {
        var page = new Notebook();
        page.Cells.Add(new Cell(CellKind.Code, "claims") { Id = "the-end" });
        page.Cells[0].Outputs.Add(new ResultOutput(new MimeBundle([KeyValuePair.Create(PageClaims.MimeType, System.Text.Json.Nodes.JsonNode.Parse(table)!)]), 1));

        string message = Assert.Throws<JsonException>(() => PageClaims.Of(page)).Message;

        Assert.Contains("the claims in the output of cell the-end cannot be read", message);
        Assert.Contains(problem, message);
    }

    private static string TextOfTable(Notebook page) =>
        page.Cells.SelectMany(cell => cell.Outputs).Select(output => output.Shown()?.PlainText ?? "").Single(text => text.StartsWith("Claims: ", StringComparison.Ordinal));

    // "−0.012 [−0.019, −0.005]": the decimals, and the three numbers.
    private static (int Decimals, double[] Numbers) NumbersOf(string text)
    {
        string[] numbers = text.Replace('−', '-').Split([' ', '[', ']', ','], StringSplitOptions.RemoveEmptyEntries);
        int point = numbers[0].IndexOf('.');
        return (point < 0 ? 0 : numbers[0].Length - point - 1, [.. numbers.Select(double.Parse)]);
    }
}
