// `paperlab run --compare`: a page whose claims are committed in its outputs, run again as it is and with another result.

using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class ComparedRunTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Claims_as_recorded_pass_a_claim_that_differs_fails_with_a_table_and_another_preset_is_refused()
    {
        string page = Path.Combine(_tool.Scratch, "page.ipynb"), summary = Path.Combine(_tool.Scratch, "first.json"), junit = Path.Combine(_tool.Scratch, "junit.xml");
        Notebook notebook = Page();
        notebook.Save(page);
        ToolResult first = await _tool.RunAsync("run", page, "--out", _tool.Output, "--compare", "--report", $"json={summary}");
        Assert.True(first.ExitCode == 0, first.All);
        Assert.Contains("page.ipynb has no recorded claims of page; they are not compared", first.Stderr);

        Notebook committed = Notebook.Load(page);
        committed.TakeOutputsOf(_tool.Saved("page"));
        committed.Save(page);
        ToolResult same = await _tool.RunAsync("run", page, "--out", _tool.Output, "--compare");
        Assert.True(same.ExitCode == 0, same.All);
        Assert.Contains("page: unchanged", same.Stdout); // what was committed are its outputs
        Assert.Contains("page: 2 claims as recorded in", same.Stdout);

        ToolResult smoke = await _tool.RunAsync("run", page, "--out", _tool.Output, "--preset", "smoke", "--compare");
        Assert.Equal(2, smoke.ExitCode);
        Assert.Contains("page is to run at the preset \"smoke\", and the claims in", smoke.Stderr);
        Assert.Contains("are of \"standard\"", smoke.Stderr);

        committed.Cell(2).Source = committed.Cell(2).Source.Replace("0.2", "0.25");
        committed.Save(page);
        ToolResult other = await _tool.RunAsync("run", page, "--out", _tool.Output, "--against", summary, "--report", $"junit={junit}");
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("page: 1 of 2 claims differ from those recorded in", other.Stdout);
        Assert.Contains("the estimate is off by 0.05; allowed 0.001", other.Stdout);
        Assert.Contains("as recorded", other.Stdout);
        Assert.Contains("\n  It helps: the estimate is off by", other.Stderr);
        Assert.Contains("ClaimsDiffer", File.ReadAllText(junit));

        ToolResult generous = await _tool.RunAsync("run", page, "--out", _tool.Output, "--against", summary, "--tolerance", "0.6");
        Assert.True(generous.ExitCode == 0, generous.All);
    }

    private static Notebook Page()
    {
        var page = new Notebook();
        page.Cells.Add(new Cell(CellKind.Code, "var preset = \"standard\";"));
        page.Cells[0].AddTag("parameters");
        page.Cells.Add(new Cell(CellKind.Code, """"
            """
            { "claims": [
              { "claim": "It helps", "paper": "a lot", "setting": "small", "verdict": "supported", "estimate": 0.2, "low": 0.1, "high": 0.3, "observations": 5, "level": 0.95, "unit": "nats" },
              { "claim": "It is cheap", "paper": "very", "setting": "—", "verdict": "not testable here", "reason": "too large" } ] }
            """.DisplayAs("application/vnd.paperlab.claims+json");
            """"));
        return page;
    }
}
