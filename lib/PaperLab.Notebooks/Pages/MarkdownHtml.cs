// Markdown cells to HTML: GitHub's dialect, formulas, highlighted C#, pictures inside the page, anchors for headings.

using System.Text;
using System.Text.Json.Nodes;
using Markdig;
using Markdig.Extensions.EmphasisExtras;
using Markdig.Extensions.Tables;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using PaperLab.Notebooks.Pages.Maths;

namespace PaperLab.Notebooks.Pages;

/// <summary>Renders the markdown of one page. <paramref name="folder"/> is where relative pictures lie; null where that is unknown.</summary>
internal sealed class MarkdownHtml(TableOfContents contents, string? folder, Action<string> warn)
{
    private readonly MarkdownPipeline _pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables()
        .UseTaskLists()
        .UseAutoLinks()
        .UseAlertBlocks()
        .UseEmphasisExtras(EmphasisExtraOptions.Strikethrough)
        .Use(new TexMarkdown(warn))
        .Build();

    /// <summary>A cell of the notebook; its headings enter the table of contents.</summary>
    public string Cell(string markdown, JsonObject? attachments) => Render(markdown, attachments, listed: true);

    /// <summary>Markdown that a code cell put out; its headings are its own.</summary>
    public string Output(string markdown) => Render(markdown, null, listed: false);

    private string Render(string markdown, JsonObject? attachments, bool listed)
    {
        try
        {
            return RenderDocument(Markdown.Parse(markdown, _pipeline), attachments, listed);
        }
        catch (ArgumentException error) // how Markdig refuses thousands of nested quotes, lists or brackets
        {
            warn($"the markdown is shown as its source because it cannot be read: {error.Message}");
            return $"<pre>{Html.Escape(markdown)}</pre>\n";
        }
    }

    private string RenderDocument(MarkdownDocument document, JsonObject? attachments, bool listed)
    {
        foreach (MarkdownObject node in document.Descendants().ToArray())
        {
            if (node is LinkInline { IsImage: true } picture)
                Embed(picture, attachments);
            else if (node is HeadingBlock heading && listed)
                AddAnchor(heading);
            else if (node is HtmlBlock or HtmlInline)
                WarnOfNetwork(node is HtmlBlock block ? block.Lines.ToString() : ((HtmlInline)node).Tag);
            if (node is ParagraphBlock or HeadingBlock or ListBlock or ListItemBlock or QuoteBlock or TableCell)
                node.GetAttributes().AddPropertyIfNotExist("dir", "auto");
            else if (node is CodeInline)
                node.GetAttributes().AddPropertyIfNotExist("dir", "ltr");
        }

        using var writer = new StringWriter();
        var renderer = new HtmlRenderer(writer);
        _pipeline.Setup(renderer);
        renderer.ObjectRenderers.Replace<CodeBlockRenderer>(new HighlightedCodeRenderer());
        renderer.Render(document);
        return writer.ToString();
    }

    private void AddAnchor(HeadingBlock heading)
    {
        if (heading.Inline is null)
            return;
        string id = contents.Add(heading.Level, ListMarkup(heading.Inline), PlainText(heading.Inline));
        heading.GetAttributes().Id = id;
        heading.Inline.AppendChild(new HtmlInline($"<a class=\"anchor\" href=\"#{Html.Escape(id)}\" aria-label=\"Link to this section\">#</a>"));
    }

    private static string PlainText(ContainerInline inlines) => Flatten(inlines, text => text, code => code, tex => tex);

    private static string ListMarkup(ContainerInline inlines) =>
        Flatten(inlines, Html.Escape, code => $"<code>{Html.Escape(code)}</code>", tex => TexToMathMl.Convert(tex, display: false, _ => { }).Html);

    private static string Flatten(ContainerInline inlines, Func<string, string> text, Func<string, string> code, Func<string, string> tex)
    {
        var flat = new StringBuilder();
        foreach (Inline inline in inlines.Descendants<Inline>())
        {
            flat.Append(inline switch
            {
                LiteralInline literal => text(literal.Content.ToString()),
                HtmlEntityInline entity => text(entity.Transcoded.ToString()),
                CodeInline span => code(span.Content),
                TexInline formula => tex(formula.Tex),
                LineBreakInline => " ",
                _ => "",
            });
        }
        return flat.ToString();
    }

    // ---- Pictures ---------------------------------------------------------------------------------------------------

    /// <summary>Puts the picture into the page; one that cannot be is left as a link that says what it would have shown.</summary>
    private void Embed(LinkInline picture, JsonObject? attachments)
    {
        string url = picture.Url ?? "";
        if (url.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
            return;
        string? data = url.StartsWith("attachment:", StringComparison.Ordinal)
            ? FromAttachment(Uri.UnescapeDataString(url["attachment:".Length..]), attachments)
            : FromFile(url);
        if (data is not null)
        {
            picture.Url = data;
            return;
        }
        picture.IsImage = false;
        if (picture.FirstChild is null)
            picture.AppendChild(new LiteralInline(url));
    }

    private string? FromAttachment(string name, JsonObject? attachments)
    {
        if (attachments?[name] is JsonObject { Count: > 0 } bundle && bundle.First() is var (mimeType, value) && value is JsonValue or JsonArray)
            return Html.DataUri(mimeType, value is JsonArray lines ? string.Concat(lines.Select(line => line?.ToString())) : value.ToString());
        warn($"the picture attachment:{name} is not among its cell's attachments ({Names(attachments)})");
        return null;
    }

    private static string Names(JsonObject? attachments) =>
        attachments is { Count: > 0 } ? string.Join(", ", attachments.Select(entry => entry.Key)) : "the cell has none";

    private string? FromFile(string url)
    {
        if (Uri.TryCreate(url, UriKind.Absolute, out Uri? address) && !address.IsFile)
        {
            warn($"the picture {url} lies on the network; the page links to it instead of showing it");
            return null;
        }
        string path = Path.Combine(folder ?? "", Uri.UnescapeDataString(url));
        string? mimeType = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => "image/png",
            ".jpg" or ".jpeg" => "image/jpeg",
            ".gif" => "image/gif",
            ".webp" => "image/webp",
            ".svg" => "image/svg+xml",
            _ => null,
        };
        if (mimeType is null)
        {
            warn($"the picture {url} is none of .png, .jpg, .gif, .webp and .svg; the page links to it instead");
            return null;
        }
        if (folder is null || !File.Exists(path))
        {
            warn($"the picture {url} is not there (looked for {path}); the page links to it instead");
            return null;
        }
        return Html.DataUri(mimeType, Convert.ToBase64String(File.ReadAllBytes(path)));
    }

    private void WarnOfNetwork(string html)
    {
        foreach (string address in Html.ExternalResources(html))
            warn($"raw HTML loads {address} from the network; it will be missing where there is none");
    }
}

/// <summary>Fenced code: C# is coloured, everything else stays as it is.</summary>
internal sealed class HighlightedCodeRenderer : HtmlObjectRenderer<CodeBlock>
{
    protected override void Write(HtmlRenderer renderer, CodeBlock block)
    {
        string language = (block as FencedCodeBlock)?.Info ?? "";
        string code = block.Lines.ToString();
        bool csharp = language.ToLowerInvariant() is "csharp" or "cs" or "c#";
        renderer.EnsureLine();
        renderer.Write("<pre class=\"listing\" dir=\"ltr\"><code>").Write(csharp ? CSharpHighlighter.ToHtml(code) : Html.Escape(code)).WriteLine("</code></pre>");
    }
}
