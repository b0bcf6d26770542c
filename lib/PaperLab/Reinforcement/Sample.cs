// What a verifier is given, and what it returns.

using PaperLab.Generation;
using PaperLab.Text;

namespace PaperLab.Reinforcement;

/// <summary>What a model wrote after a prompt.</summary>
/// <param name="Text">The text, without the token that ended it.</param>
/// <param name="Tokens">Tokens drawn, the one that ended it included.</param>
/// <param name="Truncated">Whether it was cut off rather than ended by itself.</param>
public sealed record Completion(string Text, int Tokens, bool Truncated)
{
    /// <summary>A generator's continuation as text. Only the token that ended it is left out, whatever other tokens look like.</summary>
    public static Completion Of(Continuation continuation, ITokenizer tokenizer)
    {
        int text = continuation.Tokens.Count - (continuation.Truncated ? 0 : 1);
        return new Completion(tokenizer.Decode([.. continuation.Tokens.Take(text)]), continuation.Tokens.Count, continuation.Truncated);
    }
}

/// <summary>A completion to judge.</summary>
/// <param name="Index">Its place in the batch, by which errors name it.</param>
/// <param name="Problem">What was asked.</param>
/// <param name="Completion">What the model wrote.</param>
public sealed record Sample(int Index, Problem Problem, Completion Completion);

/// <summary>What a verifier says of a sample.</summary>
/// <param name="Value">In the verifier's range.</param>
/// <param name="Reason">Why, in a few words that a page can show beside the sample.</param>
public sealed record Score(double Value, string Reason)
{
    internal static Score Right(string reason) => new(1, reason);

    internal static Score Wrong(string reason) => new(0, reason);
}

/// <summary>How much of an answer's form is forgiven.</summary>
public enum Scoring
{
    /// <summary>The completion has the answer format, and the answer is nothing but what was asked for. Rewards use it.</summary>
    Strict,

    /// <summary>An answer that a reader would recognise counts: without tags, amid words, in other signs. For reports beside the strict figure.</summary>
    Lenient,
}
