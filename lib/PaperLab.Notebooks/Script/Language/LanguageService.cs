// What an editor asks about C#: what could stand at the cursor, and what does stand there. Answered by the compiler's own language
// services, on a chain of projects that mirrors the cells that ran. Nothing of it is loaded before the first question.

using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Completion;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.QuickInfo;
using Microsoft.CodeAnalysis.Tags;
using Microsoft.CodeAnalysis.Text;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script.Language;

/// <summary>Completion and description of source that would come after the cells that ran. One question at a time, and none while a cell runs.</summary>
internal sealed class LanguageService(CSharpCells cells)
{
    // Tags of the language services that say what a thing is; others say how visible it is.
    private static readonly ImmutableHashSet<string> Kinds =
    [
        WellKnownTags.Class, WellKnownTags.Constant, WellKnownTags.Delegate, WellKnownTags.Enum, WellKnownTags.EnumMember, WellKnownTags.Event,
        WellKnownTags.ExtensionMethod, WellKnownTags.Field, WellKnownTags.Interface, WellKnownTags.Keyword, WellKnownTags.Label, WellKnownTags.Local,
        WellKnownTags.Method, WellKnownTags.Namespace, WellKnownTags.Operator, WellKnownTags.Parameter, WellKnownTags.Property,
        WellKnownTags.RangeVariable, WellKnownTags.Snippet, WellKnownTags.Structure, WellKnownTags.TypeParameter,
    ];

    private readonly MefHostServices _host = MefHostServices.Create(MefHostServices.DefaultAssemblies);
    private ImmutableArray<MetadataReference> _named = [];
    private ImmutableArray<MetadataReference> _references = [];
    private Solution? _solution;
    private Mirrored? _last;
    private int _mirrored;

    /// <summary>What could stand at <paramref name="position"/>.</summary>
    public async Task<CompletionResult> CompleteAsync(string source, int position)
    {
        int line = source.LastIndexOf('\n', Math.Max(0, position - 1), Math.Max(0, position)) + 1;
        if (source.AsSpan(line, position - line).StartsWith("#!"))
        {
            string typed = source[line..position];
            return new CompletionResult(line, position, [.. MagicCommand.All.Where(command => command.Name.StartsWith(typed, StringComparison.Ordinal)).Select(command => new CompletionText(command.Name, "magic"))]);
        }

        if (IsOtherLanguage(source, line, position))
        {
            return new CompletionResult(position, position, []);
        }

        Document document = await DocumentOfAsync(source);
        CompletionService service = CompletionService.GetService(document)!;
        CompletionList list = await service.GetCompletionsAsync(document, position);
        int start = Math.Min(list.Span.Start, position);
        return new CompletionResult(start, position, [.. Matching(service, document, list.ItemsList, source[start..position])
            .Select(item => new CompletionText(TextOf(item), KindOf(item))).DistinctBy(item => item.Text)]);
    }

    /// <summary>What stands at <paramref name="position"/>: its signature and its documentation. Null when that is nothing.</summary>
    public async Task<MimeBundle?> DescribeAsync(string source, int position)
    {
        Document document = await DocumentOfAsync(source);
        QuickInfoService service = QuickInfoService.GetService(document)!;
        QuickInfoItem? info = await service.GetQuickInfoAsync(document, position)
            ?? (await CalledAroundAsync(document, position) is int called ? await service.GetQuickInfoAsync(document, called) : null);
        if (info is null)
        {
            return null;
        }

        List<string> sections = [.. info.Sections.OrderBy(section => section.Kind != QuickInfoSectionKinds.Description).Select(section => section.Text.Trim()).Where(text => text.Length > 0)];
        string markdown = string.Join("\n\n", [$"```csharp\n{sections[0]}\n```", .. sections.Skip(1)]);
        return new MimeBundle(
        [
            KeyValuePair.Create<string, JsonNode>(PlainTextFormatter.MimeType, JsonValue.Create(string.Join("\n\n", sections))),
            KeyValuePair.Create<string, JsonNode>("text/markdown", JsonValue.Create(markdown)),
        ]);
    }

    private static bool IsOtherLanguage(string source, int line, int position) =>
        !source.AsSpan(line, position - line).SequenceEqual(CellText.OnlyCSharp(source, Notebook.CSharp).AsSpan(line, position - line));

    // What can be inserted as it stands and begins as typed, those in the same case first; where nothing does, what the language services think was meant (wl → WriteLine).
    private static IEnumerable<CompletionItem> Matching(CompletionService service, Document document, IReadOnlyList<CompletionItem> items, string typed)
    {
        List<CompletionItem> own = [.. items.Where(item => !item.IsComplexTextEdit)];
        List<CompletionItem> begin = [.. own.Where(item => TextOf(item).StartsWith(typed, StringComparison.OrdinalIgnoreCase))];
        return begin.Count == 0 && own.Count > 0
            ? service.FilterItems(document, [.. own], typed)
            : begin.OrderBy(item => !TextOf(item).StartsWith(typed, StringComparison.Ordinal)).ThenByDescending(item => item.Rules.MatchPriority).ThenBy(item => item.SortText, StringComparer.OrdinalIgnoreCase);
    }

    private static string TextOf(CompletionItem item) => item.Properties.GetValueOrDefault("InsertionText", item.DisplayText);

    private static string KindOf(CompletionItem item) => item.Tags.FirstOrDefault(Kinds.Contains)?.ToLowerInvariant() ?? "text";

    // Within the brackets of a call, the cursor asks about what is called.
    private static async Task<int?> CalledAroundAsync(Document document, int position)
    {
        SyntaxNode root = (await document.GetSyntaxRootAsync())!;
        SyntaxToken token = root.FindToken(Math.Max(0, Math.Min(position, root.FullSpan.End) - 1));
        return token.Parent?.FirstAncestorOrSelf<BaseArgumentListSyntax>()?.Parent switch
        {
            InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } => member.Name.SpanStart,
            InvocationExpressionSyntax call => call.Expression.SpanStart,
            ObjectCreationExpressionSyntax creation => creation.Type.SpanStart,
            _ => null,
        };
    }

    private async Task<Document> DocumentOfAsync(string source)
    {
        await MirrorAsync();
        ProjectId project = ProjectId.CreateNewId();
        Solution asked = WithProject(_solution!, project, _last?.Project);
        return WithDocument(asked, project, CellText.OnlyCSharp(source, Notebook.CSharp), out DocumentId document).GetDocument(document)!;
    }

    // Brings the chain of projects up to the cells that ran. When these can name other libraries than before, it is made anew.
    private async Task MirrorAsync()
    {
        var chain = new List<Submission>();
        for (Submission? cell = cells.Last; cell is not null; cell = cell.Previous)
        {
            chain.Add(cell);
        }

        chain.Reverse();
        if (_solution is null || _named != cells.NamedReferences)
        {
            _named = cells.NamedReferences;
            _references = [.. DocumentedReferences.Of(_named)];
            (_solution, _last, _mirrored) = (new AdhocWorkspace(_host).CurrentSolution, null, 0);
        }

        foreach (Submission cell in chain.Skip(_mirrored))
        {
            if (_last is null || _last.Declared.Overlaps(cell.Declared))
            {
                _solution = _last?.WriteTo(_solution) ?? _solution;
                ProjectId project = ProjectId.CreateNewId();
                _solution = WithDocument(WithProject(_solution, project, _last?.Project), project, "", out DocumentId document);
                _last = new Mirrored(project, document);
            }

            _last.Add(cell);
        }

        if (_last is not null && _mirrored < chain.Count)
        {
            // A question is asked of a copy with one project more. What this one has compiled, its copies share.
            _solution = _last.WriteTo(_solution);
            await _solution.GetProject(_last.Project)!.GetCompilationAsync();
        }

        _mirrored = chain.Count;
    }

    private Solution WithProject(Solution solution, ProjectId project, ProjectId? previous) => solution.AddProject(ProjectInfo.Create(
        project,
        VersionStamp.Default,
        "cell",
        $"cell-{project.Id:N}",
        LanguageNames.CSharp,
        isSubmission: true,
        parseOptions: Submission.Parsing,
        compilationOptions: CSharpCells.BaseOptions.WithMetadataReferenceResolver(null),
        metadataReferences: previous is null ? _references : [], // the next has those of the one before it
        projectReferences: previous is null ? [] : [new ProjectReference(previous)]));

    private static Solution WithDocument(Solution solution, ProjectId project, string text, out DocumentId document)
    {
        document = DocumentId.CreateNewId(project);
        return solution.AddDocument(DocumentInfo.Create(
            document, "cell", sourceCodeKind: SourceCodeKind.Script, loader: TextLoader.From(TextAndVersion.Create(SourceText.From(text), VersionStamp.Default))));
    }

    /// <summary>A project that mirrors cells which declare different names: a project for each cell would cost megabytes.</summary>
    private sealed class Mirrored(ProjectId project, DocumentId document)
    {
        private readonly HashSet<string> _usings = [];
        private readonly StringBuilder _members = new();

        public ProjectId Project => project;

        /// <summary>The names that its cells declare.</summary>
        public HashSet<string> Declared { get; } = [];

        public void Add(Submission cell)
        {
            Declared.UnionWith(cell.Declared);
            foreach (CompilationUnitSyntax root in cell.Texts)
            {
                _usings.UnionWith(root.Usings.Select(import => import.ToString()));
                _members.Append(root.Members.ToFullString()).Append('\n');
            }
        }

        /// <summary>Its cells, as one, become its text.</summary>
        public Solution WriteTo(Solution solution) => solution.WithDocumentText(document, SourceText.From($"{string.Join('\n', _usings)}\n{_members}"));
    }
}
