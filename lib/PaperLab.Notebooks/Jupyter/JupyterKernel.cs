// A Jupyter kernel for the C# of notebooks: one process for each open notebook. Requests on the shell channel are answered one after
// another on the main thread, those on the control channel at once on another, so that a busy cell can be interrupted or ended.

using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;
using PaperLab.Notebooks.Script.Language;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>Serves the front ends of one notebook until one of them says "shut down".</summary>
public sealed class JupyterKernel : IDisposable
{
    /// <summary>The hidden command under which a kernelspec starts the tool; the connection file follows.</summary>
    public const string CommandName = "jupyter-kernel";

    private const string LanguageVersion = "14.0"; // that of .NET 10
    private const string RequestSuffix = "_request";

    private readonly BlockingCollection<KernelRequest> _requests = [];
    private readonly BlockingCollection<KernelRequest> _controls = [];
    private readonly CellHistory _history = new();
    private readonly Action<string> _log;
    private readonly KernelWire _wire;
    private readonly KernelOutput _output;
    private readonly KernelInput _input;
    private readonly ScriptSession _session;
    private readonly CellExecution _execution;

    private JupyterKernel(ConnectionFile connection, Action<string> log)
    {
        _log = log;
        _wire = new KernelWire(connection, _requests.Add, _controls.Add, Answer, log);
        _output = new KernelOutput(_wire);
        _input = new KernelInput(_wire, _output.Flush);
        _session = new ScriptSession(Directory.GetCurrentDirectory(), _output, _input);
        _execution = new CellExecution(_session, _wire, _output, _input, _history);
    }

    /// <summary>Serves until a front end shuts the kernel down, which ends the process; returns an exit code where it cannot start.</summary>
    /// <param name="arguments">The arguments after the command name: the connection file.</param>
    public static int Run(IReadOnlyList<string> arguments)
    {
        if (arguments is not [string path])
        {
            Console.Error.WriteLine($"{CommandName} is started by Jupyter, with a connection file; `paperlab kernel install` tells Jupyter how.");
            return 2;
        }

        _ = ScriptSession.WarmUp();
        TextWriter errors = Console.Error; // the server's log; the session makes another of it
        try
        {
            using var kernel = new JupyterKernel(ConnectionFile.Read(path), line => errors.WriteLine($"paperlab kernel: {line}"));
            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
            {
                context.Cancel = true;
                kernel._execution.Interrupt();
            });
            using var parent = new ParentProcess(() => HostExit.Leave(kernel._execution.IsBusy));
            kernel.Serve();
            return 0;
        }
        catch (KernelStartException error)
        {
            errors.WriteLine($"paperlab kernel: {error.Message}");
            return 2;
        }
    }

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        _session.Dispose();
        _output.Dispose();
        _wire.Dispose();
        _requests.Dispose();
        _controls.Dispose();
    }

    private void Answer(KernelRequest answer)
    {
        if (answer is { Type: "input_reply", Value: string line })
        {
            _input.Answer(line);
        }
    }

    private void Serve()
    {
        _wire.Begin();
        _wire.PublishStatus("starting", null);
        new Thread(() => Serve(_controls, _wire.ReplyOnControl, AnswerControl)) { IsBackground = true, Name = "jupyter control" }.Start();
        Serve(_requests, _wire.ReplyOnShell, AnswerShell);
    }

    // A request that is at fault, or an answer that fails, is answered with an error: nothing that arrives ends the kernel.
    private void Serve(BlockingCollection<KernelRequest> requests, Reply reply, Action<KernelRequest, Reply> answer)
    {
        foreach (KernelRequest request in requests.GetConsumingEnumerable())
        {
            Serve(request, reply, answer);
        }
    }

    private void Serve(KernelRequest request, Reply reply, Action<KernelRequest, Reply> answer)
    {
        _wire.PublishStatus("busy", request);
        try
        {
            answer(request, reply);
        }
        catch (Exception error)
        {
            _log($"{request.Type} failed: {(error is JsonException ? error.Message : error)}");
            if (request.Type.EndsWith(RequestSuffix, StringComparison.Ordinal))
            {
                reply(request, request.Type[..^RequestSuffix.Length] + "_reply", content =>
                {
                    content.WriteString("status", "error");
                    KernelOutput.WriteError(content, new ErrorOutput(error.GetType().FullName!, error.Message, [error.Message]));
                });
            }
        }

        _wire.PublishStatus("idle", request);
    }

    private void AnswerControl(KernelRequest request, Reply reply)
    {
        switch (request.Type)
        {
            case "kernel_info_request":
                reply(request, "kernel_info_reply", WriteKernelInfo);
                break;
            case "interrupt_request":
                _execution.Interrupt();
                reply(request, "interrupt_reply", WriteOk);
                break;
            case "shutdown_request":
                ShutDown(request, reply);
                break;
            default:
                _log($"{request.Type} was ignored: this kernel does not know it");
                break;
        }
    }

    private void AnswerShell(KernelRequest request, Reply reply)
    {
        switch (request.Type)
        {
            case "execute_request":
                Execute(request);
                break;
            case "complete_request":
                Complete(request, reply);
                break;
            case "inspect_request":
                Inspect(request, reply);
                break;
            case "is_complete_request":
                IsComplete(request, reply);
                break;
            case "history_request":
                History(request, reply);
                break;
            case "comm_info_request":
                reply(request, "comm_info_reply", content =>
                {
                    WriteOk(content);
                    content.WriteStartObject("comms");
                    content.WriteEndObject();
                });
                break;
            case "comm_open":
                // Nothing here opens comms from the kernel's side, so that no target is known: the front end is told to forget it.
                string comm = request.Text("comm_id");
                _wire.Publish("comm_close", request, content =>
                {
                    content.WriteString("comm_id", comm);
                    content.WriteStartObject("data");
                    content.WriteEndObject();
                });
                break;
            case "comm_msg" or "comm_close":
                break;
            default:
                AnswerControl(request, reply);
                break;
        }
    }

    private void Execute(KernelRequest request)
    {
        if (_execution.Run(request))
        {
            return;
        }

        // What was sent before the front end could know of the error does not run.
        for (int waiting = _requests.Count; waiting > 0 && _requests.TryTake(out KernelRequest? next); waiting--)
        {
            Serve(next, _wire.ReplyOnShell, next.Type == "execute_request" ? Abort : AnswerShell);
        }
    }

    private static void Abort(KernelRequest request, Reply reply) => reply(request, "execute_reply", content => content.WriteString("status", "aborted"));

    private void Complete(KernelRequest request, Reply reply)
    {
        (string code, int position) = request.CodeAndPosition();
        CompletionResult found = _session.CompleteAsync(code, position).GetAwaiter().GetResult();
        int start = KernelRequest.CharactersBefore(code, found.Start), end = KernelRequest.CharactersBefore(code, found.End);
        reply(request, "complete_reply", content =>
        {
            WriteOk(content);
            content.WriteNumber("cursor_start", start);
            content.WriteNumber("cursor_end", end);
            content.WriteStartArray("matches");
            foreach (CompletionText item in found.Items)
            {
                content.WriteStringValue(item.Text);
            }

            content.WriteEndArray();
            content.WriteStartObject("metadata");
            content.WriteStartArray("_jupyter_types_experimental");
            foreach (CompletionText item in found.Items)
            {
                content.WriteStartObject();
                content.WriteNumber("start", start);
                content.WriteNumber("end", end);
                content.WriteString("text", item.Text);
                content.WriteString("type", item.Kind);
                content.WriteEndObject();
            }

            content.WriteEndArray();
            content.WriteEndObject();
        });
    }

    private void Inspect(KernelRequest request, Reply reply)
    {
        (string code, int position) = request.CodeAndPosition();
        MimeBundle? description = _session.DescribeAsync(code, position).GetAwaiter().GetResult();
        reply(request, "inspect_reply", content =>
        {
            WriteOk(content);
            content.WriteBoolean("found", description is not null);
            KernelOutput.WriteData(content, description);
        });
    }

    private static void IsComplete(KernelRequest request, Reply reply)
    {
        CodeStatus status = CodeStatus.Of(request.Text("code"), Notebook.CSharp);
        reply(request, "is_complete_reply", content =>
        {
            content.WriteString("status", status.State.ToString().ToLowerInvariant());
            if (status.State == CodeState.Incomplete)
            {
                content.WriteString("indent", status.Indent);
            }
        });
    }

    private void History(KernelRequest request, Reply reply)
    {
        bool output = request.Flag("output", false);
        IEnumerable<HistoryEntry> found = request.Text("hist_access_type") switch
        {
            "tail" => _history.Tail(request.Number("n") ?? 0),
            "range" => _history.Range(request.Number("session") ?? 0, request.Number("start") ?? 0, request.Number("stop")),
            "search" => _history.Search(request.OptionalText("pattern") ?? "*", request.Number("n"), request.Flag("unique", false)),
            var other => throw new JsonException($"\"hist_access_type\" is \"{other}\"; there are tail, range and search"),
        };
        reply(request, "history_reply", content =>
        {
            WriteOk(content);
            content.WriteStartArray("history");
            foreach (HistoryEntry entry in found)
            {
                content.WriteStartArray();
                content.WriteNumberValue(CellHistory.Session);
                content.WriteNumberValue(entry.Line);
                if (output)
                {
                    content.WriteStartArray();
                }

                content.WriteStringValue(entry.Source);
                if (output)
                {
                    content.WriteStringValue(entry.Output);
                    content.WriteEndArray();
                }

                content.WriteEndArray();
            }

            content.WriteEndArray();
        });
    }

    private void ShutDown(KernelRequest request, Reply reply)
    {
        bool busy = _execution.IsBusy;
        bool restart = request.Flag("restart", false);
        reply(request, "shutdown_reply", content =>
        {
            WriteOk(content);
            content.WriteBoolean("restart", restart);
        });
        _wire.PublishStatus("idle", request);
        _wire.Dispose();
        HostExit.Leave(busy);
    }

    private static void WriteOk(Utf8JsonWriter content) => content.WriteString("status", "ok");

    private static void WriteKernelInfo(Utf8JsonWriter content)
    {
        string version = typeof(JupyterKernel).Assembly.GetName().Version!.ToString(3);
        WriteOk(content);
        content.WriteString("protocol_version", WireFormat.Protocol);
        content.WriteString("implementation", "paperlab");
        content.WriteString("implementation_version", version);
        content.WriteStartObject("language_info");
        content.WriteString("name", "C#");
        content.WriteString("version", LanguageVersion);
        content.WriteString("mimetype", "text/x-csharp");
        content.WriteString("file_extension", ".cs");
        content.WriteString("pygments_lexer", "csharp");
        content.WriteString("codemirror_mode", "text/x-csharp");
        content.WriteEndObject();
        content.WriteString("banner", $"PaperLab {version}: C# {LanguageVersion} on {RuntimeInformation.FrameworkDescription}. #!lsmagic lists the commands.");
        content.WriteBoolean("debugger", false);
        content.WriteStartArray("help_links");
        content.WriteEndArray();
    }

    private delegate void Reply(KernelRequest request, string type, Action<Utf8JsonWriter> content);
}
