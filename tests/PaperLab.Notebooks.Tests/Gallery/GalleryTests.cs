// The gallery of the committed notebooks, written once for all tests here: what its files hold, and that they need nothing else.

using System.Net;
using System.Text.RegularExpressions;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Gallery;
using PaperLab.Notebooks.Pages;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Gallery;

/// <summary>The gallery in a folder of its own.</summary>
public sealed class CommittedGallery : IDisposable
{
    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("paperlab-gallery-");

    public CommittedGallery()
    {
        Papers = [.. Directory.GetFiles(Path.Combine(Tool.Repository, "notebooks"), "*.ipynb").Order(StringComparer.Ordinal)
            .Select(path => new GalleryPaper(Path.GetFileNameWithoutExtension(path), Notebook.Load(path), [new TrainingTime("standard", "cpu", 1, 20, TimeSpan.FromMinutes(73))]))];
        Folder = Path.Combine(_scratch.FullName, "site");
        Report = GalleryWriter.Write(Papers, new PlotlyScript("window.Plotly = undefined;", "1.2.3"), Folder, warn: Warnings.Add);
        Pages = Directory.GetFiles(Folder, "*.html", SearchOption.AllDirectories).ToDictionary(path => Path.GetRelativePath(Folder, path).Replace('\\', '/'), File.ReadAllText);
    }

    public IReadOnlyList<GalleryPaper> Papers { get; }

    public string Folder { get; }

    public GalleryReport Report { get; }

    public List<string> Warnings { get; } = [];

    /// <summary>The text of each page by its path in the gallery.</summary>
    public IReadOnlyDictionary<string, string> Pages { get; }

    public void Dispose() => _scratch.Delete(recursive: true);
}

public sealed partial class GalleryTests(CommittedGallery gallery) : IClassFixture<CommittedGallery>, IDisposable
{
    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("paperlab-gallery-");

    public void Dispose() => _scratch.Delete(recursive: true);

    [Fact]
    public void There_is_an_index_a_page_of_claims_and_for_each_paper_a_page_and_its_notebook_to_download()
    {
        Assert.Equal(gallery.Papers.Select(paper => $"papers/{paper.Name}.html").Append("claims.html").Append("index.html").Order(), gallery.Pages.Keys.Order());
        Assert.All(gallery.Papers, paper =>
            Assert.Equal(File.ReadAllBytes(Path.Combine(Tool.Repository, "notebooks", paper.Name + ".ipynb")), File.ReadAllBytes(Path.Combine(gallery.Folder, "notebooks", paper.Name + ".ipynb"))));
        Assert.Empty(gallery.Warnings);
    }

    [Fact]
    public void Pages_load_only_files_of_the_gallery()
    {
        foreach ((string page, string html) in gallery.Pages)
        {
            string[] loaded = [.. Loaded().Matches(html).Select(match => match.Groups[1].Value)];
            Assert.Contains(loaded, address => address.EndsWith("assets/gallery.css", StringComparison.Ordinal));
            Assert.All(loaded, address => Assert.True(address == "data:," || File.Exists(FileOf(page, address)), $"{page} loads {address}"));
        }
    }

    [Fact]
    public void Links_lead_to_a_page_that_is_there_and_to_a_place_in_it_or_to_the_paper()
    {
        foreach ((string page, string html) in gallery.Pages)
        {
            foreach (string address in Links().Matches(html).Select(match => WebUtility.HtmlDecode(match.Groups[1].Value)))
            {
                if (address.StartsWith("https://", StringComparison.Ordinal))
                {
                    continue;
                }

                string[] parts = address.Split('#');
                string target = parts[0].Length == 0 ? page : Path.GetRelativePath(gallery.Folder, FileOf(page, parts[0].Split('?')[0])).Replace('\\', '/');
                Assert.True(File.Exists(Path.Combine(gallery.Folder, target)), $"{page} links to {address}");
                Assert.True(parts.Length == 1 || gallery.Pages[target].Contains($"id=\"{parts[1]}\"", StringComparison.Ordinal), $"{page} links to {address}");
            }
        }
    }

    [Fact]
    public void A_page_stays_below_half_a_megabyte_because_its_pictures_are_files()
    {
        Assert.All(gallery.Pages, page => Assert.InRange(page.Value.Length, 1_000, 500_000));
        Assert.All(gallery.Pages.Values, html => Assert.DoesNotContain("data:image/", html));
        Assert.All(Directory.GetFiles(Path.Combine(gallery.Folder, "images"), "*.png"), path => Assert.Equal("PNG"u8, File.ReadAllBytes(path).AsSpan(1, 3)));
    }

    [Fact]
    public void Every_chart_is_there_with_its_data_its_picture_and_its_values_in_words()
    {
        foreach (GalleryPaper paper in gallery.Papers)
        {
            string html = gallery.Pages[$"papers/{paper.Name}.html"];
            int charts = paper.Notebook.Cells.SelectMany(cell => cell.Outputs).Count(output => output.Shown()?["application/vnd.plotly.v1+json"] is not null);

            Assert.True(charts > 3);
            Assert.Equal(charts, html.Split("<figure class=\"chart\"><div class=\"still\"><img src=\"../images/").Length - 1);
            Assert.Equal(charts, html.Split("<script type=\"application/json\">").Length - 1);
            Assert.Equal(charts, html.Split("<details class=\"values\">").Length - 1);
            Assert.Contains("<script src=\"../assets/plotly.min.js\" defer></script>", html);
        }
    }

    [Fact]
    public void Each_claim_is_counted_once_and_under_its_verdict()
    {
        PageClaim[] all = [.. gallery.Papers.SelectMany(paper => PageClaims.Of(paper.Notebook))];

        Assert.True(all.Length > 100);
        Assert.Equal(Counts(all), CountsShown(gallery.Pages["claims.html"]).Single());
        Assert.Equal([Counts(all), .. gallery.Papers.Select(paper => Counts(PageClaims.Of(paper.Notebook)))], CountsShown(gallery.Pages["index.html"]));
        Assert.All(gallery.Papers, paper => Assert.Equal([Counts(PageClaims.Of(paper.Notebook))], CountsShown(gallery.Pages[$"papers/{paper.Name}.html"])));
    }

    [Fact]
    public void Claims_across_papers_are_a_plain_table_whose_filters_wait_for_a_script()
    {
        string html = gallery.Pages["claims.html"];
        string[] rows = [.. html.Split("<tr role=\"row\" data-paper=\"").Skip(1)];

        Assert.Equal(gallery.Papers.Sum(paper => PageClaims.Of(paper.Notebook).Count), rows.Length);
        Assert.Matches("<form class=\"filters\" role=\"search\" aria-label=\"Claims\" hidden>", html);
        Assert.All(gallery.Papers, paper => Assert.Contains($"<option value=\"{paper.Name}\">", html));
        Assert.All(rows, row => Assert.Contains($"<option value=\"{Regex.Match(row, "data-verdict=\"(\\w+)\"").Groups[1].Value}\">", html));
        Assert.Equal(Regex.Count(html, "<th "), Regex.Count(html, "<th scope=\"(?:col|row)\""));
        Assert.Equal(["Paper", "Verdict", "Words"], Regex.Matches(html, "<label>(\\w+) <(?:select|input)").Select(match => match.Groups[1].Value));
    }

    [Fact]
    public void A_papers_page_has_its_card_once_with_what_can_be_done_about_it()
    {
        string html = gallery.Pages["papers/autonomy-of-experts.html"];

        Assert.Single(Regex.Matches(html, "<section class=\"paper\""));
        Assert.Contains("<p class=\"title\">Autonomy-of-Experts Models</p>", html);
        Assert.Contains("<a href=\"https://arxiv.org/abs/2501.13074\">arXiv:2501.13074</a>", html);
        Assert.Contains("@misc{lv2025autonomy,", html);
        Assert.Matches("lib/out/paperlab run autonomy-of-experts --fresh +# trains everything anew: 1 h 13 min on cpu, 1 thread", html);
        Assert.Contains("<a class=\"button\" href=\"../notebooks/autonomy-of-experts.ipynb\" download>", html);
        Assert.DoesNotContain("<details open><summary>Code", html);
        Assert.DoesNotContain("<div class=\"input\"><div class=\"margin\"></div>\n<pre", html);
    }

    [Fact]
    public void The_index_tells_of_each_paper_what_is_new_and_what_its_runs_took()
    {
        string html = gallery.Pages["index.html"];

        Assert.Equal(gallery.Papers.Count, Regex.Count(html, "<article class=\"card\">"));
        Assert.All(gallery.Papers, paper => Assert.Contains(WebUtility.HtmlEncode(PaperSummary.Of(paper.Notebook)!.WhatIsNew), html));
        Assert.Equal(gallery.Papers.Count, Regex.Count(html, "20 recorded runs at the preset standard on cpu, 1 thread: 1 h 13 min of training"));
        Assert.Equal(gallery.Papers.Count, Regex.Count(html, "<img src=\"images/"));
    }

    [Fact]
    public void Each_page_has_one_main_part_one_first_heading_and_a_way_past_the_navigation()
    {
        Assert.All(gallery.Pages, page =>
        {
            Assert.Single(Regex.Matches(page.Value, "<main "));
            Assert.Single(Regex.Matches(page.Value, "<h1[ >]"));
            Assert.Contains("<a class=\"skip\" href=\"#content\">", page.Value);
            string[] ids = [.. Regex.Matches(page.Value, " id=\"([^\"]+)\"").Select(match => match.Groups[1].Value)];
            Assert.Equal(ids.Distinct(), ids);
        });
    }

    [Fact]
    public void A_notebook_without_card_charts_or_claims_has_a_page_too_and_markup_in_a_claim_is_inert()
    {
        var plain = new Notebook();
        plain.Cells.Add(new Cell(CellKind.Markdown, "# Plain"));
        var odd = new Notebook();
        odd.Cells.Add(new Cell(CellKind.Code, "claims"));
        odd.Cells[0].Outputs.Add(Claims("""{"claims":[{"claim":"<b>A</b>","paper":"\"1\"","setting":"","verdict":"supported","estimate":-0.0123,"low":-0.02,"high":-0.0046,"observations":7,"level":0.95,"unit":"nats"}]}"""));

        Write([new GalleryPaper("plain", plain, []), new GalleryPaper("odd", odd, [])]);

        string page = File.ReadAllText(At("site/papers/plain.html"));
        Assert.Contains("<h1 id=\"plain\"", page);
        Assert.Contains("No claims are tested yet", page);
        Assert.DoesNotContain("plotly.min.js", page);
        string claims = File.ReadAllText(At("site/claims.html"));
        Assert.Contains("&lt;b&gt;A&lt;/b&gt;", claims);
        Assert.Contains("<span class=\"figure\">−0.0123 [−0.0200, −0.0046]</span>", claims);
        Assert.DoesNotContain("<option value=\"plain\">", claims);
    }

    [Fact]
    public void Damaged_claims_and_two_papers_of_one_name_are_refused_before_anything_is_written()
    {
        var damaged = new Notebook();
        damaged.Cells.Add(new Cell(CellKind.Code, "claims") { Id = "end" });
        damaged.Cells[0].Outputs.Add(Claims("[]"));

        Assert.Contains("paper: the claims in the output of cell end cannot be read", Assert.Throws<GalleryException>(() => Write([new GalleryPaper("paper", damaged, [])])).Message);
        Assert.Contains("two notebooks are named \"Same\"", Assert.Throws<GalleryException>(() => Write([new GalleryPaper("Same", new Notebook(), []), new GalleryPaper("same", new Notebook(), [])])).Message);
        Assert.Empty(_scratch.GetFileSystemInfos());
    }

    [Fact]
    public void The_same_notebooks_give_the_same_bytes()
    {
        GalleryPaper[] one = [gallery.Papers[^1]];
        Write(one);
        Dictionary<string, byte[]> first = Files();

        Write([one[0] with { Notebook = Notebook.Load(one[0].Notebook.Path!) }]);

        Assert.Equal(first, Files());
    }

    private void Write(IReadOnlyList<GalleryPaper> papers) => GalleryWriter.Write(papers, new PlotlyScript("", ""), At("site"));

    private Dictionary<string, byte[]> Files() => Directory.GetFiles(At("site"), "*", SearchOption.AllDirectories).Order().ToDictionary(path => path, File.ReadAllBytes);

    private string At(string name) => Path.Combine(_scratch.FullName, name);

    private string FileOf(string page, string address) => Path.GetFullPath(Path.Combine(gallery.Folder, Path.GetDirectoryName(page)!, Uri.UnescapeDataString(address)));

    private static ResultOutput Claims(string json) => new(new MimeBundle([KeyValuePair.Create(PageClaims.MimeType, System.Text.Json.Nodes.JsonNode.Parse(json)!)]), 1);

    private static string Counts(IEnumerable<PageClaim> claims) =>
        string.Join(", ", claims.CountBy(claim => claim.Verdict).OrderBy(count => Array.IndexOf([.. PageClaim.Verdicts], count.Key)).Select(count => $"{count.Value} {count.Key}"));

    private static IEnumerable<string> CountsShown(string html) => Regex.Matches(html, "<ul class=\"counts\".*</ul>")
        .Select(list => string.Join(", ", Regex.Matches(list.Value, "<b>(\\d+)</b> ([a-z ]+)</a>").Select(count => $"{count.Groups[1].Value} {count.Groups[2].Value}")));

    [GeneratedRegex("""<(?:img|script|link|iframe|source|object|embed)\b[^>]*?\s(?:src|href|data)="([^"]*)""")]
    private static partial Regex Loaded();

    [GeneratedRegex("""<a\b[^>]*?\shref="([^"]*)""")]
    private static partial Regex Links();
}
