// Every page of the gallery as a reader has it: offline, light and dark, on a desk and on a phone.

using Microsoft.Playwright;

namespace PaperLab.Browser.Tests;

public sealed class GalleryPageTests(Browser browser)
{
    private const int Desk = 1280, Phone = 390, SmallPhone = 360;

    /// <summary>The pages, at the two widths.</summary>
    public static TheoryData<string, int> Pages
    {
        get
        {
            IEnumerable<string> papers = Directory.GetFiles(Path.Combine(Browser.Repository, "notebooks"), "*.ipynb").Order(StringComparer.Ordinal).Select(path => $"papers/{Path.GetFileNameWithoutExtension(path)}.html");
            return [.. papers.Prepend("claims.html").Prepend("index.html").SelectMany(page => new[] { (page, Desk), (page, Phone) })];
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_is_whole_without_a_network_and_readable_in_both_themes(string path, int width)
    {
        await using OpenPage page = await browser.OpenAsync(path, width);
        await page.UnfoldAsync();

        foreach (ColorScheme theme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await page.SetThemeAsync(theme);
            foreach (string check in new[] { "undrawn", "structure", "width", "contrast" })
            {
                string[] faults = await page.CheckAsync(check);
                Assert.True(faults.Length == 0, $"{path}, {width} wide, {theme}, {check}:\n{string.Join('\n', faults)}");
            }
        }

        if (width == Phone)
        {
            await page.Page.SetViewportSizeAsync(SmallPhone, 800);
            Assert.Empty(await page.CheckAsync("width"));
        }

        Assert.Empty(page.Faults);
    }

    [Fact]
    public async Task Every_link_within_the_gallery_leads_to_a_page_and_a_place_that_are_there()
    {
        var places = new Dictionary<string, string[]>();
        var links = new List<(string From, string To)>();
        foreach (string path in Pages.Select(row => row.Data.Item1).Distinct())
        {
            await using OpenPage page = await browser.OpenAsync(path, Desk);
            places[await page.Page.EvaluateAsync<string>("() => location.pathname")] = await page.Page.EvaluateAsync<string[]>("() => [...document.querySelectorAll('[id]')].map(element => element.id)");
            links.AddRange((await page.Page.EvaluateAsync<string[]>("() => [...document.links].map(link => link.href)")).Select(link => (path, link)));
        }

        Assert.All(links, link =>
        {
            var address = new Uri(link.To);
            if (address.IsFile)
            {
                Assert.True(File.Exists(address.LocalPath), $"{link.From} links to {link.To}");
                Assert.True(address.Fragment.Length < 2 || places[address.AbsolutePath].Contains(Uri.UnescapeDataString(address.Fragment[1..])), $"{link.From} links to {link.To}");
            }
            else
            {
                Assert.Equal("arxiv.org", address.Host);
            }
        });
    }

    [Theory]
    [InlineData("index.html")]
    [InlineData("papers/autonomy-of-experts.html")]
    public async Task The_keyboard_first_finds_the_way_to_the_content_and_always_shows_where_it_is(string path)
    {
        await using OpenPage page = await browser.OpenAsync(path, Desk);

        await page.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the content", await Focused(page, "element.textContent"));
        Assert.True(await page.Page.EvaluateAsync<bool>("() => document.activeElement.getBoundingClientRect().top >= 0"));
        for (int stop = 0; stop < 25; stop++)
        {
            string what = await Focused(page, "element.outerHTML.slice(0, 100)");
            Assert.True(await page.Page.EvaluateAsync<bool>("() => getComputedStyle(document.activeElement).outlineStyle !== 'none'"), $"no mark on {what}");
            await page.Page.Keyboard.PressAsync("Tab");
        }

        await page.Page.Locator(".skip").FocusAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("content", await Focused(page, "element.id"));
    }

    [Fact]
    public async Task The_theme_switch_turns_the_page_and_its_charts_and_is_remembered_on_the_next_page()
    {
        await using OpenPage page = await browser.OpenAsync("index.html", Desk);
        ILocator themeSwitch = page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Dark theme" });
        string light = await Paper(page);

        await themeSwitch.FocusAsync();
        await page.Page.Keyboard.PressAsync("Enter");

        Assert.Equal("true", await themeSwitch.GetAttributeAsync("aria-pressed"));
        string dark = await Paper(page);
        Assert.NotEqual(light, dark);
        await page.Page.Locator("article.card h2 a").First.ClickAsync();
        await page.Page.WaitForURLAsync("**/papers/*.html");
        await page.UnfoldAsync();
        Assert.Equal(dark, await Paper(page));
        Assert.Equal("rgb(29, 32, 37)", await page.Page.Locator("figure.chart .main-svg").First.EvaluateAsync<string>("layer => layer.style.background"));
        await themeSwitch.ClickAsync();
        Assert.Equal(light, await Paper(page));
        Assert.Empty(page.Faults);
    }

    [Fact]
    public async Task Claims_are_filtered_from_the_keyboard_and_from_an_address_and_all_come_back()
    {
        await using OpenPage page = await browser.OpenAsync("claims.html?verdict=contradicted", Desk);
        ILocator rows = page.Page.Locator("table.claims tbody tr:visible");
        int all = await page.Page.Locator("table.claims tbody tr").CountAsync(), contradicted = await rows.CountAsync();
        Assert.InRange(contradicted, 1, all - 1);
        Assert.Equal(contradicted, await page.Page.Locator("table.claims tbody tr:visible .verdict.contradicted").CountAsync());

        await page.Page.GetByLabel("Words").FocusAsync();
        await page.Page.Keyboard.TypeAsync("Balance LOSS");
        int found = await rows.CountAsync();
        Assert.InRange(found, 1, contradicted - 1);
        Assert.Equal($"{found} of {all} claims", await page.Page.Locator("form.filters output").TextContentAsync());
        Assert.Contains("words=Balance", page.Page.Url);
        await page.Page.Keyboard.TypeAsync(" zzz");
        Assert.Equal("No claim fits", await page.Page.Locator("form.filters output").TextContentAsync());

        await page.Page.Keyboard.PressAsync("Tab");
        await page.Page.Keyboard.PressAsync("Enter"); // the button that shows all
        await Assertions.Expect(rows).ToHaveCountAsync(all);
        Assert.Empty(page.Faults);
    }

    [Fact]
    public async Task Without_scripts_the_claims_are_a_plain_table_and_charts_are_pictures()
    {
        await using OpenPage claims = await browser.OpenAsync("claims.html", Desk, script: false);
        Assert.True(await claims.Page.Locator("table.claims tbody tr").CountAsync() > 100);
        Assert.True(await claims.Page.Locator("table.claims tbody tr").Last.IsVisibleAsync());
        Assert.False(await claims.Page.Locator("form.filters").IsVisibleAsync());
        Assert.False(await claims.Page.Locator("button.theme").IsVisibleAsync());

        await using OpenPage paper = await browser.OpenAsync("papers/autonomy-of-experts.html", Desk, script: false);
        Assert.True(await paper.Page.Locator("figure.chart img").First.IsVisibleAsync());
    }

    [Fact]
    public async Task BibTeX_is_copied_by_a_button_and_all_code_unfolds_at_once()
    {
        await using OpenPage page = await browser.OpenAsync("papers/autonomy-of-experts.html", Desk);
        await page.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);

        await page.Page.GetByText("Cite the paper").ClickAsync();
        await page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Copy: BibTeX" }).ClickAsync();
        await Assertions.Expect(page.Page.GetByText("Copied")).ToBeVisibleAsync();
        Assert.StartsWith("@misc{lv2025autonomy,", await page.Page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));

        await page.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Show all code" }).ClickAsync();
        Assert.Equal(0, await page.Page.Locator(".input > details:not([open])").CountAsync());
    }

    private static Task<string> Focused(OpenPage page, string of) => page.Page.EvaluateAsync<string>($"() => {{ const element = document.activeElement; return {of}; }}");

    private static Task<string> Paper(OpenPage page) => page.Page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor");
}
