// The gallery of the committed notebooks, and a browser with the network off to look at it. The browser is one that is installed;
// Playwright's own are not downloaded.

using System.Text.RegularExpressions;
using Microsoft.Playwright;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Gallery;
using PaperLab.Notebooks.Pages;

[assembly: AssemblyFixture(typeof(PaperLab.Browser.Tests.Browser))]

namespace PaperLab.Browser.Tests;

/// <summary>Written and started once for all tests.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Variable = "PAPERLAB_CHROMIUM";

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe", "msedge.exe"];

    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("paperlab-browser-");
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The gallery's folder.</summary>
    public string Site => Path.Combine(_scratch.FullName, "site");

    /// <summary>Where a Chromium is: as the variable says, else on the search path; null where there is none.</summary>
    public static string? Chromium { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    /// <summary>Why nothing runs where there is no browser.</summary>
    public static string Reason => $"there is no Chromium on the search path; install one, or name it with {Variable}";

    /// <summary>The folder that holds PaperLab.sln.</summary>
    public static string Repository { get; } = FindRepository();

    public async ValueTask InitializeAsync()
    {
        if (Chromium is null)
        {
            return;
        }

        GalleryPaper[] papers = [.. Directory.GetFiles(Path.Combine(Repository, "notebooks"), "*.ipynb").Order(StringComparer.Ordinal)
            .Select(path => new GalleryPaper(Path.GetFileNameWithoutExtension(path), Notebook.Load(path), [new TrainingTime("standard", "cpu", 1, 20, TimeSpan.FromMinutes(73))]))];
        GalleryWriter.Write(papers, PlotlyScript.FromAssembly(Path.Combine(AppContext.BaseDirectory, "Plotly.NET.dll")), Site);
        _playwright = await Playwright.CreateAsync();
        // As root, as in a container, Chromium starts without its sandbox only.
        string[] arguments = Environment.UserName == "root" ? ["--no-sandbox"] : [];
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Chromium, Args = arguments });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        _scratch.Delete(recursive: true);
    }

    /// <summary>Opens a page of the gallery; skips the test where there is no browser.</summary>
    /// <param name="path">The page's path in the gallery, with whatever follows in the address.</param>
    /// <param name="width">Width of the window, CSS pixels.</param>
    /// <param name="script">Whether scripts run.</param>
    public async Task<OpenPage> OpenAsync(string path, int width, bool script = true)
    {
        Assert.SkipWhen(Chromium is null, Reason);
        IBrowserContext context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 900 },
            ColorScheme = ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            JavaScriptEnabled = script,
        });
        var page = new OpenPage(context, await context.NewPageAsync());
        await page.WatchAsync();
        await page.Page.GotoAsync(new Uri(Site).AbsoluteUri + "/" + path);
        return page;
    }

    private static string FindRepository()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "PaperLab.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("PaperLab.sln is in no folder above the tests.");
    }
}

/// <summary>A page in a window of its own; what it asks of a network, and what it complains of, is written down.</summary>
public sealed partial class OpenPage(IBrowserContext context, IPage page) : IAsyncDisposable
{
    // On a machine that is busy with other things; milliseconds.
    private const float Patience = 120_000;

    private static readonly string Checks = ReadChecks();

    private readonly List<string> _faults = [];

    public IPage Page => page;

    /// <summary>Requests off this machine, and errors on the console, so far.</summary>
    public IReadOnlyList<string> Faults => _faults;

    public ValueTask DisposeAsync() => new(context.CloseAsync());

    /// <summary>Begins to write down; a request that is not for a file or for what the page holds itself is not let out.</summary>
    public async Task WatchAsync()
    {
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                _faults.Add($"console: {message.Text}");
            }
        };
        page.PageError += (_, error) => _faults.Add($"error: {error}");
        await page.RouteAsync("**/*", async route =>
        {
            if (new Uri(route.Request.Url).Scheme is "file" or "data" or "blob")
            {
                await route.ContinueAsync();
                return;
            }

            _faults.Add($"external request: {route.Request.Url}");
            await route.AbortAsync();
        });
    }

    /// <summary>Brings every chart near the window, which draws it, and opens everything that is folded away.</summary>
    public async Task UnfoldAsync()
    {
        foreach (ILocator chart in await page.Locator("figure.chart").AllAsync())
        {
            // One after the other: a chart that the window passes between two frames was never near it.
            await chart.ScrollIntoViewIfNeededAsync();
            await Assertions.Expect(chart).ToHaveClassAsync(DrawnClass(), new LocatorAssertionsToHaveClassOptions { Timeout = Patience });
        }

        await page.EvaluateAsync("() => document.querySelectorAll('details').forEach(fold => { fold.open = true; })");
        await page.EvaluateAsync(Checks);
    }

    /// <summary>The faults that a check of page-checks.js finds.</summary>
    public Task<string[]> CheckAsync(string check) => page.EvaluateAsync<string[]>("check => paperlabChecks[check]()", check);

    /// <summary>Sets the system's theme, and waits until the charts have followed.</summary>
    public async Task SetThemeAsync(ColorScheme theme)
    {
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = theme, ReducedMotion = ReducedMotion.Reduce });
        string paper = theme == ColorScheme.Dark ? "rgb(29, 32, 37)" : "rgb(255, 255, 255)";
        await page.WaitForFunctionAsync(
            "paper => [...document.querySelectorAll('figure.chart .main-svg:first-child')].every(layer => layer.style.background === paper)", paper, new PageWaitForFunctionOptions { Timeout = Patience });
    }

    [GeneratedRegex(@"\bdrawn\b")]
    private static partial Regex DrawnClass();

    private static string ReadChecks()
    {
        using Stream stream = typeof(OpenPage).Assembly.GetManifestResourceStream(typeof(OpenPage), "page-checks.js")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
