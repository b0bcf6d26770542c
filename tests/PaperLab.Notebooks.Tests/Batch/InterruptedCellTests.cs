// Cells that are interrupted and sessions that go on, in a notebook's own process, as in a run: an interruption aborts a thread,
// and what that may leave behind (a lock of the runtime, still taken) must not reach the process of the tests.

using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Tests.Script;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class InterruptedCellTests
{
    [Theory]
    [InlineData("Console.WriteLine(\"go\"); while (true) { }")]
    [InlineData("Console.WriteLine(\"go\"); await Task.Delay(-1);")]
    [InlineData("Console.WriteLine(\"go\"); while (true) { try { System.Threading.Thread.Sleep(1); } catch (Exception) { } }")]
    [InlineData("Console.WriteLine(\"go\"); await Task.Yield(); for (;;) { }")]
    public async Task An_interrupted_cell_ends_wherever_it_is_and_the_session_goes_on(string code)
    {
        using var page = new HostedPage();
        await page.SucceedAsync("var kept = 5;");

        await page.InterruptAsync(code);

        Assert.Equal("5", await page.ValueOfAsync("kept"));
    }

    [Fact]
    public async Task What_an_interrupted_cell_assigned_before_is_kept()
    {
        using var page = new HostedPage();
        await page.SucceedAsync("var steps = 0;");

        await page.InterruptAsync("steps = 7; Console.WriteLine(\"go\"); while (true) { }");

        Assert.Equal("7", await page.ValueOfAsync("steps"));
    }

    [Fact]
    public async Task One_interruption_after_another_leaves_the_session_whole()
    {
        using var page = new HostedPage();
        await page.SucceedAsync("var count = 0;");

        for (int times = 1; times <= 5; times++)
        {
            await page.InterruptAsync("count++; Console.WriteLine(\"go\"); while (true) { }");

            // The message of an exception comes from the runtime's resources, which an aborted thread may have been reading.
            await page.SucceedAsync("try { int.Parse(\"x\"); } catch (FormatException) { }");
            Assert.Equal(times.ToString(), await page.ValueOfAsync("count"));
        }
    }

    [Fact]
    public async Task An_interruption_cuts_no_message_in_half_and_leaves_the_outlet_free()
    {
        using var page = new HostedPage();

        await page.InterruptAsync("Task.Run(() => { for (int i = 0; i < 1000; i++) Console.WriteLine(\"beside\"); }); while (true) Console.WriteLine(\"go\");");
        await page.SucceedAsync("Console.WriteLine(\"after\");");

        Assert.Null(page.ProtocolError);
        Assert.EndsWith("after\n", page.Stdout);
        Assert.All(page.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Contains(line, (string[])["go", "beside", "after"]));
    }

    /// <summary>A notebook's process, as the runner starts and drives it.</summary>
    private sealed class HostedPage : IHostWatcher, IDisposable
    {
        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-page-");
        private readonly RecordingSink _sink = new();
        private readonly HostProcess _host;
        private int _number;

        public HostedPage() =>
            _host = HostProcess.Start(new HostLaunch(Tool.Program, [NotebookHost.CommandName]), Path.Combine(_folder.FullName, "page.ipynb"), this);

        public string Stdout => _sink.Stdout;

        public string? ProtocolError => _host.ProtocolError;

        public async Task SucceedAsync(string code)
        {
            CellEnded ended = await EndOfAsync(RunAsync(code));
            Assert.True(ended.Succeeded, string.Join('\n', _sink.Outputs.OfType<ErrorOutput>().SelectMany(error => error.Traceback)));
        }

        public async Task<string> ValueOfAsync(string expression)
        {
            await SucceedAsync(expression);
            return Assert.IsType<ResultOutput>(_sink.Outputs[^1]).Data.PlainText;
        }

        /// <summary>Runs a cell that prints "go" and then never ends, and interrupts it.</summary>
        public async Task InterruptAsync(string code)
        {
            int before = Stdout.Length;
            Task<CellEnded?> running = RunAsync(code);
            await Tool.UntilAsync(() => Stdout[before..].Contains("go\n"));

            _host.Interrupt(_number);
            CellEnded ended = await EndOfAsync(running);

            Assert.False(ended.Succeeded);
            Assert.Equal("Interrupted", _sink.Outputs.OfType<ErrorOutput>().Last().Name);
        }

        void IHostWatcher.OnEvent(HostEvent message) => _sink.Append(Assert.IsType<OutputAppended>(message).Output);

        void IHostWatcher.OnNativeText(StreamName stream, string text) => _sink.Append(new StreamOutput(stream, text));

        public void Dispose()
        {
            _host.Dispose();
            _folder.Delete(recursive: true);
        }

        private async Task<CellEnded> EndOfAsync(Task<CellEnded?> running)
        {
            CellEnded? ended = await running.WaitAsync(Limit, TestContext.Current.CancellationToken);
            Assert.True(ended is not null, "The process died: " + _host.StderrTail);
            return ended;
        }

        private Task<CellEnded?> RunAsync(string code) => _host.RunCellAsync(new RunCell(++_number, Notebook.CSharp, code));
    }
}
