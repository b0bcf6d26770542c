// execute_request: runs a cell, shows what it shows, and answers how it went.

using System.Text.Json;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>Runs the cells that front ends send. <see cref="Run"/> is called on one thread, <see cref="Interrupt"/> on any.</summary>
internal sealed class CellExecution(ScriptSession session, KernelWire wire, KernelOutput output, KernelInput input, CellHistory history)
{
    private readonly Lock _gate = new();
    private CancellationTokenSource? _interrupt;

    /// <summary>Whether a cell runs now.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                return _interrupt is not null;
            }
        }
    }

    /// <summary>Runs a cell to its end. False when the cells that were sent after it are not to run, because it failed.</summary>
    public bool Run(KernelRequest request)
    {
        string code = request.Text("code");
        bool silent = request.Flag("silent", false);
        bool counts = !silent && request.Flag("store_history", true);
        IReadOnlyList<KeyValuePair<string, string>> expressions = request.Texts("user_expressions");
        int number = session.ExecutionCount + (counts ? 1 : 0);
        if (!silent)
        {
            wire.Publish("execute_input", request, content =>
            {
                content.WriteString("code", code);
                content.WriteNumber("execution_count", number);
            });
        }

        using var interrupt = new CancellationTokenSource();
        lock (_gate)
        {
            _interrupt = interrupt;
        }

        output.Begin(request, muted: silent);
        input.Begin(request, request.Flag("allow_stdin", true), interrupt.Token);
        CellResult result;
        List<(string Name, CellResult Value)> values = [];
        try
        {
            result = RunCode(code, number, counts, interrupt.Token);
            output.Flush();
            if (result.Succeeded && expressions.Count > 0)
            {
                output.Mute();
                values = [.. expressions.Select(expression => (expression.Key, RunCode(expression.Value, number, counts: false, interrupt.Token)))];
                output.Begin(request, muted: silent);
            }
        }
        finally
        {
            lock (_gate)
            {
                _interrupt = null;
            }

            input.End();
        }

        if (counts)
        {
            history.Add(new HistoryEntry(number, code, result.Value?.PlainText));
        }

        wire.ReplyOnShell(request, "execute_reply", content => WriteReply(content, number, result, values));
        return result.Succeeded || !request.Flag("stop_on_error", true);
    }

    /// <summary>Interrupts the running cell, if one runs.</summary>
    public void Interrupt()
    {
        lock (_gate)
        {
            _ = _interrupt?.CancelAsync(); // what the page hangs on its interruption must not hold up the caller
        }
    }

    private CellResult RunCode(string code, int number, bool counts, CancellationToken cancel) =>
        session.RunAsync(code, number, counts: counts, cancel: cancel).GetAwaiter().GetResult();

    private static void WriteReply(Utf8JsonWriter content, int number, CellResult result, IReadOnlyList<(string Name, CellResult Value)> values)
    {
        WriteOutcome(content, result.Error);
        content.WriteNumber("execution_count", number);
        if (result.Succeeded)
        {
            content.WriteStartArray("payload");
            content.WriteEndArray();
            content.WriteStartObject("user_expressions");
            foreach ((string name, CellResult value) in values)
            {
                content.WriteStartObject(name);
                WriteOutcome(content, value.Error);
                if (value.Succeeded)
                {
                    KernelOutput.WriteData(content, value.Value);
                }

                content.WriteEndObject();
            }

            content.WriteEndObject();
        }
    }

    private static void WriteOutcome(Utf8JsonWriter content, ErrorOutput? error)
    {
        content.WriteString("status", error is null ? "ok" : "error");
        if (error is not null)
        {
            KernelOutput.WriteError(content, error);
        }
    }
}
