// What front ends see of the kernel, message by message, from one process that all tests here share. Jupyter's own conformance tests
// (test_conformance.py) look at the shape of each reply; here stands what they leave out.

using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Tests.Jupyter;

public sealed class KernelTests(KernelTests.SharedKernel shared) : IClassFixture<KernelTests.SharedKernel>
{
    private KernelClient Kernel => shared.Client;

    [Fact]
    public void A_cell_is_announced_then_shown_then_answered()
    {
        Answer answer = Kernel.Run("Console.Write(\"a\"); Console.Error.Write(\"b\"); display(\"c\"); 6 * 7");

        Assert.Equal(
            ["status", "execute_input", "stream", "stream", "display_data", "execute_result", "status"],
            answer.Published.Select(message => message.Type));
        Assert.Equal(("a", "b", "42"), (answer.Stdout, answer.Stderr, answer.Value));
        int number = answer.Reply["execution_count"]!.GetValue<int>();
        Assert.Equal(number, Assert.Single(answer.All("execute_input"))["execution_count"]!.GetValue<int>());
        Assert.Equal(number, Assert.Single(answer.All("execute_result"))["execution_count"]!.GetValue<int>());
        Assert.Equal(number + 1, Kernel.Succeed("1").Reply["execution_count"]!.GetValue<int>());
    }

    [Fact]
    public void An_error_names_cell_and_line_in_a_trace_without_the_engine_and_the_cells_after_it_are_not_run()
    {
        string failing = Kernel.Begin("int Fail() =>\n    throw new InvalidOperationException(\"on purpose\");\nConsole.ReadLine(); Fail();");
        string second = Kernel.Begin("var reached = 2;");
        string info = Kernel.SendOnShell("kernel_info_request");
        string third = Kernel.Begin("var reached = 3;");
        Kernel.WaitForArrival();
        Kernel.AnswerQuestion("go on");

        Answer answer = Kernel.AnswerTo(failing);
        JsonObject error = Assert.Single(answer.All("error"));
        Assert.Equal("error", answer.Status);
        Assert.Equal("System.InvalidOperationException", error["ename"]!.GetValue<string>());
        Assert.Equal("on purpose", error["evalue"]!.GetValue<string>());
        string trace = string.Join('\n', error["traceback"]!.AsArray());
        Assert.Contains($"in cell {answer.Reply["execution_count"]}, line 2", trace);
        Assert.DoesNotContain("PaperLab.Notebooks", trace);
        Assert.Equal(trace, string.Join('\n', answer.Reply["traceback"]!.AsArray()));
        Assert.Equal("aborted", Kernel.AnswerTo(second).Status);
        Assert.Equal("ok", Kernel.AnswerTo(info).Status); // only cells are left out
        Assert.Equal("aborted", Kernel.AnswerTo(third).Status);
        Assert.Equal("CompilationError", Kernel.Run("reached").Reply["ename"]!.GetValue<string>());
    }

    [Fact]
    public void A_mistake_leaves_the_session_as_it_was()
    {
        Kernel.Succeed("var made = HTML(\"<b>x</b>\"); var sorted = new SortedSet<int> { 2, 1 };");

        Assert.Equal("error", Kernel.Run("nowhereDeclared").Status);

        Assert.Equal("1", Kernel.Succeed("SortedSet<int> same = sorted; Microsoft.AspNetCore.Html.IHtmlContent again = made; made = HTML(\"y\"); same.First()").Value);
        Assert.Equal("00:01:40", Kernel.Succeed("new System.Net.Http.HttpClient().Timeout").Value); // a library that the cells before did not need
        Assert.Equal("2", Kernel.Succeed("SortedSet<int> still = same; again = HTML(\"z\"); display(made); still.Last()").Value);
    }

    [Fact]
    public void A_cell_that_does_not_stop_on_errors_lets_the_next_run()
    {
        string failing = Kernel.Begin("throw new Exception();", content => content["stop_on_error"] = false);
        string next = Kernel.Begin("\"next\"");

        Assert.Equal("error", Kernel.AnswerTo(failing).Status);
        Assert.Equal("next", Kernel.AnswerTo(next).Value);
    }

    [Fact]
    public void A_silent_cell_runs_unseen_and_unnumbered()
    {
        int before = Kernel.Succeed("var quiet = 1;").Reply["execution_count"]!.GetValue<int>();

        Answer answer = Kernel.Run("quiet = 2; Console.WriteLine(\"x\"); display(quiet); quiet", content => content["silent"] = true);
        Answer failing = Kernel.Run("throw new Exception();", content => content["silent"] = true);

        Assert.Equal("ok", answer.Status);
        Assert.Equal("error", failing.Status);
        Assert.All(answer.Published.Concat(failing.Published), message => Assert.Equal("status", message.Type));
        Answer after = Kernel.Run("quiet");
        Assert.Equal(("2", before + 1), (after.Value, after.Reply["execution_count"]!.GetValue<int>()));
    }

    [Fact]
    public void A_cell_beside_the_history_shows_its_value_and_takes_no_number()
    {
        int before = Kernel.Succeed("1").Reply["execution_count"]!.GetValue<int>();

        Answer answer = Kernel.Run("\"beside the history\"", content => content["store_history"] = false);

        Assert.Equal(("beside the history", before), (answer.Value, answer.Reply["execution_count"]!.GetValue<int>()));
        Assert.Empty(History("search", content => content["pattern"] = "*beside the history*"));
    }

    [Fact]
    public void User_expressions_are_answered_with_the_cell_and_show_nothing()
    {
        Answer answer = Kernel.Run("var a = 20;", content => content["user_expressions"] = new JsonObject { ["good"] = "a + 1", ["bad"] = "a.Nothing" });

        JsonNode values = answer.Reply["user_expressions"]!;
        Assert.Equal(("ok", "21"), (values["good"]!["status"]!.GetValue<string>(), values["good"]!["data"]!["text/plain"]!.GetValue<string>()));
        Assert.Equal(("error", "CompilationError"), (values["bad"]!["status"]!.GetValue<string>(), values["bad"]!["ename"]!.GetValue<string>()));
        Assert.Equal(["status", "execute_input", "status"], answer.Published.Select(message => message.Type));
    }

    [Fact]
    public void A_display_is_replaced_in_place_from_a_later_cell()
    {
        JsonObject shown = Assert.Single(Kernel.Succeed("var shown = display(HTML(\"<b>1</b>\"));").All("display_data"));

        JsonObject replaced = Assert.Single(Kernel.Succeed("shown.Update(HTML(\"<b>2</b>\"));").All("update_display_data"));

        Assert.Equal("<b>2</b>", replaced["data"]!["text/html"]!.GetValue<string>());
        Assert.Equal(shown["transient"]!["display_id"]!.GetValue<string>(), replaced["transient"]!["display_id"]!.GetValue<string>());
    }

    [Fact]
    public void Json_is_shown_as_json_and_text_as_text()
    {
        JsonObject json = Assert.Single(Kernel.Succeed("\"{\\\"a\\\": [1]}\".DisplayAs(\"application/vnd.plotly.v1+json\");").All("display_data"));

        Assert.Equal(1, json["data"]!["application/vnd.plotly.v1+json"]!["a"]![0]!.GetValue<int>());
    }

    [Fact]
    public void Output_is_cleared_at_once_or_with_the_next()
    {
        IEnumerable<JsonObject> cleared = Kernel.Succeed("ClearOutput(); ClearOutput(wait: true);").All("clear_output");

        Assert.Equal([false, true], cleared.Select(content => content["wait"]!.GetValue<bool>()));
    }

    [Fact]
    public void A_cell_reads_the_console_from_the_front_end()
    {
        string id = Kernel.Begin("Console.Write(\"Name? \"); var name = Console.ReadLine(); var age = await GetInputAsync(\"Age?\"); var word = await GetPasswordAsync(\"Word?\"); $\"{name} {age} {word}\"");

        JsonObject[] questions = [Kernel.AnswerQuestion("Ada"), Kernel.AnswerQuestion("36"), Kernel.AnswerQuestion("x")];
        Answer answer = Kernel.AnswerTo(id);

        Assert.Equal(["", "Age?", "Word?"], questions.Select(question => question["prompt"]!.GetValue<string>()));
        Assert.Equal([false, false, true], questions.Select(question => question["password"]!.GetValue<bool>()));
        Assert.Equal(("Name? ", "Ada 36 x"), (answer.Stdout, answer.Value));
    }

    [Fact]
    public void A_front_end_that_takes_no_questions_is_not_asked()
    {
        Answer answer = Kernel.Run("Console.ReadLine()", content => content["allow_stdin"] = false);

        Assert.Equal("error", answer.Status);
        Assert.Contains("allow_stdin", answer.Reply["evalue"]!.GetValue<string>());
    }

    [Fact]
    public void There_are_no_comms_and_one_that_is_opened_is_closed()
    {
        Assert.Empty(Kernel.Ask("comm_info_request").Reply["comms"]!.AsObject());

        string id = Kernel.SendOnShell("comm_open", new JsonObject { ["comm_id"] = "c1", ["target_name"] = "jupyter.widget", ["data"] = new JsonObject() });

        Assert.Equal("c1", Kernel.WaitFor("comm_close", id).Text("comm_id"));
    }

    [Fact]
    public void Completion_knows_what_cells_declared_and_says_what_it_is()
    {
        Kernel.Succeed("int counted = 3; string Repeated(int times) => new string('x', times); class Whale { public int Weight; }");

        Assert.Equal("field", KindIn(Complete("coun"), "counted"));
        Assert.Equal("method", KindIn(Complete("Repeated(2).Subs"), "Substring"));
        Assert.Equal("field", KindIn(Complete("new Whale().We"), "Weight"));
        Assert.Equal("class", KindIn(Complete("using System.Net.Http;\nvar c = new HttpCl"), "HttpClient"));
        Assert.Equal("local", KindIn(Complete("void F() { int inside = 1; ins"), "inside"));
        Assert.Equal("magic", KindIn(Complete("#!lsm"), "#!lsmagic"));
        Assert.DoesNotContain("counted", Matches(Complete("#!markdown\ncoun")));
    }

    [Fact]
    public void Completion_knows_the_latest_of_a_name_and_what_a_loaded_file_declares()
    {
        File.WriteAllText(Path.Combine(Kernel.Folder, "loaded.csx"), "int loadedNumber = 1;");
        Kernel.Succeed("using System.Net;\nvar renamed = 1; var beside = 2;");
        Kernel.Succeed("#load \"loaded.csx\"\nvar renamed = \"now a text\" + loadedNumber;");

        Assert.Equal("method", KindIn(Complete("renamed.Subs"), "Substring"));
        Assert.Equal("field", KindIn(Complete("besi"), "beside"));
        Assert.Equal("field", KindIn(Complete("loadedN"), "loadedNumber"));
        Assert.Equal("class", KindIn(Complete("WebUtil"), "WebUtility"));
    }

    [Fact]
    public void Completion_counts_characters_as_front_ends_do()
    {
        JsonObject reply = Complete("var s = \"😀é\"; s.Leng", after: " // 😀");

        Assert.Equal(["Length"], Matches(reply));
        Assert.Equal((16, 20), (reply["cursor_start"]!.GetValue<int>(), reply["cursor_end"]!.GetValue<int>()));
    }

    [Fact]
    public void Inspection_shows_signature_and_documentation()
    {
        Kernel.Succeed("/// <summary>Doubles it.</summary>\nint Double(int n) => 2 * n; var mine = new List<int>();");

        Assert.Contains("Writes", Inspect("Console.WriteLine"));
        Assert.Contains("double Math.Sqrt(double d)", Inspect("Math.Sqrt("));
        Assert.Contains("List<int> mine", Inspect("mine"));
        Assert.Contains("int Double(int n)", Inspect("Double("));
        Assert.False(Kernel.Ask("inspect_request", At("   ")).Reply["found"]!.GetValue<bool>());
    }

    [Fact]
    public void History_has_a_tail_ranges_and_a_search()
    {
        int first = Kernel.Succeed("\"find me\" + 1").Reply["execution_count"]!.GetValue<int>();
        Kernel.Succeed("\"find me\" + 2");
        Kernel.Succeed("\"find me\" + 2");

        Assert.Equal("\"find me\" + 2", Assert.Single(History("tail", content => content["n"] = 1))![2]!.GetValue<string>());
        JsonNode ranged = Assert.Single(History("range", content => (content["session"], content["start"], content["stop"], content["output"]) = (0, first, first + 1, true)))!;
        Assert.Equal((first, "find me1"), (ranged[1]!.GetValue<int>(), ranged[2]![1]!.GetValue<string>()));
        Assert.Equal(3, History("search", content => content["pattern"] = "?find me*").Count);
        Assert.Equal(2, History("search", content => (content["pattern"], content["unique"]) = ("?find me*", true)).Count);
        Assert.Single(History("search", content => (content["pattern"], content["n"]) = ("?find me*", 1)));
        Assert.Empty(History("search", content => content["pattern"] = "find me"));
    }

    [Fact]
    public void What_is_not_signed_with_the_key_does_not_run()
    {
        string forged = Kernel.SendOnShell("execute_request", new JsonObject { ["code"] = "var forged = 1;" }, key: "guessed");

        Answer answer = Kernel.Run("forged");

        Assert.Equal("CompilationError", answer.Reply["ename"]!.GetValue<string>());
        Assert.Contains("its signature is not that of this kernel's key", Kernel.Log);
        Assert.DoesNotContain(answer.Published, message => message.ParentId == forged);
    }

    [Fact]
    public void Frames_that_are_no_message_are_ignored()
    {
        Kernel.SendFrames((byte[])[]);
        Kernel.SendFrames("no delimiter"u8.ToArray(), [0xFF, 0xFE]);
        Kernel.SendFrames("<IDS|MSG>"u8.ToArray(), "ab"u8.ToArray(), "{}"u8.ToArray());
        Kernel.SendFrames("<IDS|MSG>"u8.ToArray(), [], [0x80], [0x80], [0x80], [0x80]);
        Kernel.SendOnShell("nonsense_request");
        Kernel.SendBytes("GET / HTTP/1.1\r\n\r\n"u8); // a browser that strayed

        Assert.Equal("2", Kernel.Succeed("1 + 1").Value);
    }

    [Theory]
    [InlineData("execute_request", "{}")]
    [InlineData("execute_request", """{"code": 5}""")]
    [InlineData("complete_request", """{"code": "x", "cursor_pos": "end"}""")]
    [InlineData("history_request", """{"hist_access_type": "future"}""")]
    public void A_request_without_what_it_needs_is_answered_with_an_error(string type, string content)
    {
        Answer answer = Kernel.Ask(type, JsonNode.Parse(content)!.AsObject());

        Assert.Equal("error", answer.Status);
        Assert.NotEmpty(answer.Reply["evalue"]!.GetValue<string>());
    }

    [Fact]
    public void Fifty_megabytes_of_output_arrive_whole()
    {
        Answer answer = Kernel.Succeed("var line = new string('x', 99); for (int i = 0; i < 500_000; i++) Console.WriteLine(line); Console.Write(\"end\");");

        Assert.Equal(50_000_003, answer.Stdout.Length);
        Assert.EndsWith("x\nend", answer.Stdout);
    }

    [Fact]
    public void Many_small_writes_go_out_together()
    {
        Answer answer = Kernel.Succeed("for (int i = 0; i < 20_000; i++) Console.Write(i % 2 == 0 ? '\\ud83d' : '\\ude00');");

        Assert.Equal(string.Concat(Enumerable.Repeat("😀", 10_000)), answer.Stdout);
        Assert.InRange(answer.All("stream").Count(), 1, 2_000);
    }

    [Fact]
    public void A_thousand_cells_cost_less_than_a_megabyte_each()
    {
        Kernel.Succeed("var sum = 0; new System.Net.Http.HttpClient().Timeout"); // from here on, cells can name many libraries
        long before = Kernel.Memory();

        for (int i = 0; i < 1000; i += 2)
        {
            Kernel.Begin($"int d{i} = {i};");
            Kernel.Begin($"sum += d{i} + {i + 1};");
        }

        Assert.Equal("499500", Kernel.Succeed("sum").Value);
        Assert.InRange(Kernel.Memory() - before, long.MinValue, 1000 * 1_000_000L);
    }

    [Fact]
    public void The_control_channel_answers_while_a_cell_runs()
    {
        string id = Kernel.Begin("Console.WriteLine(\"go\"); var answer = Console.ReadLine();");
        Kernel.WaitForText("go", id);

        JsonObject info = Kernel.AskOnControl("kernel_info_request").Reply;
        Kernel.AnswerQuestion("done");

        Assert.Equal("5.4", info["protocol_version"]!.GetValue<string>());
        Assert.Equal(("C#", ".cs"), (info["language_info"]!["name"]!.GetValue<string>(), info["language_info"]!["file_extension"]!.GetValue<string>()));
        Assert.Equal("ok", Kernel.AnswerTo(id).Status);
    }

    private static JsonObject At(string before, string after = "") => new()
    {
        ["code"] = before + after,
        ["cursor_pos"] = before.EnumerateRunes().Count(),
        ["detail_level"] = 0,
    };

    private static string[] Matches(JsonObject reply) => [.. reply["matches"]!.AsArray().Select(match => match!.GetValue<string>())];

    private static string KindIn(JsonObject reply, string text) => reply["metadata"]!["_jupyter_types_experimental"]!.AsArray()
        .Single(item => item!["text"]!.GetValue<string>() == text)!["type"]!.GetValue<string>();

    private JsonObject Complete(string before, string after = "") => Kernel.Ask("complete_request", At(before, after)).Reply;

    private string Inspect(string code) => Kernel.Ask("inspect_request", At(code)).Reply["data"]!["text/plain"]!.GetValue<string>();

    private JsonArray History(string kind, Action<JsonObject> change)
    {
        var content = new JsonObject { ["hist_access_type"] = kind, ["output"] = false, ["raw"] = true };
        change(content);
        return Kernel.Ask("history_request", content).Reply["history"]!.AsArray();
    }

    /// <summary>The kernel of these tests.</summary>
    public sealed class SharedKernel : IDisposable
    {
        internal KernelClient Client { get; } = new();

        public void Dispose() => Client.Dispose();
    }
}
