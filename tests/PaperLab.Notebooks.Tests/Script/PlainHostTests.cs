// The pages in a host that knows nothing of PaperLab: Roslyn's own scripting, with what .NET Interactive imports and nothing else. What
// compiles there needs no function of one engine, and so runs in every notebook host for C#.

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Script;

public sealed class PlainHostTests
{
    private static readonly string Pages = Path.Combine(Tool.Repository, "notebooks");

    // The framework alone: this test's own libraries would bring the names that PaperLab's engine gives to cells.
    private static readonly ScriptOptions Plain = ScriptOptions.Default
        .WithImports("System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq")
        .WithReferences(Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System*.dll").Select(path => MetadataReference.CreateFromFile(path)))
        .WithMetadataResolver(ScriptMetadataResolver.Default.WithBaseDirectory(Pages));

    public static TheoryData<string> Names => [.. Directory.GetFiles(Pages, "*.ipynb").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_page_compiles_in_a_plain_script_host(string name)
    {
        Assert.Empty(MistakesIn(Notebook.Load(Path.Combine(Pages, name + ".ipynb"))));
    }

    [Theory]
    [InlineData("1.Display();", "CS1061")]
    [InlineData("display(1);", "CS0103")]
    [InlineData("using Microsoft.DotNet.Interactive;", "CS0234")]
    public void A_function_of_one_engine_does_not_compile_there(string code, string mistake)
    {
        var page = new Notebook();
        page.Cells.Add(new Cell(CellKind.Code, "int fine = 1;"));
        page.Cells.Add(new Cell(CellKind.Code, code));

        Assert.Contains(mistake, Assert.Single(MistakesIn(page)));
    }

    private static List<string> MistakesIn(Notebook page)
    {
        var mistakes = new List<string>();
        Script<object>? cells = null;
        foreach (Cell cell in page.Cells.Where(cell => cell.Kind == CellKind.Code))
        {
            cells = cells is null ? CSharpScript.Create(cell.Source, Plain) : cells.ContinueWith(cell.Source);
            mistakes.AddRange(cells.GetCompilation().GetDiagnostics(TestContext.Current.CancellationToken)
                .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(diagnostic => $"cell {cell.Id}: {diagnostic}"));
        }

        return mistakes;
    }
}
