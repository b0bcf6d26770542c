// Multiple choice by the log-likelihood of each option's whole text after the question.
//
// Where the option begins: question and option are tokenized as one text, and the option's tokens are those of the whole text less as
// many as the question alone has, because a tokenizer may write a word otherwise at the start of a text than after another word.
// Spaces at the question's end count as the option's, since most vocabularies keep a space with the word after it ("Answer: " before
// "yes" is "Answer:" before " yes"). Both as in EleutherAI's lm-evaluation-harness; it cuts long questions on the left, here they are
// an error, since a cut question is another question.
//
// Rows are padded on the right: in a causal model no token sees what stands after it.
// Shapes: B rows, T tokens of the longest, C width, V vocabulary, A tokens of all answers.

using System.Text;
using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Evaluation;

/// <summary>A question with options of which one is right. Question and option are joined as they stand: put the space between them in either.</summary>
/// <param name="Id">Names the item in results and errors.</param>
/// <param name="Question">Everything before the option, such as examples and "Answer:".</param>
/// <param name="Options">The options' full texts, two or more.</param>
/// <param name="Answer">Index of the right option.</param>
/// <param name="Group">What accuracy is also reported by, such as a language or a task.</param>
public sealed record MultipleChoiceItem(string Id, string Question, IReadOnlyList<string> Options, int Answer, string Group = "")
{
    /// <summary>The question, a line with a cue, and each option's full text after it.</summary>
    /// <param name="id">As <see cref="Id"/>.</param>
    /// <param name="question">The question alone.</param>
    /// <param name="cue">Such as "Answer:".</param>
    /// <param name="options">The options' texts.</param>
    /// <param name="answer">Index of the right one.</param>
    /// <param name="group">As <see cref="Group"/>.</param>
    public static MultipleChoiceItem InFull(string id, string question, string cue, IReadOnlyList<string> options, int answer, string group = "") =>
        new(id, $"{question}\n{cue}", [.. options.Select(option => $" {option}")], answer, group);

    /// <summary>The question, its options listed by letter, a line with a cue, and each letter after it. The parameters are those of <see cref="InFull"/>.</summary>
    public static MultipleChoiceItem ByLetter(string id, string question, string cue, IReadOnlyList<string> options, int answer, string group = "")
    {
        return new(id, $"{question}\n{string.Join('\n', options.Select((option, i) => $"{Letter(i)}. {option}"))}\n{cue}", [.. options.Select((_, i) => $" {Letter(i)}")], answer, group);

        static char Letter(int option) => (char)('A' + option);
    }
}

/// <summary>How items are put to the model.</summary>
public sealed record MultipleChoiceOptions
{
    /// <summary>Put before every text: the token after which the model saw texts begin in training; null for none.</summary>
    public int? BeginToken { get; init; }

    /// <summary>
    /// Options are also scored after this text in place of the question, for <see cref="AnswerNormalization.Unconditional"/>: "" for
    /// <see cref="BeginToken"/> alone, or a text that fits every item, such as "Answer:". Spaces at its end are left out, for the option
    /// brings its own. Null does not score them so.
    /// </summary>
    public string? NeutralContext { get; init; }

    /// <summary>Tokens of a batch, padding included; a longer text is a batch of its own.</summary>
    public int BatchTokens { get; init; } = 4096;
}

/// <summary>Puts multiple-choice items to a model.</summary>
/// <param name="model">The model; it computes where it is, and in its number format.</param>
/// <param name="encode">Text to token ids, without tokens of its own before or after: <c>tokenizer.Encode</c>, or <c>text => tokenizer.Encode(text, addSpecialTokens: false)</c>.</param>
/// <param name="options">How items are put to the model; null for the defaults.</param>
public sealed class MultipleChoice(Transformer model, Func<string, IReadOnlyList<int>> encode, MultipleChoiceOptions? options = null)
{
    private const int MostLogits = 1 << 24; // computed at a time: 64 MiB in fp32

    private readonly MultipleChoiceOptions _options = options ?? new MultipleChoiceOptions();

    /// <summary>The log-likelihood of every option of every item.</summary>
    /// <param name="items">The items, at least one.</param>
    /// <param name="progress">Told the share of texts read, after every batch.</param>
    /// <param name="cancellation">Ends the evaluation between two batches.</param>
    /// <exception cref="ArgumentException">An option of this class or an item is not usable, for example longer than the model's context; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The model yields no finite log-likelihood.</exception>
    public MultipleChoiceLikelihoods Score(IReadOnlyList<MultipleChoiceItem> items, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        Require.AtLeast(items.Count, 1, "the number of items");
        Require.AtLeast(_options.BatchTokens, 1, nameof(_options.BatchTokens));
        Require.That(_options.BeginToken is null || IsToken(_options.BeginToken.Value), nameof(_options.BeginToken), _options.BeginToken, $"0 to {model.Config.VocabularySize - 1}, or null");
        var texts = new Dictionary<(string Context, string Answer), ScoredText>(); // each once: after the neutral context the same options come again and again
        ScoredText TextOf(string context, string answer, string where)
        {
            if (!texts.TryGetValue((context, answer), out ScoredText? text))
            {
                texts.Add((context, answer), text = Encode(context, answer, where));
            }

            return text;
        }

        var byItem = items.Select(item => OptionsOf(item, TextOf)).ToArray();
        Read([.. texts.Values], progress, cancellation);
        return new MultipleChoiceLikelihoods([.. items.Zip(byItem, (item, answers) => new ItemLikelihoods(item, [.. item.Options.Zip(answers, (option, answer) => LikelihoodOf(item, option, answer))]))]);
    }

    private (ScoredText Asked, ScoredText? Neutral)[] OptionsOf(MultipleChoiceItem item, Func<string, string, string, ScoredText> textOf)
    {
        Require.AtLeast(item.Options.Count, 2, $"the number of options of item '{item.Id}'");
        Require.That(item.Answer >= 0 && item.Answer < item.Options.Count, $"the answer of item '{item.Id}'", item.Answer, $"0 to {item.Options.Count - 1}, the index of the right option");
        string question = item.Question.TrimEnd();
        string between = item.Question[question.Length..];
        return [.. item.Options.Select((option, index) =>
        {
            string where = $"item '{item.Id}', option {index}";
            Require.That(option.Length > 0, $"the text of {where},", "empty", "any other text");
            return (
                textOf(question, between + option, where),
                _options.NeutralContext is { } neutral ? textOf(neutral.TrimEnd(), between + option, $"{where}, after the neutral context") : null);
        })];
    }

    private ScoredText Encode(string context, string answer, string where)
    {
        int[] begin = _options.BeginToken is { } token ? [token] : [];
        int[] tokens = [.. begin, .. encode(context + answer)];
        int answerTokens = tokens.Length - begin.Length - (context.Length == 0 ? 0 : encode(context).Count);
        int read = tokens.Length - 1; // the last token is only predicted
        Require.That(answerTokens > 0, $"the number of tokens that {where}, adds to what stands before it", answerTokens, "1 or more; begin the option with a space or on a new line");
        Require.That(answerTokens <= read, $"the number of tokens before {where},", 0, $"1 or more; give a text, or set {nameof(_options.BeginToken)}");
        Require.That(read <= model.Config.ContextLength, $"the number of tokens to read for {where},", read, $"up to {model.Config.ContextLength}, the model's ContextLength; shorten the question");
        foreach (int id in tokens)
        {
            Require.That(IsToken(id), $"a token of {where},", id, $"0 to {model.Config.VocabularySize - 1}: is this the model's tokenizer?");
        }

        return new ScoredText(tokens, answerTokens);
    }

    private bool IsToken(int id) => id >= 0 && id < model.Config.VocabularySize;

    private static OptionLikelihood LikelihoodOf(MultipleChoiceItem item, string option, (ScoredText Asked, ScoredText? Neutral) answer)
    {
        if (!double.IsFinite(answer.Asked.LogLikelihood + (answer.Neutral?.LogLikelihood ?? 0)))
        {
            throw new InvalidOperationException($"The log-likelihood of '{option}' in item '{item.Id}' is {answer.Asked.LogLikelihood}; the model's weights or its number format do not yield finite numbers.");
        }

        return new OptionLikelihood(answer.Asked.LogLikelihood, answer.Asked.AnswerTokens, Encoding.UTF8.GetByteCount(option), answer.Neutral?.LogLikelihood);
    }

    private void Read(IReadOnlyList<ScoredText> texts, IProgress<double>? progress, CancellationToken cancellation)
    {
        using var noGrad = no_grad();
        bool wasTraining = model.training;
        model.eval();
        try
        {
            int done = 0;
            foreach (ScoredText[] batch in Batches(texts))
            {
                cancellation.ThrowIfCancellationRequested();
                Read(batch);
                done += batch.Length;
                progress?.Report((double)done / texts.Count);
            }
        }
        finally
        {
            model.train(wasTraining);
        }
    }

    // Texts of like length, the longest first: a batch that does not fit into memory fails at once.
    private IEnumerable<ScoredText[]> Batches(IReadOnlyList<ScoredText> texts)
    {
        bool lengthMatters = model.Config.RopeScaling is { Kind: RopeScalingKind.Dynamic }; // to the angles of all rows: only equal lengths share a batch
        ScoredText[] sorted = [.. texts.OrderByDescending(text => text.Length)];
        for (int start = 0; start < sorted.Length;)
        {
            int longest = sorted[start].Length;
            ScoredText[] batch = [.. sorted.Skip(start).Take(Math.Max(1, _options.BatchTokens / longest)).TakeWhile(text => !lengthMatters || text.Length == longest)];
            yield return batch;
            start += batch.Length;
        }
    }

    private void Read(ScoredText[] batch)
    {
        using var scope = NewDisposeScope();
        int longest = batch[0].Length;
        long[] inputs = [.. batch.SelectMany(text => text.Inputs.Concat(Enumerable.Repeat(0L, longest - text.Length)))];
        long[] places = [.. batch.SelectMany((text, row) => Enumerable.Range(text.Length - text.AnswerTokens, text.AnswerTokens).Select(t => ((long)row * longest) + t))];
        Tensor targets_A = tensor(batch.SelectMany(text => text.Answer).ToArray(), device: model.Device);
        Tensor hidden_BTC = model.Hidden(tensor(inputs, [batch.Length, longest], device: model.Device)).Hidden_BTC;
        Tensor hidden_AC = hidden_BTC.view(-1, hidden_BTC.shape[2]).index_select(0, tensor(places, device: model.Device));

        var logProbs = new List<float>(places.Length);
        int atOnce = Math.Max(1, MostLogits / model.Config.VocabularySize);
        for (int from = 0; from < places.Length; from += atOnce)
        {
            using var part = NewDisposeScope();
            int count = Math.Min(atOnce, places.Length - from);
            Tensor logits_AV = model.Logits(hidden_AC.narrow(0, from, count)).to(ScalarType.Float32);
            Tensor loss_A = nn.functional.cross_entropy(logits_AV, targets_A.narrow(0, from, count), reduction: nn.Reduction.None);
            logProbs.AddRange(loss_A.neg().cpu().data<float>());
        }

        int first = 0;
        foreach (ScoredText text in batch)
        {
            text.LogLikelihood = logProbs.Skip(first).Take(text.AnswerTokens).Sum(logProb => (double)logProb);
            first += text.AnswerTokens;
        }
    }

    /// <summary>Tokens to read, the last <paramref name="answerTokens"/> of which are scored.</summary>
    private sealed class ScoredText(int[] tokens, int answerTokens)
    {
        public int AnswerTokens => answerTokens;

        /// <summary>Tokens that the model reads: all but the last.</summary>
        public int Length => tokens.Length - 1;

        public IEnumerable<long> Inputs => tokens.SkipLast(1).Select(token => (long)token);

        public IEnumerable<long> Answer => tokens.TakeLast(answerTokens).Select(token => (long)token);

        /// <summary>Of the answer's tokens, nats; set when the text has been read.</summary>
        public double LogLikelihood { get; set; } = double.NaN;
    }
}
