// A language small enough to learn from nothing, in which "better" can be said: a text is its topic and some words, each word belongs to
// one of six attributes, and how often each attribute occurs (0 to 5) is all that a taste can look at. A model learns four roles in it, and
// no taste at all:
//
//   generate   sea:                                          → sea: kind exactly silver
//   compare    sea: [a] sea: kind kind [b] sea: pun          → warmth more humour less …      a against b, or against what is usual
//   gradient   warmth more humour less …                     → add warmth cut humour
//   update     sea: [a] sea: kind kind [c] add warmth        → sea: kind dear kind exactly    a changed as told, and a little beyond
//
// So the critic's skill is trained in, and what a preference can gain at test time is the search's doing.

using PaperLab.Reinforcement;

namespace PaperLab.Preference;

/// <summary>What the model of the language is asked.</summary>
public enum Role
{
    Generate,
    Compare,

    /// <summary>Compare without a second text: against one that is only imagined.</summary>
    Review,
    Gradient,
    Update,
}

/// <summary>A text as a taste sees it.</summary>
/// <param name="Topic">Index of its topic.</param>
/// <param name="Counts">Words of each attribute.</param>
public sealed record AttributeText(int Topic, IReadOnlyList<int> Counts);

/// <summary>The language: its words, its texts, and the script of its roles.</summary>
public static class AttributeLanguage
{
    /// <summary>Most words of one attribute that the script writes; a model may write more.</summary>
    public const int MostOfAnAttribute = 5;

    /// <summary>Most words of a text of the script, its topic not counted.</summary>
    public const int MostWords = 18;

    /// <summary>The longest reply, in tokens; a text may have some words more than the script's.</summary>
    public const int MostTokens = MostWords + 4;

    /// <summary>The longest request with its reply, in tokens.</summary>
    public const int ContextLength = 64;

    private const string More = " more", Less = " less", Same = " same";
    private const string Add = " add", Cut = " cut", Fine = " fine";
    private const string Generate = "[generate]", Compare = "[compare]", Gradient = "[gradient]", Update = "[update]";
    private const string First = "[a]", Second = "[b]", Change = "[c]", Write = "[write]";

    // How often an attribute occurs in a text that nobody has changed: 0, 1, … 5 times.
    private static readonly double[] s_usual = [0.30, 0.30, 0.20, 0.12, 0.06, 0.02];

    // An update also draws an attribute anew now and then, and takes a step of two about as often as one of one.
    private const double Drift = 0.15, StepOfTwo = 0.4;

    private static readonly string[] s_topics = ["sea:", "city:", "music:", "bread:", "winter:", "trains:", "gardens:", "stars:"];
    private static readonly string[][] s_words =
    [
        [" kind", " dear"],
        [" hereby", " whereas"],
        [" exactly", " namely"],
        [" pun", " giggle"],
        [" perhaps", " maybe"],
        [" silver", " glow"],
    ];

    private static readonly Dictionary<string, int> s_attributeOfWord = s_words.SelectMany((words, attribute) => words.Select(word => (word, attribute))).ToDictionary(pair => pair.word, pair => pair.attribute);

    /// <summary>The attributes' names.</summary>
    public static IReadOnlyList<string> Attributes { get; } = ["warmth", "formality", "precision", "humour", "caution", "imagery"];

    /// <summary>How many topics there are.</summary>
    public static int Topics => s_topics.Length;

    /// <summary>The language's tokens.</summary>
    public static SymbolTokenizer Tokenizer { get; } = new(
    [
        Generate, Compare, Gradient, Update, First, Second, Change, Write,
        .. s_topics, .. s_words.SelectMany(words => words), .. Attributes.Select(Named), More, Less, Same, Add, Cut, Fine,
    ]);

    /// <summary>The query for a text on a topic.</summary>
    /// <param name="topic">Index of the topic.</param>
    /// <param name="preference">Whose taste will judge it.</param>
    public static Query QueryOf(int topic, int preference = 0) => new(s_topics[topic], preference);

    /// <summary>The topic of a query.</summary>
    /// <exception cref="ArgumentException">It is none of this language's.</exception>
    public static int TopicOf(Query query)
    {
        int topic = Array.IndexOf(s_topics, query.Text);
        Require.That(topic >= 0, "the query", $"'{query.Text}'", string.Join(" ", s_topics));
        return topic;
    }

    /// <summary>What a request looks like to the model.</summary>
    public static string PromptOf(PolicyRequest request) => request switch
    {
        GenerateRequest => $"{Generate}{request.Query.Text}{Write}",
        CompareRequest { Rejected: null } compare => $"{Compare}{request.Query.Text}{First}{compare.Chosen}{Write}",
        CompareRequest compare => $"{Compare}{request.Query.Text}{First}{compare.Chosen}{Second}{compare.Rejected}{Write}",
        GradientRequest gradient => $"{Gradient}{gradient.Critique}{Write}",
        UpdateRequest update => $"{Update}{request.Query.Text}{First}{update.Chosen}{Change}{update.Instruction ?? Fine}{Write}",
        _ => throw new ArgumentException($"{request.GetType().Name} is no role of this language.", nameof(request)),
    };

    /// <summary>Why a reply is not what its role writes; null where it is.</summary>
    public static string? Fault(PolicyRequest request, string reply) => request switch
    {
        CompareRequest => ReadCritique(reply) is null ? "it is no critique of every attribute in turn" : null,
        GradientRequest => ReadInstruction(reply) is null ? "it is no list of attributes to add and cut" : null,
        _ => ReadText(reply) is null ? "it is no text: a topic, then words" : null,
    };

    /// <summary>A text's topic and counts; null for what is no text.</summary>
    public static AttributeText? ReadText(string text)
    {
        int topic = Array.FindIndex(s_topics, name => text.StartsWith(name, StringComparison.Ordinal));
        if (topic < 0)
        {
            return null;
        }

        int[] counts = new int[Attributes.Count];
        foreach (string word in Words(text[s_topics[topic].Length..]))
        {
            if (!s_attributeOfWord.TryGetValue(word, out int attribute))
            {
                return null;
            }

            counts[attribute]++;
        }

        return new AttributeText(topic, counts);
    }

    /// <summary>Of a critique, 1, −1 or 0 for every attribute: more, less, the same; null for what is no critique.</summary>
    public static IReadOnlyList<int>? ReadCritique(string critique)
    {
        string[] words = Words(critique);
        int[] relations = new int[Attributes.Count];
        if (words.Length != 2 * relations.Length)
        {
            return null;
        }

        for (int k = 0; k < relations.Length; k++)
        {
            if (words[2 * k] != Named(Attributes[k]) || words[(2 * k) + 1] is not (More or Less or Same))
            {
                return null;
            }

            relations[k] = words[(2 * k) + 1] switch { More => 1, Less => -1, _ => 0 };
        }

        return relations;
    }

    /// <summary>Of an instruction, 1, −1 or 0 for every attribute: to add, to cut, neither; null for what is no instruction.</summary>
    public static IReadOnlyList<int>? ReadInstruction(string instruction)
    {
        int[] changes = new int[Attributes.Count];
        if (instruction == Fine)
        {
            return changes;
        }

        string[] words = Words(instruction);
        if (words.Length == 0 || words.Length % 2 != 0)
        {
            return null;
        }

        for (int i = 0; i < words.Length; i += 2)
        {
            int attribute = Attributes.ToList().IndexOf(words[i + 1].TrimStart());
            if (words[i] is not (Add or Cut) || attribute < 0 || changes[attribute] != 0)
            {
                return null;
            }

            changes[attribute] = words[i] == Add ? 1 : -1;
        }

        return changes;
    }

    /// <summary>A text on a topic as nobody has changed it.</summary>
    public static string DrawText(int topic, ref SplitMix64 random) => TextOf(topic, DrawCounts(ref random), ref random);

    /// <summary>A request of a role, and the reply that the script gives.</summary>
    public static (PolicyRequest Request, string Reply) Demonstrate(Role role, ulong seed)
    {
        var random = new SplitMix64(seed);
        int topic = random.Next(Topics);
        Query query = QueryOf(topic);
        switch (role)
        {
            case Role.Generate:
                return (new GenerateRequest(query) { Draw = seed }, DrawText(topic, ref random));
            case Role.Compare or Role.Review:
                int[] a = DrawCounts(ref random), b = DrawCounts(ref random);
                string chosen = TextOf(topic, a, ref random), rejected = TextOf(topic, b, ref random);
                return (new CompareRequest(query, chosen, role == Role.Compare ? rejected : null) { Draw = seed }, CritiqueOf(a, b));
            case Role.Gradient:
                int[] better = DrawCounts(ref random), worse = DrawCounts(ref random);
                string critique = CritiqueOf(better, worse);
                return (new GradientRequest(query, TextOf(topic, better, ref random), critique) { Draw = seed }, InstructionOf(ReadCritique(critique)!));
            default:
                int[] counts = DrawCounts(ref random), changes = new int[counts.Length];
                for (int k = 0; k < changes.Length; k++)
                {
                    changes[k] = random.Next(3) - 1;
                }

                string before = TextOf(topic, counts, ref random);
                return (new UpdateRequest(query, before, InstructionOf(changes)) { Draw = seed }, TextOf(topic, Changed(counts, changes, ref random), ref random));
        }
    }

    /// <summary>What a perfect critic says of a against b.</summary>
    public static string CritiqueOf(IReadOnlyList<int> a, IReadOnlyList<int> b) =>
        string.Concat(Attributes.Select((name, k) => Named(name) + (a[k] > b[k] ? More : a[k] < b[k] ? Less : Same)));

    /// <summary>More of what there was more of, less of what there was less of.</summary>
    public static string InstructionOf(IReadOnlyList<int> changes)
    {
        string instruction = string.Concat(Attributes.Select((name, k) => changes[k] == 0 ? "" : (changes[k] > 0 ? Add : Cut) + Named(name)));
        return instruction.Length > 0 ? instruction : Fine;
    }

    private static int[] Changed(int[] counts, int[] changes, ref SplitMix64 random)
    {
        while (true)
        {
            int[] changed = new int[counts.Length];
            for (int k = 0; k < counts.Length; k++)
            {
                int from = random.NextDouble() < Drift ? DrawCount(ref random) : counts[k];
                changed[k] = Math.Clamp(from + (changes[k] * (random.NextDouble() < StepOfTwo ? 2 : 1)), 0, MostOfAnAttribute);
            }

            if (changed.Sum() <= MostWords)
            {
                return changed;
            }

            // Where all that is asked leads beyond the longest text, less is kept of what was there.
            counts = [.. counts.Select(count => Math.Max(0, count - 1))];
        }
    }

    private static int[] DrawCounts(ref SplitMix64 random)
    {
        while (true)
        {
            int[] counts = new int[Attributes.Count];
            for (int k = 0; k < counts.Length; k++)
            {
                counts[k] = DrawCount(ref random);
            }

            if (counts.Sum() <= MostWords)
            {
                return counts;
            }
        }
    }

    private static int DrawCount(ref SplitMix64 random)
    {
        double left = random.NextDouble();
        int count = 0;
        while (count < MostOfAnAttribute && (left -= s_usual[count]) >= 0)
        {
            count++;
        }

        return count;
    }

    // The words in any order, each attribute by any of its words.
    private static string TextOf(int topic, int[] counts, ref SplitMix64 random)
    {
        var words = new List<string>();
        for (int k = 0; k < counts.Length; k++)
        {
            for (int i = 0; i < counts[k]; i++)
            {
                words.Add(s_words[k][random.Next(s_words[k].Length)]);
            }
        }

        string[] order = [.. words];
        random.Shuffle<string>(order);
        return s_topics[topic] + string.Concat(order);
    }

    private static string Named(string attribute) => " " + attribute;

    private static string[] Words(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Named)];
}
