// Test-time preference optimisation (arXiv 2501.12895, section 3, algorithm 1), and what it is compared with, for many queries at once:
//
//   draw N answers, score them into the cache
//   repeat D times
//       chosen, rejected ← argmax, argmin of the scores over the whole cache
//       critique         ← compare(chosen, rejected)          textual loss
//       instruction      ← gradient(critique)                 textual gradient
//       draw N updates of chosen by the instruction, score them into the cache
//   answer ← argmax of the scores over the whole cache
//
// Departures: equal answers are one entry of the cache, scored once; replies that cannot be used are asked for again, and counted; a query
// whose answers all score alike ends, for the best is the worst. All queries take an iteration together, so that a model of one's own
// writes for all of them in one batch.

using PaperLab.Text;

namespace PaperLab.Preference;

/// <summary>Where a search stands.</summary>
/// <param name="Iteration">Iterations done, the start not counted.</param>
/// <param name="Depth">Of so many.</param>
/// <param name="Queries">Queries that go on.</param>
/// <param name="Calls">Requests so far.</param>
/// <param name="WrittenTokens">Tokens that the policy wrote so far.</param>
/// <param name="Score">Mean over the queries of their best score; NaN where none has an answer.</param>
public readonly record struct SearchProgress(int Iteration, int Depth, int Queries, int Calls, long WrittenTokens, double Score);

/// <summary>Searches for answers that a reward model likes, with a policy that stays as it is.</summary>
/// <param name="policy">Writes.</param>
/// <param name="reward">Scores.</param>
/// <param name="options">How to go about it.</param>
public sealed class TestTimeSearch(ITextPolicy policy, IRewardModel reward, SearchOptions options)
{
    /// <summary>One trace for every query, in their order.</summary>
    /// <param name="queries">What is asked.</param>
    /// <param name="progress">Told after the start and after every iteration.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <exception cref="ArgumentException">A field is out of range, or shuffled feedback has no other taste to come from.</exception>
    public async Task<IReadOnlyList<SearchTrace>> RunAsync(IReadOnlyList<Query> queries, IProgress<SearchProgress>? progress = null, CancellationToken cancellation = default)
    {
        options.Validate();
        int tastes = queries.Select(query => query.Preference).Distinct().Count();
        Require.That(options.Feedback != Feedback.Shuffled || tastes > 1, "the number of tastes among the queries", tastes, $"2 or more where {nameof(options.Feedback)} is {options.Feedback}: an instruction comes from another taste");
        Search[] all = [.. queries.Select((query, index) => new Search(query, index))];

        await DrawAsync(all, 0, (search, draw) => new GenerateRequest(search.Query) { Draw = draw }, cancellation).ConfigureAwait(false);
        Report(0);
        for (int iteration = 1; iteration <= options.Depth; iteration++)
        {
            foreach (Search search in all.Where(search => search.Goes))
            {
                search.Choose(options.Compares);
            }

            if (options.Feedback != Feedback.None)
            {
                await CriticiseAsync(all, iteration, cancellation).ConfigureAwait(false);
            }

            await DrawAsync(all, iteration, (search, draw) => new UpdateRequest(search.Query, search.Chosen, search.Instruction) { Draw = draw }, cancellation).ConfigureAwait(false);
            Report(iteration);
        }

        return [.. all.Select(search => search.Trace)];

        void Report(int iteration) => progress?.Report(new SearchProgress(
            iteration,
            options.Depth,
            all.Count(search => search.Goes),
            all.Sum(search => search.Cost.Calls),
            all.Sum(search => search.Cost.GeneratedTokens),
            all.Select(search => search.Trace.Best?.Score).OfType<double>().DefaultIfEmpty(double.NaN).Average()));
    }

    // Textual loss and gradient: a critique, and what to change by it.
    private async Task CriticiseAsync(Search[] all, int iteration, CancellationToken cancellation)
    {
        Search[] going = [.. all.Where(search => search.Goes)];
        bool alone = options.Feedback == Feedback.Revision;
        IReadOnlyList<Asked> critiques = await AskAsync(
            [.. going.Select(search => new CompareRequest(search.Query, search.Chosen, alone ? null : search.Rejected) { Draw = DrawOf(search, iteration, Part.Critique, 0) })], cancellation).ConfigureAwait(false);
        for (int i = 0; i < going.Length; i++)
        {
            going[i].Criticise(critiques[i]);
        }

        going = [.. going.Where(search => search.Goes)];
        IReadOnlyList<Asked> instructions = await AskAsync(
            [.. going.Select(search => new GradientRequest(search.Query, search.Chosen, search.Critique!) { Draw = DrawOf(search, iteration, Part.Instruction, 0) })], cancellation).ConfigureAwait(false);
        for (int i = 0; i < going.Length; i++)
        {
            going[i].Instruct(instructions[i]);
        }

        if (options.Feedback == Feedback.Shuffled)
        {
            Shuffle([.. going.Where(search => search.Goes)], iteration);
        }
    }

    // Everyone gets an instruction of somebody with another taste.
    private void Shuffle(Search[] going, int iteration)
    {
        string[] instructions = [.. going.Select(search => search.Instruction!)];
        for (int i = 0; i < going.Length; i++)
        {
            var random = new SplitMix64(DrawOf(going[i], iteration, Part.Shuffle, 0));
            int[] others = [.. Enumerable.Range(0, going.Length).Where(j => going[j].Query.Preference != going[i].Query.Preference)];
            if (others.Length == 0)
            {
                going[i].Stop("no other taste is left whose instruction it could follow");
            }
            else
            {
                going[i].Follow(instructions[others[random.Next(others.Length)]]);
            }
        }
    }

    // N answers for every query that goes on, and their scores.
    private async Task DrawAsync(Search[] all, int iteration, Func<Search, ulong, PolicyRequest> request, CancellationToken cancellation)
    {
        Search[] going = [.. all.Where(search => search.Goes)];
        IReadOnlyList<Asked> answers = await AskAsync(
            [.. going.SelectMany(search => Enumerable.Range(0, options.Width).Select(n => request(search, DrawOf(search, iteration, Part.Answer, n))))], cancellation).ConfigureAwait(false);
        (Search Search, string Text)[] unknown =
        [
            .. going.SelectMany((search, i) => Of(i).Select(answer => answer.Text).OfType<string>().Distinct().Where(text => !search.Knows(text)).Select(text => (search, text))),
        ];
        IReadOnlyList<double> scores = await reward.ScoreAsync([.. unknown.Select(answer => new Candidate(answer.Search.Query, answer.Text))], cancellation).ConfigureAwait(false);
        Require.That(scores.Count == unknown.Length, $"the number of scores of {reward.Name}", scores.Count, $"{unknown.Length}, one for each answer");
        ILookup<Search, (string Text, double Score)> scored = unknown.Zip(scores).ToLookup(pair => pair.First.Search, pair => (pair.First.Text, pair.Second));
        for (int i = 0; i < going.Length; i++)
        {
            going[i].Add(iteration, Of(i), scored[going[i]]);
        }

        IEnumerable<Asked> Of(int i) => answers.Skip(i * options.Width).Take(options.Width);
    }

    // Every request until its reply can be used, or it has been tried often enough.
    private async Task<IReadOnlyList<Asked>> AskAsync(IReadOnlyList<PolicyRequest> requests, CancellationToken cancellation)
    {
        Asked[] asked = [.. requests.Select(_ => new Asked())];
        int[] open = [.. Enumerable.Range(0, requests.Count)];
        for (int attempt = 0; open.Length > 0 && attempt <= options.Retries; attempt++)
        {
            IReadOnlyList<PolicyReply> replies = await policy.ReplyAsync([.. open.Select(i => requests[i] with { Draw = StableHash.Mix(requests[i].Draw + (ulong)attempt) })], cancellation).ConfigureAwait(false);
            Require.That(replies.Count == open.Length, $"the number of replies of {policy.Name}", replies.Count, $"{open.Length}, one for each request");
            for (int i = 0; i < open.Length; i++)
            {
                asked[open[i]].Replies.Add(replies[i]);
            }

            open = [.. open.Where(i => asked[i].Text is null)];
        }

        return asked;
    }

    private enum Part
    {
        Answer,
        Critique,
        Instruction,
        Shuffle,
    }

    // The same for the same place of the same query in a list, whatever was drawn elsewhere: searches that differ in depth begin alike.
    private ulong DrawOf(Search search, int iteration, Part part, int number) =>
        StableHash.Mix(StableHash.Mix(StableHash.Mix(options.Seed) + (ulong)search.Index) + ((ulong)iteration << 40) + ((ulong)part << 32) + ((ulong)number << 8));

    /// <summary>A request's replies, the last of which counts.</summary>
    private sealed class Asked
    {
        public List<PolicyReply> Replies { get; } = [];

        public string? Text => Replies.Count > 0 ? Replies[^1].Text : null;
    }

    /// <summary>The search for one query as it goes on.</summary>
    private sealed class Search(Query query, int index)
    {
        private readonly List<ScoredSample> _samples = [];
        private readonly List<SearchStep> _steps = [];
        private readonly List<SearchCost> _after = [];
        private readonly Dictionary<string, double> _cache = [];
        private ScoredSample? _chosen, _rejected;
        private string? _stopped;

        public Query Query => query;

        public int Index => index;

        public SearchCost Cost { get; private set; } = SearchCost.None;

        public bool Goes => _stopped is null;

        public string Chosen => _chosen!.Text;

        public string Rejected => _rejected!.Text;

        public string? Critique { get; private set; }

        public string? Instruction { get; private set; }

        public SearchTrace Trace => new(query, _samples, _steps, [.. _after, .. _stopped is null ? Array.Empty<SearchCost>() : [Cost]], _stopped);

        public bool Knows(string text) => _cache.ContainsKey(text);

        public void Stop(string reason) => _stopped = reason;

        /// <summary>argmax and argmin over the whole cache, of equal scores the first drawn.</summary>
        public void Choose(bool compares)
        {
            _chosen = _samples.MaxBy(sample => sample.Score);
            _rejected = _samples.MinBy(sample => sample.Score);
            (Critique, Instruction) = (null, null);
            if (compares && _chosen!.Score == _rejected!.Score)
            {
                Stop("all its answers score alike");
            }
        }

        public void Criticise(Asked asked)
        {
            Spend(asked);
            Critique = asked.Text;
            if (Critique is null)
            {
                Stop($"no critique could be used in {asked.Replies.Count} tries ({asked.Replies[^1].Failure})");
            }
        }

        public void Instruct(Asked asked)
        {
            Spend(asked);
            Instruction = asked.Text;
            if (Instruction is null)
            {
                Stop($"no instruction could be used in {asked.Replies.Count} tries ({asked.Replies[^1].Failure})");
            }
        }

        public void Follow(string instruction) => Instruction = instruction;

        public void Add(int iteration, IEnumerable<Asked> answers, IEnumerable<(string Text, double Score)> scored)
        {
            if (iteration > 0)
            {
                _steps.Add(new SearchStep(iteration, _chosen!, _rejected!, Critique, Instruction));
            }

            var scores = scored.ToDictionary(pair => pair.Text, pair => pair.Score);
            foreach (Asked answer in answers)
            {
                Spend(answer);
                if (answer.Text is not { } text)
                {
                    continue;
                }

                bool known = _cache.TryGetValue(text, out double score);
                if (!known)
                {
                    score = scores[text];
                    _cache[text] = score;
                }

                Cost = Cost with { Samples = Cost.Samples + 1, Duplicates = Cost.Duplicates + (known ? 1 : 0) };
                if (!double.IsNaN(score))
                {
                    _samples.Add(new ScoredSample(iteration, text, score, Cost));
                }
            }

            _after.Add(Cost);
            if (_samples.Count == 0)
            {
                Stop("no answer could be used");
            }
        }

        private void Spend(Asked asked) => Cost = asked.Replies.Aggregate(Cost, (cost, reply) => cost.Plus(reply));
    }
}
