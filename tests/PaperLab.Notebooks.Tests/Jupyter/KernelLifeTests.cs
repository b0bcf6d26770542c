// Kernels that are interrupted, restarted, shut down, or do not start: each in a process of its own, for an interruption aborts a thread.

using System.Diagnostics;
using System.Text.Json.Nodes;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Jupyter;

public sealed class KernelLifeTests
{
    [Fact]
    public void Busy_cells_are_interrupted_by_message_and_by_signal_and_the_state_is_kept()
    {
        using var kernel = new KernelClient();
        kernel.Succeed($"#r \"{Path.Combine(Tool.Repository, "lib", "out", "PaperLab.Display.dll")}\"\nusing PaperLab;\nusing TorchSharp;");
        kernel.Succeed("TorchRuntime.Initialize(\"cpu\"); var weights = torch.zeros(32, 32); var kept = 5;");
        string[] loops =
        [
            "Console.WriteLine(\"go\"); while (true) { }",
            "Console.WriteLine(\"go\"); await Task.Delay(-1);",
            "Console.WriteLine(\"go\"); Console.ReadLine();",
            """
            for (int step = 0; ; step++)
            {
                using (torch.NewDisposeScope()) { weights.add_(torch.randn(32, 32).matmul(weights).sigmoid()); }
                if (step % 100 == 0) Console.WriteLine("go");
            }
            """,
        ];
        foreach (string loop in loops)
        {
            Interrupt(kernel, loop, () => kernel.AskOnControl("interrupt_request"));
            if (!OperatingSystem.IsWindows())
            {
                Interrupt(kernel, loop, () => SendInterrupt(kernel.Process.Id));
            }
        }

        Assert.Equal("5", kernel.Succeed("kept").Value);
        Assert.Equal("True", kernel.Succeed("weights.sum().item<float>() > 0").Value);
    }

    [Fact]
    public void An_interruption_of_an_idle_kernel_does_nothing()
    {
        using var kernel = new KernelClient();

        Assert.Equal("ok", kernel.AskOnControl("interrupt_request").Status);

        Assert.Equal("2", kernel.Succeed("1 + 1").Value);
    }

    [Fact]
    public void A_restarted_kernel_listens_in_the_same_place_and_has_forgotten_everything()
    {
        using var kernel = new KernelClient();
        kernel.Succeed("var before = 1;");

        Answer end = kernel.AskOnControl("shutdown_request", new JsonObject { ["restart"] = true });

        Assert.True(end.Reply["restart"]!.GetValue<bool>());
        kernel.WaitForExit();
        kernel.Start();
        Answer answer = kernel.Run("before");
        Assert.Equal(("error", 1), (answer.Status, answer.Reply["execution_count"]!.GetValue<int>()));
    }

    [Fact]
    public void A_busy_kernel_can_be_shut_down()
    {
        using var kernel = new KernelClient();
        string id = kernel.Begin("Console.WriteLine(\"go\"); while (true) { }");
        kernel.WaitForText("go", id);

        Assert.Equal("ok", kernel.AskOnControl("shutdown_request", new JsonObject { ["restart"] = false }).Status);

        kernel.WaitForExit();
    }

    [Theory]
    [InlineData("ip", "192.0.2.1", "loopback network only")]
    [InlineData("ip", "0.0.0.0", "loopback network only")]
    [InlineData("key", "", "\"key\" is empty")]
    [InlineData("signature_scheme", "hmac-md5", "hmac-sha256")]
    [InlineData("transport", "ipc", "tcp")]
    [InlineData("shell_port", "many", "no port \"shell_port\"")]
    public async Task A_connection_file_that_asks_for_something_else_is_refused(string field, string value, string message)
    {
        using var tool = new Tool();
        string file = Path.Combine(tool.Scratch, "connection.json");
        var connection = new JsonObject
        {
            ["transport"] = "tcp",
            ["ip"] = "127.0.0.1",
            ["signature_scheme"] = "hmac-sha256",
            ["key"] = "k",
            ["shell_port"] = 50001,
            ["control_port"] = 50002,
            ["stdin_port"] = 50003,
            ["iopub_port"] = 50004,
            ["hb_port"] = 50005,
            [field] = value,
        };
        await File.WriteAllTextAsync(file, connection.ToJsonString(), TestContext.Current.CancellationToken);

        ToolResult result = await tool.RunAsync("jupyter-kernel", file);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Stderr);
        Assert.Contains(file, result.Stderr);
    }

    private static void Interrupt(KernelClient kernel, string code, Action interrupt)
    {
        string id = kernel.Begin(code);
        string next = kernel.Begin("kept = 6;");
        kernel.WaitForText("go", id);
        kernel.WaitForArrival();

        interrupt();

        Answer answer = kernel.AnswerTo(id);
        Assert.Equal("error", answer.Status);
        Assert.Equal("Interrupted", Assert.Single(answer.All("error"))["ename"]!.GetValue<string>());
        Assert.Equal("aborted", kernel.AnswerTo(next).Status);
    }

    private static void SendInterrupt(int process)
    {
        using var kill = Process.Start("kill", ["-INT", process.ToString()]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
