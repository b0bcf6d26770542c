using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Tests.Pages;

public sealed class HtmlPageTests : IDisposable
{
    private const string Png = "iVBORw0KGgo=";
    private const string Plotly = "application/vnd.plotly.v1+json";

    private static readonly PlotlyScript Script = new("window.Plotly = '</script><!--';", "1.2.3");
    private static readonly string Fixture = Path.Combine(AppContext.BaseDirectory, "Pages", "Fixtures", "every-output.ipynb");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-page-");
    private readonly List<string> _warnings = [];

    public void Dispose() => _folder.Delete(recursive: true);

    // ---- The page as a whole ----------------------------------------------------------------------------------------

    [Theory]
    [InlineData(ChartMode.Still)]
    [InlineData(ChartMode.Linked)]
    [InlineData(ChartMode.Inline)]
    public void A_page_loads_nothing_from_the_network_in_any_mode(ChartMode mode)
    {
        string html = HtmlPage.Render(Notebook.Load(Fixture), new HtmlPageOptions { Charts = mode, Plotly = Script });

        string[] loaded = [.. Regex.Matches(html, """<(?:img|script|link|iframe|source|object|embed)\b[^>]*\b(?:src|href|data)="([^"]*)""").Select(match => match.Groups[1].Value)];

        Assert.NotEmpty(loaded);
        Assert.All(loaded, address => Assert.True(address.StartsWith("data:") || address == HtmlPageOptions.LinkedScriptName, address));
        Assert.DoesNotContain("@import", html);
        Assert.DoesNotContain("url(", html);
    }

    [Fact]
    public void The_title_is_the_first_heading_and_markup_in_it_is_inert()
    {
        string html = Render(Markdown("Before\n\n# A & B <b>`c`</b>"));

        Assert.Contains("<title>A &amp; B c</title>", html);
    }

    [Fact]
    public void Equal_headings_get_different_anchors_and_the_contents_link_to_each()
    {
        string html = Render(Markdown("# Title\n## Results\n"), Markdown("## Results\n\n## نتائج"));

        Assert.Contains("<h2 id=\"results\"", html);
        Assert.Contains("<h2 id=\"results-1\"", html);
        Assert.Contains("<a href=\"#results-1\">Results</a>", html);
        Assert.Contains("<a href=\"#نتائج\">نتائج</a>", html);
        Assert.DoesNotContain("<a href=\"#title\">Title</a>", html);
    }

    [Fact]
    public void The_footer_shows_what_the_run_left_and_is_absent_where_it_left_nothing()
    {
        var notebook = new Notebook();
        Assert.DoesNotContain("<footer>", HtmlPage.Render(notebook));
        notebook.Metadata["paperlab"] = new JsonObject
        {
            ["preset"] = "smoke",
            ["startedAt"] = "2025-01-20T10:30:00Z",
            ["duration"] = 93.4,
            ["peak_memory_bytes"] = 1_834_000_000,
            ["parameters"] = new JsonObject { ["seed"] = 1, ["rate"] = null },
            ["odd"] = "<script>",
        };

        string html = HtmlPage.Render(notebook);

        Assert.Contains("<dt>Preset</dt><dd>smoke</dd>", html);
        Assert.Contains("<dt>Started at</dt><dd>2025-01-20 10:30 UTC</dd>", html);
        Assert.Contains("<dt>Duration</dt><dd>1 min 33 s</dd>", html);
        Assert.Contains("<dt>Peak memory</dt><dd>1.8 GB</dd>", html);
        Assert.Contains("<dd>seed 1, rate </dd>", html);
        Assert.Contains("<dd>&lt;script&gt;</dd>", html);
    }

    [Fact]
    public void An_empty_notebook_is_a_whole_page()
    {
        string html = HtmlPage.Render(new Notebook());

        Assert.StartsWith("<!DOCTYPE html>", html);
        Assert.Contains("<title>Notebook</title>", html);
        Assert.EndsWith("</html>\n", html);
    }

    [Fact]
    public void The_same_notebook_gives_the_same_page()
    {
        Assert.Equal(HtmlPage.Render(Notebook.Load(Fixture)), HtmlPage.Render(Notebook.Load(Fixture)));
    }

    // ---- Saving and charts ------------------------------------------------------------------------------------------

    [Fact]
    public void A_linked_page_has_its_script_beside_it_and_a_page_without_charts_has_none()
    {
        var options = new HtmlPageOptions { Charts = ChartMode.Linked, Plotly = Script };
        HtmlPage.Save(Of(Code("1")), At("plain.html"), options);
        Assert.Equal([At("plain.html")], Directory.GetFileSystemEntries(_folder.FullName));

        HtmlPage.Save(Of(Code("1", Chart())), At("chart.html"), options);

        Assert.Equal(Script.Source, File.ReadAllText(At("plotly.min.js")));
        Assert.Contains("<script src=\"plotly.min.js\" defer></script>", File.ReadAllText(At("chart.html")));
    }

    [Fact]
    public void A_shared_script_of_another_version_is_replaced()
    {
        File.WriteAllText(At("plotly.min.js"), "half a dow");

        HtmlPage.Save(Of(Code("1", Chart())), At("chart.html"), new HtmlPageOptions { Charts = ChartMode.Linked, Plotly = Script });

        Assert.Equal(Script.Source, File.ReadAllText(At("plotly.min.js")));
    }

    [Fact]
    public void An_inline_script_cannot_end_its_own_element()
    {
        string html = Render(new HtmlPageOptions { Charts = ChartMode.Inline, Plotly = Script }, Code("1", Chart()));

        Assert.Contains("window.Plotly = '<\\/script><\\!--';", html);
    }

    [Fact]
    public void A_live_chart_stands_behind_its_picture()
    {
        string html = Render(new HtmlPageOptions { Charts = ChartMode.Inline, Plotly = Script }, Code("1", Chart()));

        Assert.Contains($"<div class=\"still\"><img src=\"data:image/png;base64,{Png}\" alt=\"Loss by step\"></div>", html);
        Assert.Contains("<script type=\"application/json\">{\"data\":[],\"layout\":{\"title\":\"\\u003c/script>\"}}</script>", html);
    }

    [Fact]
    public void Still_charts_need_no_script_at_all()
    {
        string html = Render(Code("1", Chart()));

        Assert.Contains($"<figure class=\"chart\"><img src=\"data:image/png;base64,{Png}\"", html);
        Assert.DoesNotContain("<script", html);
    }

    [Fact]
    public void A_chart_without_a_picture_falls_back_to_its_words()
    {
        var bundle = Bundle((Plotly, new JsonObject { ["data"] = new JsonArray() }), ("text/plain", "a chart"));

        Assert.Contains("<pre>a chart</pre>", Render(Code("1", new DisplayOutput(bundle))));
        Assert.Contains("<div class=\"still\"><pre>a chart</pre></div>",
            Render(new HtmlPageOptions { Charts = ChartMode.Linked, Plotly = Script }, Code("1", new DisplayOutput(bundle))));
    }

    [Fact]
    public void A_charts_words_describe_its_picture_and_its_columns_of_values_are_folded_below()
    {
        var bundle = Bundle((Plotly, new JsonObject()), ("image/png", Png), ("text/plain", "Loss\ny: nats\n        first  last\n  MoE   7.1    3.5\nMean of 7 seeds."));

        string html = Render(Code("1", new DisplayOutput(bundle)));

        Assert.Contains("alt=\"Loss y: nats\"", html);
        Assert.Contains("</figure><details class=\"values\"><summary>Values</summary><pre>Loss\ny: nats\n        first  last", html);
        Assert.DoesNotContain("class=\"values\"", Render(Code("1", Chart())));
    }

    [Fact]
    public void A_png_gets_its_own_size_unless_the_notebook_gives_another()
    {
        // The signature, and the beginning of a header chunk that says 760 by 465.
        string png = Convert.ToBase64String([0x89, .. "PNG\r\n\u001A\n"u8, 0, 0, 0, 13, .. "IHDR"u8, 0, 0, 2, 248, 0, 0, 1, 209, 8, 3]);
        MimeBundle bundle = Bundle(("image/png", png));

        Assert.Contains(" width=\"760\" height=\"465\">", Render(Code("1", new DisplayOutput(bundle))));
        Assert.Contains(" width=\"380\">", Render(Code("1", new DisplayOutput(bundle, Metadata: new JsonObject { ["image/png"] = new JsonObject { ["width"] = 380 } }))));
    }

    [Fact]
    public void Live_charts_without_plotly_are_refused_before_anything_is_written()
    {
        var error = Assert.Throws<ArgumentException>(() => HtmlPage.Save(new Notebook(), At("a.html"), new HtmlPageOptions { Charts = ChartMode.Linked }));

        Assert.Contains("PlotlyScript.FromAssembly", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.FullName));
    }

    // ---- Outputs ----------------------------------------------------------------------------------------------------

    [Fact]
    public void Plain_text_is_inert_and_html_is_kept()
    {
        string html = Render(Code("1", Display(("text/plain", "<script>alert(1)</script>")), Display(("text/html", "<b id=\"mine\">x</b>"), ("text/plain", "no"))));

        Assert.Contains("<pre>&lt;script&gt;alert(1)&lt;/script&gt;</pre>", html);
        Assert.Contains("<b id=\"mine\">x</b>", html);
    }

    [Theory]
    [InlineData("image/png", Png, "<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"words\">")]
    [InlineData("image/svg+xml", "<svg/>", "<img src=\"data:image/svg+xml;base64,PHN2Zy8+\" alt=\"words\">")]
    [InlineData("text/markdown", "**x**", "<strong>x</strong>")]
    [InlineData("text/latex", "$$x^2$$", "<msup><mi>x</mi><mn>2</mn></msup>")]
    public void The_richest_form_that_a_page_can_show_is_chosen(string mimeType, string data, string expected)
    {
        Assert.Contains(expected, Render(Code("1", Display(("text/plain", "words"), (mimeType, data)))));
    }

    [Fact]
    public void Json_is_set_out_and_inert()
    {
        string html = Render(Code("1", new DisplayOutput(Bundle(("application/json", new JsonObject { ["a"] = "</pre>" })))));

        Assert.Contains("<pre>{\n  &quot;a&quot;: &quot;&lt;/pre&gt;&quot;\n}</pre>", html);
    }

    [Fact]
    public void An_output_of_an_unknown_type_says_so()
    {
        Assert.Contains("application/x-odd", Render(Code("1", Display(("application/x-odd", "?")))));
    }

    [Fact]
    public void Pieces_of_one_stream_are_one_text_so_that_progress_overwrites_itself()
    {
        string html = Render(Code("1", new StreamOutput(StreamName.Stdout, "10 %"), new StreamOutput(StreamName.Stdout, "\r99 %"), new StreamOutput(StreamName.Stderr, "careful")));

        Assert.Contains("<div class=\"output stdout\"><pre>99 %</pre></div>", html);
        Assert.Contains("<div class=\"output stderr\"><pre>careful</pre></div>", html);
    }

    [Fact]
    public void An_error_shows_its_name_once_and_folds_a_long_trace()
    {
        string[] trace = ["\e[31mE: bad <x>\e[0m", .. Enumerable.Range(0, 20).Select(i => $"   at F{i}()")];

        string html = Render(Code("1", new ErrorOutput("E", "bad <x>", trace)));

        Assert.Contains("<strong>E</strong> bad &lt;x&gt;</p>", html);
        Assert.DoesNotContain("E: bad", html);
        Assert.Contains("<summary>8 more lines</summary>", html);
        Assert.Contains("class=\"code failed\"", html);
    }

    [Fact]
    public void A_message_of_several_lines_keeps_its_columns()
    {
        string html = Render(Code("1", new ErrorOutput("CompilationError", "; expected\n  int x = 1\n           ^", [])));

        Assert.Contains("<strong>CompilationError</strong> ; expected</p><pre class=\"message\">  int x = 1\n           ^</pre>", html);
    }

    [Fact]
    public void Endless_output_is_cut_in_the_middle_with_a_note()
    {
        string text = "start" + new string('x', 10_000) + "end";

        string html = Render(new HtmlPageOptions { MaxOutputCharacters = 100, Warn = _warnings.Add }, Code("1", new StreamOutput(StreamName.Stdout, text)));

        Assert.Contains("9,908 characters left out", html);
        Assert.Contains("start", html);
        Assert.Contains("end</pre>", html);
        Assert.StartsWith("cell 1: ", Assert.Single(_warnings));
    }

    [Fact]
    public void Html_that_would_load_something_from_the_network_is_reported()
    {
        Render(Code("1", Display(("text/html", "<script src=\"https://cdn.example/x.js\"></script><a href=\"https://example.org\">fine</a>"))));

        Assert.Contains("https://cdn.example/x.js", Assert.Single(_warnings));
    }

    // ---- Cells ------------------------------------------------------------------------------------------------------

    [Theory]
    [InlineData("remove-cell", false, false)]
    [InlineData("remove-input", false, true)]
    [InlineData("remove-output", true, false)]
    [InlineData("hide-input", true, true)]
    [InlineData("other", true, true)]
    public void Tags_decide_what_of_a_cell_is_on_the_page(string tag, bool input, bool output)
    {
        Cell cell = Code("theInput", new StreamOutput(StreamName.Stdout, "theOutput"));
        cell.AddTag(tag);

        string html = Render(cell);

        Assert.Equal(input, html.Contains("theInput"));
        Assert.Equal(output, html.Contains("theOutput"));
        Assert.Equal(tag == "hide-input", html.Contains("<details><summary>Code, 1 line</summary>"));
    }

    [Fact]
    public void The_margin_has_number_time_and_role()
    {
        Cell cell = Code("int seed = 1;");
        cell.ExecutionCount = 3;
        cell.AddTag("parameters");
        cell.Metadata["paperlab"] = new JsonObject { ["start"] = "2025-01-20T10:30:00Z", ["duration"] = 8.24, ["status"] = "passed" };

        Assert.Contains(
            "<div class=\"margin\"><span class=\"count\">[3]</span><span class=\"time\">8.2 s</span><span class=\"role\">parameters</span></div>",
            Render(cell));
    }

    [Fact]
    public void Times_that_Jupyter_recorded_count_too()
    {
        Cell cell = Code("1");
        cell.Metadata["execution"] = new JsonObject { ["iopub.execute_input"] = "2025-01-20T10:30:00.000Z", ["shell.execute_reply"] = "2025-01-20T10:31:10.000Z" };

        Assert.Contains("<span class=\"time\">1 min 10 s</span>", Render(cell));
    }

    [Theory]
    [InlineData("paperlab", "[]")]
    [InlineData("paperlab", "{\"duration\":\"soon\"}")]
    [InlineData("paperlab", "{\"duration\":-1}")]
    [InlineData("execution", "{\"iopub.execute_input\":3}")]
    [InlineData("jupyter", "{\"source_hidden\":\"yes\"}")]
    [InlineData("jupyter", "7")]
    public void Metadata_of_another_shape_is_passed_over(string key, string json)
    {
        Cell cell = Code("theInput");
        cell.Metadata[key] = JsonNode.Parse(json);

        string html = Render(cell);

        Assert.Contains("theInput", html);
        Assert.DoesNotContain("class=\"time\"", html);
    }

    // ---- Helpers ----------------------------------------------------------------------------------------------------

    private static Cell Markdown(string text) => new(CellKind.Markdown, text);

    private static Cell Code(string source, params CellOutput[] outputs)
    {
        var cell = new Cell(CellKind.Code, source);
        foreach (CellOutput output in outputs)
            cell.Outputs.Add(output);
        return cell;
    }

    private static Notebook Of(params Cell[] cells)
    {
        var notebook = new Notebook();
        foreach (Cell cell in cells)
            notebook.Cells.Add(cell);
        return notebook;
    }

    private static MimeBundle Bundle(params (string MimeType, JsonNode Data)[] entries) =>
        new([.. entries.Select(entry => KeyValuePair.Create(entry.MimeType, entry.Data))]);

    private static DisplayOutput Display(params (string MimeType, string Data)[] entries) =>
        new(Bundle([.. entries.Select(entry => (entry.MimeType, (JsonNode)entry.Data))]));

    private static DisplayOutput Chart() => new(Bundle(
        (Plotly, new JsonObject { ["data"] = new JsonArray(), ["layout"] = new JsonObject { ["title"] = "</script>" } }),
        ("text/html", "<img>"),
        ("image/png", Png),
        ("text/plain", "Loss\nby   step")));

    private string Render(params Cell[] cells) => Render(new HtmlPageOptions { Warn = _warnings.Add }, cells);

    private static string Render(HtmlPageOptions options, params Cell[] cells) => HtmlPage.Render(Of(cells), options);

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
