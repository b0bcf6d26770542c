// Stack traces as a reader of the notebook needs them: the page's own frames by cell and line, libraries by name, the
// engine's and the compiler's frames left out, inner exceptions each with their own.

using System.Text.RegularExpressions;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>From an exception to the error output of a cell.</summary>
internal static partial class Traceback
{
    /// <summary>Name, message and trimmed trace. Paths below <paramref name="folder"/> are shown relative to it.</summary>
    public static ErrorOutput Of(Exception error, string folder)
    {
        // An aggregate of one is a wrapper that says nothing.
        while (error is AggregateException { InnerExceptions.Count: 1 } or System.Reflection.TargetInvocationException { InnerException: not null })
        {
            error = error.InnerException!;
        }

        var lines = new List<string>();
        Describe(error, "", folder, lines);
        return new ErrorOutput(error.GetType().FullName!, error.Message, lines);
    }

    private static void Describe(Exception error, string lead, string folder, List<string> lines)
    {
        lines.AddRange($"{lead}{error.GetType().FullName}: {error.Message}".Split('\n').Select(line => line.TrimEnd('\r')));
        lines.AddRange(Frames(error.StackTrace ?? "", folder));
        if (error is AggregateException aggregate)
        {
            for (int i = 0; i < aggregate.InnerExceptions.Count; i++)
            {
                Describe(aggregate.InnerExceptions[i], $"inner exception {i + 1} of {aggregate.InnerExceptions.Count}: ", folder, lines);
            }
        }
        else if (error.InnerException is { } inner)
        {
            Describe(inner, "caused by ", folder, lines);
        }
    }

    private static IEnumerable<string> Frames(string trace, string folder)
    {
        foreach (string line in trace.Split('\n').Select(line => line.Trim()))
        {
            if (line.Length == 0 || line.StartsWith("---", StringComparison.Ordinal) || Engine().IsMatch(line))
            {
                continue;
            }

            yield return "   " + Readable(line, folder);
        }
    }

    // "at Submission#2.<<Initialize>>d__0.MoveNext() in /x/cell 3:line 2" → "at cell 3, line 2";
    // "at Submission#2.Foo(Int32 n) in /x/cell 3:line 5" → "at Foo(Int32 n) in cell 3, line 5".
    private static string Readable(string frame, string folder)
    {
        string text = TopLevel().Replace(frame, "at ");
        text = Submission().Replace(text, "");
        text = text.Replace(folder + Path.DirectorySeparatorChar, "");
        text = LineNumber().Replace(text, ", line $1");
        return text.Replace("at  in ", "at ");
    }

    [GeneratedRegex(@"^at (Microsoft\.CodeAnalysis\.|PaperLab\.Notebooks\.Script\.|System\.Runtime\.ControlledExecution|System\.Runtime\.CompilerServices\.(TaskAwaiter|AsyncMethodBuilderCore)|System\.Runtime\.ExceptionServices\.|System\.Threading\.ExecutionContext\.)")]
    private static partial Regex Engine();

    [GeneratedRegex(@"^at Submission#\d+\.<<Initialize>>d__\d+\.MoveNext\(\)")]
    private static partial Regex TopLevel();

    [GeneratedRegex(@"Submission#\d+\.")]
    private static partial Regex Submission();

    [GeneratedRegex(@":line (\d+)$")]
    private static partial Regex LineNumber();
}
