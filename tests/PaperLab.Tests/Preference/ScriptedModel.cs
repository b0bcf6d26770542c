// A model for the stub server that plays all four roles and the judge, by rules: an answer is a list of words, some of which the judge
// likes and some of which it does not. The policy knows none of that; it infers it from the two answers that it compares. So best-of-N
// gets somewhere, a search that is told what was better gets further, and nobody needs a model to see it.

using System.Text.RegularExpressions;
using PaperLab.Text;

namespace PaperLab.Tests.Preference;

internal static partial class ScriptedModel
{
    private const int WordsOfAnAnswer = 8;
    private const double Middle = 5;
    private static readonly string[] s_liked = ["examples", "numbers", "brevity", "honesty"];
    private static readonly string[] s_disliked = ["jargon", "hype", "hedging", "repetition"];
    private static readonly string[] s_words = [.. s_liked, .. s_disliked, "tables", "history", "quotations", "lists"];

    /// <summary>The reply to a request, of whichever role it is: the tag that the prompt names last is the one to write in.</summary>
    public static StubReply Answer(StubRequest request)
    {
        string prompt = request.Prompt;
        var random = new SplitMix64(StableHash.Of(prompt) ^ (ulong)request.Seed);
        string role = new[] { "critique", "changes", "answer", "score" }.MaxBy(tag => prompt.LastIndexOf($"</{tag}>", StringComparison.Ordinal))!;
        return StubReply.Say(!prompt.Contains($"</{role}>") ? Write(Enumerable.Range(0, WordsOfAnAnswer).Select(_ => Draw(ref random))) : role switch
        {
            "critique" => $"Let me see.\n<critique>\n{Compare(WordsIn(prompt, "liked"), WordsIn(prompt, "disliked"), ref random)}\n</critique>",
            "changes" => $"<changes>\n{Changes(Part(prompt, "remarks"))}\n</changes>",
            "answer" => $"<answer>\n{Update(WordsIn(prompt, "liked"), Part(prompt, "wanted"), ref random)}\n</answer>",
            _ => $"What decides it is what it is made of. <score>{Score(WordsIn(prompt, "rated"))}</score>",
        });
    }

    /// <summary>The judge's rule.</summary>
    public static double Score(IEnumerable<string> words) =>
        Math.Clamp(Middle + words.Sum(word => s_liked.Contains(word) ? 1 : s_disliked.Contains(word) ? -1 : 0), 0, 2 * Middle);

    private static string Write(IEnumerable<string> words) => $"A good answer has {string.Join(", ", words)}.";

    // What one has more of than the other; of one alone, it is a guess.
    private static string Compare(string[] liked, string[] disliked, ref SplitMix64 random)
    {
        string[] other = disliked.Length == 0 ? [Draw(ref random), Draw(ref random)] : disliked;
        string[] MoreOf(string[] these, string[] those) => [.. these.Distinct().Where(word => these.Count(w => w == word) > those.Count(w => w == word))];
        return $"It gains by its {string.Join(" and ", MoreOf(liked, other))}. It would lose by {string.Join(" and ", MoreOf(other, liked))}.";
    }

    private static string Changes(string remarks)
    {
        string[] sides = remarks.Split("It would lose by");
        return string.Join('\n', Known(sides[0]).Select(word => $"Add {word}.").Concat(Known(sides[^1]).Select(word => $"Drop {word}.")));
    }

    // Every change is made in the place of another word, and one word is drawn anew: an answer that no copy of the old one.
    private static string Update(string[] words, string wanted, ref SplitMix64 random)
    {
        string[] added = [.. Change().Matches(wanted).Where(match => match.Groups[1].Value == "Add").Select(match => match.Groups[2].Value)];
        string[] dropped = [.. Change().Matches(wanted).Where(match => match.Groups[1].Value == "Drop").Select(match => match.Groups[2].Value)];
        for (int i = 0; i < words.Length; i++)
        {
            if (dropped.Contains(words[i]))
            {
                words[i] = added.Length > 0 ? added[random.Next(added.Length)] : Draw(ref random);
            }
        }

        words[random.Next(words.Length)] = Draw(ref random);
        return Write(words);
    }

    private static string Draw(ref SplitMix64 random) => s_words[random.Next(s_words.Length)];

    private static string[] WordsIn(string prompt, string tag) => Known(Part(prompt, tag));

    private static string[] Known(string text) => [.. Word().Matches(text).Select(match => match.Value).Where(s_words.Contains)];

    private static string Part(string prompt, string tag) => Regex.Match(prompt, $"<{tag}>(.*?)</{tag}>", RegexOptions.Singleline).Groups[1].Value;

    [GeneratedRegex("[a-z]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"(Add|Drop) (\w+)\.")]
    private static partial Regex Change();
}
