// The C# engine: state, values, output, errors. Interruption has a process of its own: InterruptedCellTests.

using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Tests.Script;

/// <summary>Tests that run a session share its process-wide Console, so they take turns.</summary>
[CollectionDefinition(nameof(SessionCollection), DisableParallelization = true)]
public sealed class SessionCollection;

[Collection(nameof(SessionCollection))]
public sealed class ScriptSessionTests : IDisposable
{
    private readonly RecordingSink _sink = new();
    private readonly ScriptSession _session;
    private int _number;

    public ScriptSessionTests() => _session = new ScriptSession(AppContext.BaseDirectory, _sink);

    public void Dispose() => _session.Dispose();

    [Fact]
    public async Task State_is_kept_from_cell_to_cell()
    {
        await Succeed("var x = 20; int Twice(int n) => 2 * n; record Point(int X);");
        CellResult result = await Succeed("x++; Twice(x) + new Point(1).X");

        Assert.Equal("43", result.Value!.PlainText);
        Assert.Equal(2, result.ExecutionCount);
        Assert.Equal(result.Value, Assert.IsType<ResultOutput>(_sink.Outputs[^1]).Data);
    }

    [Theory]
    [InlineData("var y = 1;", null)]
    [InlineData("Math.Abs(-1);", null)]
    [InlineData("1 + 1", "2")]
    [InlineData("\"text\"", "text")]
    [InlineData("(string)null", "<null>")]
    [InlineData("await Task.FromResult(7)", "7")]
    [InlineData("", null)]
    [InlineData("// only a comment", null)]
    public async Task Only_a_last_expression_without_a_semicolon_is_a_value(string code, string? text)
    {
        CellResult result = await Succeed(code);

        Assert.Equal(text, result.Value?.PlainText);
    }

    [Theory]
    [MemberData(nameof(DependentCells))]
    public async Task Cells_see_what_those_before_declared_and_assigned_also_when_compiled_ahead(bool ahead, string expected, string[] cells)
    {
        CellResult? result = null;
        for (int i = 0; i < cells.Length; i++)
        {
            (int, string, string)? next = ahead && i + 1 < cells.Length ? (i + 2, cells[i + 1], Notebook.CSharp) : null;
            result = await _session.RunAsync(cells[i], i + 1, next: next, cancel: TestContext.Current.CancellationToken);
            Assert.Equal(!cells[i].Contains("throw", StringComparison.Ordinal), result.Succeeded);
        }

        Assert.Equal(expected, result!.Value!.PlainText);
    }

    public static TheoryData<bool, string, string[]> DependentCells => new(
        from ahead in new[] { false, true }
        from row in new (string Expected, string[] Cells)[]
        {
            ("3", ["int x = 1;", "x += 1;", "x += 1; x"]),
            ("4", ["1 + 1", "Math.Abs(1);", "2 + 2"]),
            ("7", ["int.TryParse(\"7\", out var n);", "n"]),
            ("1z", ["(int a, string b) = (1, \"z\");", "a + b"]),
            ("True", ["object o = 5;", "bool fits = o is int five && five == 5;", "fits"]),
            ("a.b", ["using System.IO;", "1", "Path.ChangeExtension(\"a.x\", \"b\")"]),
            ("6", ["int x = 2;", "x = 5; throw new InvalidOperationException();", "x + 1"]),
            ("9", ["int x = 1;", "await Task.Delay(1); x = 9;", "x"]),
            ("2", ["int x = 1;", "x", "var x = \"ab\";", "x.Length"]),
            ("8", ["#pragma warning disable\n1", "int Eight() => 8;", "Eight();", "Eight()"]),
        }
        select (ahead, row.Expected, row.Cells));

    [Fact]
    public async Task A_cell_that_was_compiled_ahead_fails_only_when_its_turn_comes_and_may_never_come()
    {
        CellResult first = await _session.RunAsync("int x = 1;", 1, next: (2, "x.None()", Notebook.CSharp), cancel: TestContext.Current.CancellationToken);
        CellResult another = await _session.RunAsync("var y = x + 1; y", 2, next: (3, "y.None()", Notebook.CSharp), cancel: TestContext.Current.CancellationToken);
        CellResult faulty = await _session.RunAsync("y.None()", 3, cancel: TestContext.Current.CancellationToken);

        Assert.True(first.Succeeded);
        Assert.Equal("2", another.Value!.PlainText);
        Assert.Contains("cell 3, line 1", faulty.Error!.Message);
        Assert.Contains("None", faulty.Error.Message);
    }

    [Fact]
    public async Task An_await_at_the_top_level_comes_back_to_the_thread_it_left()
    {
        CellResult result = await Succeed(
            "int before = Environment.CurrentManagedThreadId; await Task.Delay(1); await Task.Yield(); before == Environment.CurrentManagedThreadId");

        Assert.Equal("True", result.Value!.PlainText);
    }

    [Fact]
    public async Task The_default_usings_are_those_of_dotnet_interactive()
    {
        await Succeed("var a = new StringBuilder(); IEnumerable b = new List<int>(); Task c = Task.CompletedTask; var d = Enumerable.Range(0, 2);");
        CellResult result = await Run("File.ReadAllText(\"x\")");

        Assert.Contains("CS0103", result.Error!.Message);
        Assert.Contains("`using System.IO;`", result.Error.Message);
    }

    [Fact]
    public async Task The_whole_framework_can_be_named()
    {
        CellResult result = await Succeed(
            "using System.Text.Json; using System.Net.Http; using System.Collections.Concurrent;\n"
            + "typeof(HttpClient).Name + JsonSerializer.Serialize(new { a = 1 }) + new ConcurrentQueue<int>().Count + System.Diagnostics.Process.GetCurrentProcess().Id.ToString()[..0]");

        Assert.Equal("HttpClient{\"a\":1}0", result.Value!.PlainText);
    }

    [Fact]
    public async Task Output_of_the_cell_and_of_its_background_threads_arrives_in_order()
    {
        await Succeed("Console.Write(\"a\\r\"); Console.WriteLine(\"b {0}\", 1); await Task.Run(() => Console.WriteLine('c')); Console.Error.WriteLine(2.5);");

        Assert.Equal("a\rb 1\nc\n", _sink.Stdout);
        Assert.Equal("2.5\n", _sink.Stderr);
    }

    [Fact]
    public async Task Many_threads_may_write_at_once()
    {
        await Succeed("Parallel.For(0, 1000, i => Console.WriteLine(i));");

        Assert.Equal(Enumerable.Range(0, 1000), _sink.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).Order());
    }

    [Fact]
    public async Task A_compile_error_names_the_cell_and_the_line_and_runs_nothing()
    {
        _number = 6;
        CellResult result = await Run("Console.WriteLine(1);\nvar ok = 1;\nnope();\nint n = \"x\";");

        Assert.Equal("CompilationError", result.Error!.Name);
        Assert.Equal(2, result.Error.Traceback.Count);
        Assert.StartsWith("cell 7, line 3: CS0103: ", result.Error.Traceback[0]);
        Assert.StartsWith("cell 7, line 4: CS0029: ", result.Error.Traceback[1]);
        Assert.Equal("", _sink.Stdout);
        Assert.IsType<ErrorOutput>(Assert.Single(_sink.Outputs));
    }

    [Fact]
    public async Task After_an_error_the_session_goes_on_with_what_was_assigned()
    {
        await Succeed("var x = 1;");
        await Run("x = 2; throw new Exception();");
        await Run("does not compile");
        CellResult result = await Succeed("x");

        Assert.Equal("2", result.Value!.PlainText);
    }

    [Fact]
    public async Task A_stack_trace_names_cells_and_lines_and_nothing_of_the_engine()
    {
        await Succeed("void Inner(int n)\n{\n    throw new InvalidOperationException($\"bad {n}\");\n}");
        CellResult result = await Run("\n\nawait Task.Yield();\nInner(3);");

        Assert.Equal("System.InvalidOperationException", result.Error!.Name);
        Assert.Equal("bad 3", result.Error.Message);
        Assert.Equal(["System.InvalidOperationException: bad 3", "   at Inner(Int32 n) in cell 1, line 3", "   at cell 2, line 4"], result.Error.Traceback);
    }

    [Fact]
    public async Task Inner_exceptions_and_aggregates_are_told_one_by_one()
    {
        CellResult result = await Run(
            "try { int.Parse(\"x\"); } catch (Exception e) { throw new AggregateException(\"both\", new ArgumentException(\"outer\", e), new Exception(\"second\")); }");

        string text = string.Join('\n', result.Error!.Traceback);
        Assert.Contains("System.AggregateException: both", text);
        Assert.Contains("inner exception 1 of 2: System.ArgumentException: outer", text);
        Assert.Contains("caused by System.FormatException: The input string 'x'", text);
        Assert.Contains("inner exception 2 of 2: System.Exception: second", text);
    }

    [Theory]
    [InlineData("using var s = new System.IO.MemoryStream();", "no using declaration at the top level")]
    [InlineData("namespace A { class B { } }", "no namespaces")]
    [InlineData("Span<int> s = stackalloc int[3];", "a field cannot be a span")]
    [InlineData("static class E { public static int Plus(this int n) => n + 1; }", "declare extension methods at the top level")]
    [InlineData("#r \"no/such.dll\"", "build it first with `dotnet build`")]
    public async Task What_script_CSharp_cannot_do_comes_with_the_way_round(string code, string hint)
    {
        CellResult result = await Run("\n" + code);

        Assert.StartsWith("cell 1, line 2: ", result.Error!.Message);
        Assert.Contains(hint, string.Join('\n', result.Error.Traceback));
    }

    [Fact]
    public async Task A_cancellation_of_the_cells_own_is_an_ordinary_error()
    {
        CellResult result = await Run("throw new OperationCanceledException(\"mine\");");

        Assert.False(result.Interrupted);
        Assert.Equal("System.OperationCanceledException", result.Error!.Name);
    }

    [Fact]
    public async Task Deep_recursion_has_sixteen_megabytes_of_stack()
    {
        CellResult result = await Succeed("int Down(int n) => n == 0 ? 0 : 1 + Down(n - 1); Down(100_000)");

        Assert.Equal("100000", result.Value!.PlainText);
    }

    [Fact]
    public async Task A_second_session_in_the_process_is_refused()
    {
        Assert.Throws<InvalidOperationException>(() => new ScriptSession(".", _sink));
        await Succeed("1");
    }

    [Fact]
    public void Console_is_given_back()
    {
        _session.Dispose();
        Console.Out.Flush();

        Assert.IsNotType<SinkWriter>(Console.Out);
        Assert.Null(AppContext.GetData(ScriptSession.DisplayHook));
    }

    private Task<CellResult> Run(string code) => _session.RunAsync(code, ++_number);

    private async Task<CellResult> Succeed(string code)
    {
        CellResult result = await Run(code);
        Assert.True(result.Succeeded, string.Join('\n', result.Error?.Traceback ?? []));
        return result;
    }
}
