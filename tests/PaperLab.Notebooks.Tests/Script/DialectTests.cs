// The dialect of .NET Interactive: display and its relatives, formatters, magic commands, references, packages, imports.

using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Tests.Script;

[Collection(nameof(SessionCollection))]
public sealed class DialectTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-dialect-");
    private readonly RecordingSink _sink = new();
    private readonly ScriptSession _session;
    private int _number;

    public DialectTests() => _session = new ScriptSession(_folder.FullName, _sink);

    public void Dispose()
    {
        _session.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("display(\"hello\");", "text/plain", "hello")]
    [InlineData("\"<b>x</b>\".DisplayAs(\"text/html\");", "text/html", "<b>x</b>")]
    [InlineData("HTML(\"<i>y</i>\").Display();", "text/html", "<i>y</i>")]
    [InlineData("display(new { A = 1 }, \"application/json\");", "application/json", "{\"A\":1}")]
    [InlineData("Javascript(\"f()\");", "text/html", "<script type=\"text/javascript\">f()</script>")]
    [InlineData("CSS(\"a {}\");", "text/html", "<style type=\"text/css\">a {}</style>")]
    [InlineData("using static Microsoft.DotNet.Interactive.Formatting.PocketViewTags; display(b(\"<z>\"));", "text/html", "<b>&lt;z&gt;</b>")]
    public async Task Display_and_its_relatives_show_what_they_show_in_dotnet_interactive(string code, string mimeType, string expected)
    {
        await Succeed(code);

        JsonNode shown = Assert.Single(_sink.Displays).Data[mimeType]!;
        Assert.Equal(expected, shown is JsonObject ? shown.ToJsonString() : shown.ToString());
    }

    [Fact]
    public async Task An_update_replaces_what_was_shown_also_from_a_later_cell()
    {
        await Succeed("var shown = display(1); var html = \"<b>1</b>\".DisplayAs(\"text/html\");");
        await Succeed("shown.Update(2); html.Update(\"<b>2</b>\");");

        Assert.Equal(["2", ""], _sink.Displays.Select(display => display.Data.PlainText));
        Assert.Equal("<b>2</b>", _sink.Displays.Last().Data["text/html"]!.ToString());
    }

    [Fact]
    public async Task A_library_shows_and_replaces_objects_through_the_hook_alone()
    {
        await Succeed($"var show = (Func<object, Action<object>>)AppContext.GetData(\"{ScriptSession.DisplayHook}\"); var replace = show(\"first\"); replace(\"second\");");

        Assert.Equal("second", Assert.Single(_sink.Displays).Data.PlainText);
    }

    [Fact]
    public async Task A_registered_formatter_decides_how_a_type_is_shown()
    {
        await Succeed("using Microsoft.DotNet.Interactive.Formatting; record P(int X); Formatter.Register<P>(p => $\"<p>{p.X}</p>\", \"text/html\");");
        CellResult result = await Succeed("new P(4)");

        Assert.Equal("<p>4</p>", result.Value!["text/html"]!.ToString());
    }

    [Fact]
    public async Task A_convention_attribute_in_the_page_itself_is_found_by_its_name()
    {
        await Succeed(Convention);
        CellResult result = await Succeed("new Shown()");

        Assert.Equal(["text/html", "text/plain"], result.Value!.Entries.Select(entry => entry.Key));
        Assert.Equal(["<hr>", "line"], result.Value.Entries.Select(entry => entry.Value.ToString()));
    }

    [Fact]
    public async Task A_library_beside_the_notebook_brings_its_dependencies_and_its_formatters()
    {
        string inner = Compile("Inner", "public static class Inner { public static int Value => 7; }");
        Compile("Outer", Convention + " public class Deep { public static int Value => Inner.Value; }", inner);

        CellResult result = await Succeed("#r \"lib/Outer.dll\"\nDeep.Value + Inner.Value");
        CellResult shown = await Succeed("new Shown()");

        Assert.Equal("14", result.Value!.PlainText);
        Assert.Equal("<hr>", shown.Value!["text/html"]!.ToString());
    }

    [Fact]
    public async Task A_library_that_comes_later_and_a_mistake_leave_every_type_what_it_was()
    {
        Compile("Inner", "public static class Inner { public static int Value => 7; }");
        await Succeed("var made = HTML(\"a\"); var sorted = new SortedSet<int>();");

        await Succeed("#r \"lib/Inner.dll\"\nmade = HTML(\"b\"); SortedSet<int> same = sorted;");
        await Succeed("made = HTML(\"c\"); same = sorted; Inner.Value");
        Assert.NotNull((await Run("nowhereDeclared")).Error);
        await Succeed("made = HTML(\"d\"); sorted = same; new System.Net.Http.HttpClient().Dispose();");
        CellResult result = await Succeed("made = HTML(\"e\"); sorted = same; made");

        Assert.Equal("e", result.Value!["text/html"]!.ToString());
    }

    [Fact]
    public async Task The_formatting_library_is_the_hosts_even_where_a_library_brings_its_own()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "lib"));
        File.Copy(typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.Location, Path.Combine(_folder.FullName, "lib", "Microsoft.DotNet.Interactive.Formatting.dll"));

        CellResult result = await Succeed("#r \"lib/Microsoft.DotNet.Interactive.Formatting.dll\"\ntypeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.Location");

        Assert.Equal(typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.Location, result.Value!.PlainText);
    }

    [Fact]
    public async Task Other_languages_in_the_middle_of_a_cell_are_shown_in_order_and_lines_stay_right()
    {
        CellResult result = await Run("1\n#!html\n<b>x</b>\n#!markdown\n# y\n#!javascript\nf();\n#!csharp\nnope");

        Assert.Equal(["1", "<b>x</b>", "# y", "<script type=\"text/javascript\">f();</script>"], _sink.Displays.Select(display => display.Data.Entries[^1].Value.ToString()));
        Assert.StartsWith("cell 1, line 9: CS0103", result.Error!.Message);
    }

    [Fact]
    public async Task Magic_commands_answer_at_their_place_in_the_cell()
    {
        await Succeed("#!time\nvar a = 1;\n#!who\nvar b = \"t\";\n#!whos\n#!about\n#!lsmagic");

        List<string> texts = [.. _sink.Displays.Select(display => display.Data.PlainText)];
        Assert.Equal("a", texts[0]);
        Assert.Equal("a  System.Int32  1\nb  System.String  t", texts[1]);
        Assert.Contains("Roslyn 5", texts[2]);
        Assert.Contains("#!import", texts[3]);
        Assert.Matches("^Wall time: [0-9.]+ms$", texts[4]);
    }

    [Theory]
    [InlineData("var a = 1;\n#!tyme", "cell 1, line 2: unknown magic command #!tyme; known are #!import, #!csharp")]
    [InlineData("#!fsharp\nlet x = 1", "cell 1, line 1: #!fsharp: this engine runs C#")]
    [InlineData("#!import nothing.csx", "cell 1, line 1: #!import: there is no file \"nothing.csx\"")]
    [InlineData("#!import", "cell 1, line 1: #!import: there is no file")]
    [InlineData("#r \"nuget:\"", "cell 1, line 1: #r \"nuget:\" is not a package")]
    public async Task What_the_engine_does_not_know_is_an_error_with_its_line(string code, string message)
    {
        CellResult result = await Run(code);

        Assert.StartsWith(message, result.Error!.Message);
    }

    [Fact]
    public async Task A_cell_in_another_language_is_refused_with_the_way_round()
    {
        CellResult result = await _session.RunAsync("let x = 1", 3, "fsharp", cancel: TestContext.Current.CancellationToken);

        Assert.Contains("cell 3, line 1: #!fsharp: this engine runs C#", result.Error!.Message);
    }

    [Fact]
    public async Task An_import_runs_scripts_and_notebooks_relative_to_the_importing_file()
    {
        Write("sub/inner.csx", "int Inner() => 5;");
        Write("sub/outer.dib", "#!markdown\n# not code\n#!csharp\n#!import inner.csx\nvar outer = Inner() + 1;");

        CellResult result = await Succeed("#!import \"sub/outer.dib\"\nouter");

        Assert.Equal("6", result.Value!.PlainText);
    }

    [Fact]
    public async Task An_import_that_goes_in_a_circle_is_an_error()
    {
        Write("a.csx", "#!import b.csx");
        Write("b.csx", "\n#!import a.csx");

        CellResult result = await Run("#!import a.csx");

        Assert.Equal("b.csx, line 2: #!import: a.csx → b.csx → a.csx goes in a circle", result.Error!.Message);
    }

    [Fact]
    public async Task An_error_in_an_imported_file_names_that_file()
    {
        Write("bad.csx", "\nthrow new Exception(\"inside\");");

        CellResult result = await Run("#!import bad.csx");

        Assert.Contains("   at bad.csx, line 2", result.Error!.Traceback);
    }

    [Fact]
    public void A_check_reports_every_error_and_runs_nothing()
    {
        _session.Dispose();
        Compile("Inner", "public static class Inner { public static int Value => 7; }");
        string witness = Path.Combine(_folder.FullName, "ran");

        IReadOnlyList<CellDiagnostic> found = ScriptSession.Check(
            _folder.FullName,
            [
                (1, $"#r \"lib/Inner.dll\"\nSystem.IO.File.WriteAllText(\"{witness.Replace("\\", "\\\\")}\", \"\"); var a = Inner.Value;", "csharp"),
                (2, "\nnope();", "csharp"),
                (3, "int b = a;\n#!tyme", "csharp"),
                (5, "string c = b;", "csharp"),
            ],
            TestContext.Current.CancellationToken);

        Assert.Equal([("cell 2", 2), ("cell 3", 2), ("cell 5", 1)], found.Select(fault => (fault.Place, fault.Line)));
        Assert.False(File.Exists(witness));
    }

    private const string Convention = """
        class TypeFormatterSourceAttribute : System.Attribute
        {
            public TypeFormatterSourceAttribute(System.Type formatterSourceType) { FormatterSourceType = formatterSourceType; }
            public System.Type FormatterSourceType { get; }
            public string[] PreferredMimeTypes { get; set; }
        }
        public class ShownFormatter
        {
            private readonly string _text;
            public ShownFormatter(string mimeType, string text) { MimeType = mimeType; _text = text; }
            public string MimeType { get; }
            public System.Type Type => typeof(Shown);
            public bool Format(object instance, System.IO.TextWriter writer) { writer.Write(_text); return true; }
        }
        public class ShownSource
        {
            public System.Collections.Generic.IEnumerable<object> CreateTypeFormatters() => new object[] { new ShownFormatter("text/html", "<hr>"), new ShownFormatter("text/plain", "line") };
        }
        [TypeFormatterSource(typeof(ShownSource), PreferredMimeTypes = new[] { "text/html", "text/plain" })]
        public class Shown { }
        """;

    private string Compile(string name, string code, params string[] references)
    {
        string path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder.FullName, "lib")).FullName, name + ".dll");
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        CSharpCompilation compilation = CSharpCompilation.Create(
            name + Path.GetFileName(_folder.FullName),
            [CSharpSyntaxTree.ParseText(code)],
            [.. new[] { typeof(object).Assembly.Location, Path.Combine(framework, "System.Runtime.dll") }.Concat(references).Select(file => MetadataReference.CreateFromFile(file))],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)).WithAssemblyName(name);
        Microsoft.CodeAnalysis.Emit.EmitResult emitted = compilation.Emit(path);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics));
        return path;
    }

    private void Write(string name, string text)
    {
        string path = Path.Combine(_folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private Task<CellResult> Run(string code) => _session.RunAsync(code, ++_number);

    private async Task<CellResult> Succeed(string code)
    {
        CellResult result = await Run(code);
        Assert.True(result.Succeeded, string.Join('\n', result.Error?.Traceback ?? []));
        return result;
    }
}
