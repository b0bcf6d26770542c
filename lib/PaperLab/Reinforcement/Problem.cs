// Problems whose answers can be checked by rule, and the tasks that they come from.

using System.Text.Json.Serialization;
using PaperLab.Text;

namespace PaperLab.Reinforcement;

/// <summary>One problem.</summary>
/// <param name="Prompt">What the model reads.</param>
public abstract record Problem(string Prompt)
{
    /// <summary>The language that the chain of thought should keep to; null where none is asked for.</summary>
    public Language? Language { get; init; }

    /// <summary>Judges an answer, 0 or 1. Never throws for an answer's sake, and evaluates nothing.</summary>
    /// <param name="answer">Strict: what stood between the answer tags. Lenient: that, or the text where the answer should be.</param>
    /// <param name="scoring">How much of its form is forgiven.</param>
    public abstract Score Check(string answer, Scoring scoring);
}

/// <summary>A problem with a completion that shows how to go about it.</summary>
/// <param name="Problem">The problem.</param>
/// <param name="Completion">Chain and answer, in the answer format; the answer may be wrong where the task's options say so.</param>
public sealed record Demonstration(Problem Problem, string Completion);

/// <summary>Where problems come from. The same arguments give the same problem on every machine.</summary>
public interface ITask
{
    /// <summary>What the task is called.</summary>
    string Name { get; }

    /// <summary>The levels that problems can be drawn at, the easiest first.</summary>
    IReadOnlyList<int> Difficulties { get; }

    /// <summary>A problem. What is drawn for one side of the split is never drawn for the other.</summary>
    /// <exception cref="ArgumentException">There is no such difficulty, or nothing can be drawn.</exception>
    Problem Draw(Split split, int difficulty, ulong seed);

    /// <summary>A problem of the train side with a scripted completion, to prime a base model with.</summary>
    /// <exception cref="ArgumentException">There is no such difficulty, or nothing can be drawn.</exception>
    Demonstration Demonstrate(int difficulty, ulong seed);
}

/// <summary>A task in a vocabulary of its own, for models that are trained from nothing.</summary>
public interface ISymbolTask : ITask
{
    /// <summary>The symbols of prompts and chains.</summary>
    SymbolTokenizer Tokenizer { get; }
}

/// <summary>Which problems a task has, and how it demonstrates them.</summary>
[JsonDerivedType(typeof(ParityOptions), "parity")]
[JsonDerivedType(typeof(CountdownOptions), "countdown")]
public abstract record TaskOptions
{
    /// <summary>The task.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public abstract ISymbolTask Create();

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public abstract void Validate();
}

/// <summary>Sets of problems.</summary>
public static class TaskProblems
{
    private const int AttemptsPerProblem = 100;

    /// <summary>Problems of which no two have the same prompt.</summary>
    /// <exception cref="ArgumentException">The task does not have so many.</exception>
    public static IReadOnlyList<Problem> DrawDistinct(this ITask task, Split split, int difficulty, int count, ulong seed)
    {
        Require.AtLeast(count, 1, nameof(count));
        var prompts = new HashSet<string>();
        var problems = new List<Problem>(count);
        var random = new SplitMix64(seed);
        for (long attempt = 0; problems.Count < count; attempt++)
        {
            Require.That(attempt < (long)count * AttemptsPerProblem, nameof(count), count, $"about {problems.Count}: {task.Name} gave no more distinct {split} problems of difficulty {difficulty}");
            Problem problem = task.Draw(split, difficulty, random.NextBits());
            if (prompts.Add(problem.Prompt))
            {
                problems.Add(problem);
            }
        }

        return problems;
    }

    internal static void RequireDifficulty(this ITask task, int difficulty) =>
        Require.That(task.Difficulties.Contains(difficulty), nameof(difficulty), difficulty, $"{string.Join(", ", task.Difficulties)}, those of {task.Name}");
}
