// Notebooks as programs: the committed pages export to something that compiles, a small one runs, and what a program cannot hold is refused
// by its cell. `dotnet run` takes a build: `.ci/run` does that with a committed page.

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Script;

public sealed class PageExportTests
{
    private static readonly Lazy<MetadataReference[]> s_libraries = new(() =>
    [
        .. Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "*.dll").Where(IsManaged).Select(path => MetadataReference.CreateFromFile(path)),
        .. new[] { "PaperLab", "PaperLab.Display", "PaperLab.Notebooks", "TorchSharp", "Microsoft.DotNet.Interactive.Formatting", "Microsoft.AspNetCore.Html.Abstractions", "Microsoft.Data.Analysis", "Microsoft.ML.Tokenizers", "MathNet.Numerics" }
            .Select(name => MetadataReference.CreateFromFile(Path.Combine(Tool.Repository, "lib", "out", name + ".dll"))),
    ]);

    public static TheoryData<string> Pages { get; } = [.. Directory.GetFiles(Path.Combine(Tool.Repository, "notebooks"), "*.ipynb").Select(path => Path.GetFileNameWithoutExtension(path))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_committed_page_exports_to_a_program_that_compiles(string name)
    {
        string path = Path.Combine(Tool.Repository, "notebooks", name + ".ipynb");

        string program = Export(Notebook.Load(path), path);

        Assert.Equal("", string.Join('\n', Errors(program)));
        Assert.Contains("#:project ../../lib/PaperLab.Display/PaperLab.Display.csproj\n", program);
        Assert.Contains("preset = exportedPage.Parameter(\"preset\", preset);", program);
        Assert.DoesNotContain("#r ", program);
    }

    [Fact]
    public void Words_become_comments_types_go_to_the_end_and_a_value_is_shown_unless_it_is_none()
    {
        string program = Export(PageOf("record Pair(int A, int B);\nvar pair = new Pair(1, 2);\npair.A", "Console.WriteLine(pair)", "await Task.FromResult(3)", "public static int Twice(int x) => 2 * x;\nTwice(4)"));

        Assert.Equal("", string.Join('\n', Errors(program)));
        Assert.Contains("// # Title\n//\n// Words.\n", program);
        Assert.Contains("exportedPage.Show(() => pair.A);", program);
        Assert.Contains("exportedPage.Show(() => Console.WriteLine(pair));", program);
        Assert.Contains("exportedPage.Show(await Task.FromResult(3));", program);
        Assert.Contains("\nint Twice(int x) => 2 * x;", program);
        Assert.EndsWith("record Pair(int A, int B);\n", program);
    }

    [Fact]
    public async Task A_program_takes_parameters_by_name_prints_what_cells_show_and_writes_pictures_beside_itself()
    {
        using var tool = new Tool();
        Notebook page = PageOf("var seed = 1;", "\"iVBORw0KGgo=\".DisplayAs(\"image/png\");\nseed * 6", "System.IO.Directory.GetCurrentDirectory()");
        page.Cells[1].AddTag("parameters");
        // Beside the libraries that it needs, as a build puts it; where its source would lie, `dotnet run` tells it so.
        string program = Path.Combine(AppContext.BaseDirectory, $"exported-{Guid.NewGuid():N}.dll"), config = Path.Combine(tool.Scratch, "runtimeconfig.json");
        File.WriteAllText(config, $$"""
            { "runtimeOptions": { "framework": { "name": "Microsoft.NETCore.App", "version": "10.0.0" }, "configProperties": { "EntryPointFileDirectoryPath": "{{tool.Scratch}}" } } }
            """);
        try
        {
            Assert.True(Compile(Export(page, Path.Combine(tool.Scratch, "page.ipynb"), tool.Scratch)).Emit(program, cancellationToken: TestContext.Current.CancellationToken).Success);

            ToolResult given = await RunAsync("seed=7"), wrong = await RunAsync("sed=7");

            Assert.True(given.ExitCode == 0, given.All);
            Assert.Equal($"→ page-output/cell-02-1.png\n42\n{tool.Scratch}", given.Stdout.TrimEnd());
            Assert.Equal(Convert.FromBase64String("iVBORw0KGgo="), File.ReadAllBytes(Path.Combine(tool.Scratch, "page-output", "cell-02-1.png")));
            Assert.Equal((2, "page: \"sed=7\" is no parameter; give NAME=VALUE with one of seed."), (wrong.ExitCode, wrong.Stderr.TrimEnd()));
        }
        finally
        {
            File.Delete(program);
        }

        Task<ToolResult> RunAsync(string argument)
        {
            tool.Start("dotnet", ["exec", "--runtimeconfig", config, program, argument]);
            return tool.EndAsync();
        }
    }

    [Fact]
    public void Packages_become_lines_of_the_program()
    {
        string program = Export(PageOf("#r \"nuget:Some.Package, 1.2.3\"\n#r \"nuget:Another\"\n1"));

        Assert.Contains("#:package Some.Package@1.2.3\n#:package Another@*\n#:package Microsoft.AspNetCore.Html.Abstractions@", program); // the last is a version that the engine's project pins
    }

    [Theory]
    [InlineData("#!time\n1", "#!time is a command of notebooks")]
    [InlineData("#!html\n<b>x</b>", "it holds html; a program is C# alone")]
    [InlineData("#load \"more.csx\"", "it loads more.csx")]
    [InlineData("#r \"own.dll\"", "it references own.dll, and no project here builds that")]
    [InlineData("var first = 2;", "it declares first, and so does cell 1")]
    [InlineData("int Property { get; set; }", "`int Property { get; set; }` can stand in a cell but not in a program")]
    public void What_a_program_cannot_hold_is_refused_by_its_cell(string cell, string problem)
    {
        string message = Assert.Throws<PageExportException>(() => Export(PageOf("var first = 1;", cell))).Message;

        Assert.StartsWith("code cell 2 cannot be part of a program: ", message);
        Assert.Contains(problem, message);
    }

    private static Notebook PageOf(params string[] code)
    {
        var page = new Notebook();
        page.Cells.Add(new Cell(CellKind.Markdown, "# Title\n\nWords."));
        foreach (string source in code)
        {
            page.Cells.Add(new Cell(CellKind.Code, source));
        }

        return page;
    }

    private static string Export(Notebook page, string? path = null, string? folder = null)
    {
        string Project(string name) => Path.Combine(Tool.Repository, "lib", name, name + ".csproj");
        return PageExport.ToProgram(
            page,
            path ?? Path.Combine(Tool.Repository, "notebooks", "page.ipynb"),
            folder ?? Path.Combine(Tool.Repository, "artifacts", "export"),
            Project("PaperLab.Notebooks"),
            "",
            library => Path.GetFileNameWithoutExtension(library) is var name && File.Exists(Project(name)) ? Project(name) : null);
    }

    private static IEnumerable<string> Errors(string program) => Compile(program).GetDiagnostics(TestContext.Current.CancellationToken)
        .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(diagnostic => diagnostic.ToString());

    private static CSharpCompilation Compile(string program)
    {
        var parsing = new CSharpParseOptions(LanguageVersion.CSharp14).WithFeatures([KeyValuePair.Create("FileBasedProgram", "true")]);
        return CSharpCompilation.Create("program", [CSharpSyntaxTree.ParseText(program, parsing)], s_libraries.Value, new CSharpCompilationOptions(OutputKind.ConsoleApplication));
    }

    private static bool IsManaged(string path)
    {
        using FileStream file = File.OpenRead(path);
        using var image = new System.Reflection.PortableExecutable.PEReader(file);
        return image.HasMetadata;
    }
}
