// <think>chain</think><answer>answer</answer>: each tag once, in this order, with nothing but white space before, between and after.
// The paper's format reward (arXiv 2501.12948, section 2.2) asks for the tags; that nothing else may stand outside them is this
// project's reading, since text after the answer is a second answer.

namespace PaperLab.Reinforcement;

/// <summary>The two parts of a well-formed completion, white space around them left out.</summary>
public sealed record Response(string Chain, string Answer);

/// <summary>Reads the answer format.</summary>
public static class ResponseFormat
{
    public const string ThinkBegin = "<think>";
    public const string ThinkEnd = "</think>";
    public const string AnswerBegin = "<answer>";
    public const string AnswerEnd = "</answer>";

    /// <summary>The tags in their order.</summary>
    public static IReadOnlyList<string> Tags { get; } = [ThinkBegin, ThinkEnd, AnswerBegin, AnswerEnd];

    /// <summary>A completion in the format; the chain may be empty.</summary>
    public static string Write(string chain, string answer) => $"{ThinkBegin}{chain}{ThinkEnd}{AnswerBegin}{answer}{AnswerEnd}";

    /// <summary>The parts of a well-formed completion; null, and what is wrong with it, otherwise.</summary>
    public static Response? Read(string text, out string fault)
    {
        int[] at = [.. Tags.Select(tag => text.IndexOf(tag, StringComparison.Ordinal))];
        for (int i = 0; i < at.Length; i++)
        {
            fault = at[i] < 0 ? $"no {Tags[i]}"
                : text.IndexOf(Tags[i], at[i] + 1, StringComparison.Ordinal) >= 0 ? $"{Tags[i]} more than once"
                : i > 0 && at[i] < at[i - 1] ? $"{Tags[i]} before {Tags[i - 1]}"
                : "";
            if (fault.Length > 0)
            {
                return null;
            }
        }

        int[] after = [.. at.Zip(Tags, (place, tag) => place + tag.Length)];
        string answer = text[after[2]..at[3]].Trim();
        fault = !IsBlank(text[..at[0]]) ? $"text before {ThinkBegin}"
            : !IsBlank(text[after[1]..at[2]]) ? $"text between {ThinkEnd} and {AnswerBegin}"
            : !IsBlank(text[after[3]..]) ? $"text after {AnswerEnd}"
            : answer.Length == 0 ? "an empty answer"
            : "";
        return fault.Length > 0 ? null : new Response(text[after[0]..at[1]].Trim(), answer);
    }

    /// <summary>Where a reader would look for the answer: in the last answer tags after the chain, or in all that follows the chain.</summary>
    public static string FindAnswer(string text)
    {
        int chainEnd = text.LastIndexOf(ThinkEnd, StringComparison.Ordinal);
        string rest = chainEnd < 0 ? text : text[(chainEnd + ThinkEnd.Length)..];
        int begin = rest.LastIndexOf(AnswerBegin, StringComparison.Ordinal);
        rest = begin < 0 ? rest : rest[(begin + AnswerBegin.Length)..];
        int end = rest.IndexOf(AnswerEnd, StringComparison.Ordinal);
        return (end < 0 ? rest : rest[..end]).Trim();
    }

    /// <summary>What a reader would call the chain, also of a completion that is not well formed; tags are left out.</summary>
    public static string FindChain(string text)
    {
        int end = text.LastIndexOf(ThinkEnd, StringComparison.Ordinal);
        end = end >= 0 ? end : text.IndexOf(AnswerBegin, StringComparison.Ordinal);
        string chain = end >= 0 ? text[..end] : text;
        return Tags.Aggregate(chain, (rest, tag) => rest.Replace(tag, " ")).Trim();
    }

    private static bool IsBlank(string text) => string.IsNullOrWhiteSpace(text);
}
