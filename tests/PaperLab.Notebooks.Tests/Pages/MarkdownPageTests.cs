using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Tests.Pages;

public sealed class MarkdownPageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-markdown-");
    private readonly List<string> _warnings = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("between $5 and $6")]
    [InlineData("it costs $5.")]
    [InlineData("5$ and $ 6 $ or $$")]
    [InlineData("from $10–$20 a month")]
    [InlineData("escaped \\$x\\$ here")]
    [InlineData("code `$x$` only")]
    [InlineData("set $HOME or `$PATH` first")]
    [InlineData("```\n$x$\n```")]
    [InlineData("    $x$ in an indented block")]
    public void Dollars_of_money_and_code_are_no_formula(string markdown)
    {
        string html = Render(markdown);

        Assert.DoesNotContain("<math", html);
        Assert.Contains('$', html);
    }

    [Theory]
    [InlineData("$x$")]
    [InlineData("the $x$-axis, and ($y$).")]
    [InlineData("*$x$*")]
    [InlineData("- $x$")]
    [InlineData("| a |\n|--|\n| $|x|$ |")]
    [InlineData("costs \\$5 but $x$ is free")]
    [InlineData("$a_b c_d$")]
    [InlineData("$\\text{costs \\$5}$")]
    public void Dollars_around_a_formula_make_one_in_its_line(string markdown)
    {
        string html = Render(markdown);

        Assert.Contains("<math dir=\"ltr\" display=\"inline\">", html);
        Assert.DoesNotContain("<em>b", html);
        Assert.Empty(_warnings);
    }

    [Theory]
    [InlineData("$$x$$")]
    [InlineData("before\n$$\nx\n$$\nafter")]
    [InlineData("$$x\n= y$$")]
    [InlineData("$$\nx\n\n- y\n$$")]
    [InlineData("> $$\n> x\n> $$")]
    [InlineData("so $$x$$ holds")]
    [InlineData("1. first\n\n   $$\n   x\n   $$")]
    [InlineData("\\begin{align}\nx &= y \\\\\n&= z\n\\end{align}")]
    public void Double_dollars_and_environments_display_a_formula(string markdown)
    {
        string html = Render(markdown);

        Assert.Contains("display=\"block\">", html);
        Assert.DoesNotContain("<h1", html);
        Assert.DoesNotContain("<ul", html);
        Assert.DoesNotContain("$", html);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void The_number_of_a_formula_stands_beside_it()
    {
        Assert.Contains("</math><span class=\"tag\">(3)</span></div>", Render("$$\nx \\tag{3}\n$$"));
    }

    [Fact]
    public void A_formula_without_an_end_is_reported()
    {
        Render("$$\nx\n\nthe rest");

        Assert.Contains("no $$ after it", Assert.Single(_warnings));
    }

    [Fact]
    public void Tables_task_lists_raw_html_and_coloured_code_are_kept()
    {
        string html = Render("| a | b |\n|:--|--:|\n| 1 | 2 |\n\n- [x] done\n\n<kbd>Ctrl</kbd>\n\n```csharp\nvar x = 1;\n```\n\n```python\nx = 1 < 2\n```");

        Assert.Contains("<th style=\"text-align: left;\" dir=\"auto\">a</th>", html);
        Assert.Contains("type=\"checkbox\" checked=\"checked\"", html);
        Assert.Contains("<kbd>Ctrl</kbd>", html);
        Assert.Contains("<span class=\"k\">var</span> x", html);
        Assert.Contains("x = 1 &lt; 2", html);
    }

    [Fact]
    public void Paragraphs_find_their_own_direction()
    {
        Assert.Contains("<p dir=\"auto\">نص عربي <code dir=\"ltr\">x</code></p>", Render("نص عربي `x`"));
    }

    [Fact]
    public void A_picture_attached_to_the_cell_goes_into_the_page()
    {
        var cell = new Cell(CellKind.Markdown, "![a curve](attachment:my%20curve.png)")
        {
            Attachments = new JsonObject { ["my curve.png"] = new JsonObject { ["image/png"] = "iVBO\nRw0K" } },
        };

        Assert.Contains("<img src=\"data:image/png;base64,iVBORw0K\" alt=\"a curve\" />", Render(cell));
    }

    [Fact]
    public void A_picture_beside_the_notebook_goes_into_the_page()
    {
        File.WriteAllBytes(Path.Combine(_folder.FullName, "a b.png"), [1, 2, 3]);

        Assert.Contains("<img src=\"data:image/png;base64,AQID\" alt=\"x\" />", Render("![x](a%20b.png)"));
    }

    [Theory]
    [InlineData("attachment:absent.png", "the cell has none")]
    [InlineData("absent.png", "is not there")]
    [InlineData("https://example.org/x.png", "network")]
    [InlineData("notes.txt", "none of .png")]
    public void A_picture_that_cannot_be_shown_leaves_its_words_and_a_warning(string url, string reason)
    {
        string html = Render($"![the words]({url})");

        Assert.DoesNotContain("<img", html);
        Assert.Contains(">the words</a>", html);
        Assert.Contains(reason, Assert.Single(_warnings));
    }

    [Theory]
    [InlineData(">")]
    [InlineData("[")]
    [InlineData("*a ")]
    [InlineData("<b>")]
    [InlineData("- ")]
    public void Nesting_without_end_still_gives_a_page(string piece)
    {
        string html = Render(string.Concat(Enumerable.Repeat(piece, 4_000)) + "the end");

        Assert.Contains("the end", html);
    }

    private string Render(string markdown) => Render(new Cell(CellKind.Markdown, markdown));

    private string Render(Cell cell)
    {
        var notebook = new Notebook();
        notebook.Cells.Add(cell);
        string html = HtmlPage.Render(notebook, new HtmlPageOptions { SourceFolder = _folder.FullName, Warn = _warnings.Add });
        return html[html.IndexOf("<main>", StringComparison.Ordinal)..];
    }
}
