// The loop's bookkeeping against traces that were worked out by hand. Answers are letters, a letter's score stands in a table.

using PaperLab.Preference;

namespace PaperLab.Tests.Preference;

public sealed class TestTimeSearchTests
{
    private static readonly Query s_query = new("q");

    [Fact]
    public async Task Best_and_worst_are_taken_over_the_whole_cache_and_not_over_the_last_answers()
    {
        // Start a 1, b 3. First round c 2, d 0: the best is still b, the worst is now d. Second round e 5, f 4.
        var policy = new Scripted("a", "b", "c", "d", "e", "f");

        SearchTrace trace = await Search(policy, new SearchOptions { Width = 2, Depth = 2 }, ("a", 1), ("b", 3), ("c", 2), ("d", 0), ("e", 5), ("f", 4));

        Assert.Equal(["b against a", "b against d"], policy.Asked.OfType<CompareRequest>().Select(compare => $"{compare.Chosen} against {compare.Rejected}"));
        Assert.All(policy.Asked.OfType<UpdateRequest>(), update => Assert.Equal("b", update.Chosen));
        Assert.Equal(["[b] of [b|a]", "[b] of [b|d]"], policy.Asked.OfType<GradientRequest>().Select(gradient => $"[{gradient.Chosen}] of {gradient.Critique}"));
        Assert.Equal(["change by [b|a]", "change by [b|d]"], trace.Steps.Select(step => step.Instruction));
        Assert.Equal([("b", "a"), ("b", "d")], trace.Steps.Select(step => (step.Chosen.Text, step.Rejected.Text)));
        Assert.Equal(["a", "b", "e"], trace.Bests.Select(sample => sample.Text));
        Assert.Equal("e", trace.Best!.Text);
        Assert.Equal([0, 0, 1, 1, 2, 2], trace.Samples.Select(sample => sample.Iteration));
        Assert.Null(trace.Stopped);
    }

    [Fact]
    public async Task Of_equal_scores_the_first_drawn_counts()
    {
        var policy = new Scripted("a", "b", "c", "d", "e", "f");

        SearchTrace trace = await Search(policy, new SearchOptions { Width = 3, Depth = 1 }, ("a", 2), ("b", 2), ("c", 1), ("d", 2), ("e", 1), ("f", 0));

        CompareRequest compare = Assert.Single(policy.Asked.OfType<CompareRequest>());
        Assert.Equal(("a", "c"), (compare.Chosen, compare.Rejected));
        Assert.Equal("a", trace.Best!.Text);
    }

    [Fact]
    public async Task Where_all_score_alike_the_best_is_the_worst_and_the_search_ends()
    {
        var policy = new Scripted("a", "b");

        SearchTrace trace = await Search(policy, new SearchOptions { Width = 2, Depth = 3 }, ("a", 2), ("b", 2));

        Assert.All(policy.Asked, request => Assert.IsType<GenerateRequest>(request));
        Assert.Equal("all its answers score alike", trace.Stopped);
        Assert.Equal("a", trace.Best!.Text);
        Assert.Equal(2, trace.CostAfter(3).Samples);
    }

    [Fact]
    public async Task Revision_needs_no_worse_answer_and_goes_on_where_all_score_alike()
    {
        var policy = new Scripted("a", "b", "c", "d");

        SearchTrace trace = await Search(policy, new SearchOptions { Feedback = Feedback.Revision, Width = 2, Depth = 1 }, ("a", 2), ("b", 2), ("c", 1), ("d", 3));

        CompareRequest compare = Assert.Single(policy.Asked.OfType<CompareRequest>());
        Assert.Equal(("a", null), (compare.Chosen, compare.Rejected));
        Assert.Equal("d", trace.Best!.Text);
    }

    [Fact]
    public async Task Without_feedback_nobody_is_asked_for_a_critique()
    {
        var policy = new Scripted("a", "b", "c", "d");

        await Search(policy, new SearchOptions { Feedback = Feedback.None, Width = 2, Depth = 1 }, ("a", 1), ("b", 2), ("c", 3), ("d", 4));

        Assert.Equal(4, policy.Asked.Count);
        Assert.All(policy.Asked.OfType<UpdateRequest>(), update => Assert.Equal(("b", null), (update.Chosen, update.Instruction)));
    }

    [Fact]
    public async Task An_unusable_reply_is_asked_for_again_otherwise_drawn_and_all_of_it_is_counted()
    {
        // The first answer fails twice; each reply reads 10 tokens and writes 1 for each letter, a failure writes 7.
        var policy = new Scripted("!", "b", "!", "a");

        SearchTrace trace = await Search(policy, new SearchOptions { Width = 2, Depth = 0, Retries = 2 }, ("a", 1), ("b", 2));

        Assert.Equal(["a", "b"], trace.Samples.Select(sample => sample.Text));
        Assert.Equal(4, policy.Asked.Select(request => request.Draw).Distinct().Count());
        Assert.Equal(new SearchCost(1, 3, 30, 15, 2, 0), trace.Samples[0].Cost);
        Assert.Equal(new SearchCost(2, 4, 40, 16, 2, 0), trace.Cost);
    }

    [Fact]
    public async Task An_answer_that_never_can_be_used_is_missing_and_the_trace_says_so()
    {
        var policy = new Scripted("!", "b", "!", "!", "c", "d");

        SearchTrace trace = await Search(policy, new SearchOptions { Width = 2, Depth = 1, Retries = 2, Feedback = Feedback.None }, ("b", 2), ("c", 1), ("d", 3));

        Assert.Equal(["b", "c", "d"], trace.Samples.Select(sample => sample.Text));
        Assert.Equal((3, 3), (trace.Cost.Samples, trace.Cost.Failures));
        Assert.Equal([1, 2, 3], trace.Samples.Select(sample => sample.Cost.Samples));
        Assert.Equal(4, trace.After[0].Calls);
    }

    [Fact]
    public async Task Without_any_usable_answer_there_is_no_best()
    {
        SearchTrace trace = await Search(new Scripted("!", "!", "!", "!"), new SearchOptions { Width = 2, Depth = 2, Retries = 1 });

        Assert.Null(trace.Best);
        Assert.Equal("no answer could be used", trace.Stopped);
        Assert.Equal(new SearchCost(0, 4, 40, 28, 4, 0), trace.Cost);
    }

    [Theory]
    [InlineData("compare", "no critique could be used in 3 tries (scripted)")]
    [InlineData("gradient", "no instruction could be used in 3 tries (scripted)")]
    public async Task Without_a_usable_critique_or_instruction_the_query_ends_with_what_it_has(string fails, string stopped)
    {
        var policy = new Scripted("a", "b") { Fails = fails };

        SearchTrace trace = await Search(policy, new SearchOptions { Width = 2, Depth = 2, Retries = 2 }, ("a", 1), ("b", 2));

        Assert.Equal(stopped, trace.Stopped);
        Assert.Equal("b", trace.Best!.Text);
        Assert.Equal(3, trace.Cost.Failures);
        Assert.Empty(trace.Steps);
        Assert.True(trace.CostAfter(2).Calls > trace.CostAfter(0).Calls);
    }

    [Fact]
    public async Task Equal_answers_are_scored_once_and_counted_as_samples_and_as_duplicates()
    {
        var policy = new Scripted("a", "a", "b", "a");
        var reward = new Table(("a", 1), ("b", 2));

        SearchTrace trace = (await new TestTimeSearch(policy, reward, new SearchOptions { Width = 2, Depth = 1, Feedback = Feedback.None }).RunAsync([s_query], cancellation: TestContext.Current.CancellationToken))[0];

        Assert.Equal(["a", "b"], reward.Judged);
        Assert.Equal((4, 2), (trace.Cost.Samples, trace.Cost.Duplicates));
        Assert.Equal(["a", "a", "b", "a"], trace.Samples.Select(sample => sample.Text));
    }

    [Fact]
    public async Task An_answer_that_could_not_be_judged_is_left_out()
    {
        SearchTrace trace = await Search(new Scripted("a", "b"), SearchOptions.BestOf(2), ("a", double.NaN), ("b", -4));

        Assert.Equal("b", Assert.Single(trace.Samples).Text);
        Assert.Equal(2, trace.Cost.Samples);
    }

    [Fact]
    public async Task A_shuffled_instruction_is_one_for_another_taste()
    {
        Query[] queries = [new("q", 0), new("q", 0), new("r", 1)];
        var policy = new Scripted("a", "b", "c", "d", "e", "f", "a", "b", "c", "d", "e", "f");

        IReadOnlyList<SearchTrace> traces = await new TestTimeSearch(policy, s_byLetter, new SearchOptions { Feedback = Feedback.Shuffled, Width = 2, Depth = 1 }).RunAsync(queries, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(["[b|a]", "[d|c]", "[f|e]"], traces.Select(trace => trace.Steps[0].Critique));
        Assert.Equal("change by [f|e]", traces[0].Steps[0].Instruction);
        Assert.Equal("change by [f|e]", traces[1].Steps[0].Instruction);
        Assert.NotEqual("change by [f|e]", traces[2].Steps[0].Instruction);
        Assert.Contains("2 or more where Feedback is Shuffled", (await Assert.ThrowsAsync<ArgumentException>(() =>
            new TestTimeSearch(policy, s_byLetter, new SearchOptions { Feedback = Feedback.Shuffled }).RunAsync([s_query], cancellation: TestContext.Current.CancellationToken))).Message);
    }

    [Fact]
    public async Task Equal_queries_in_one_list_are_searched_apart()
    {
        var policy = new Scripted("a", "b", "c", "d");

        IReadOnlyList<SearchTrace> traces = await new TestTimeSearch(policy, s_byLetter, SearchOptions.BestOf(2)).RunAsync([s_query, s_query], cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(["b", "d"], traces.Select(trace => trace.Best!.Text));
        Assert.Equal(4, policy.Asked.Select(request => request.Draw).Distinct().Count());
    }

    [Fact]
    public async Task Searches_of_one_seed_begin_with_the_same_draws_however_they_go_on()
    {
        Scripted bestOf = new("a", "b", "c", "d"), deep = new("a", "b", "c", "d"), other = new("a", "b");
        await Search(bestOf, SearchOptions.BestOf(4), ("a", 1), ("b", 2), ("c", 3), ("d", 4));
        await Search(deep, new SearchOptions { Width = 2, Depth = 1, Feedback = Feedback.None }, ("a", 1), ("b", 2), ("c", 3), ("d", 4));
        await Search(other, SearchOptions.BestOf(2, seed: 2), ("a", 1), ("b", 2));

        Assert.Equal(bestOf.Asked.Take(2).Select(request => request.Draw), deep.Asked.Take(2).Select(request => request.Draw));
        Assert.DoesNotContain(other.Asked[0].Draw, bestOf.Asked.Select(request => request.Draw));
    }

    [Fact]
    public async Task A_watcher_is_told_of_every_iteration()
    {
        var seen = new List<SearchProgress>();

        await new TestTimeSearch(new Scripted("a", "b", "c", "d"), s_byLetter, new SearchOptions { Width = 2, Depth = 1 }).RunAsync([s_query], new Watcher(seen), TestContext.Current.CancellationToken);

        Assert.Equal([new SearchProgress(0, 1, 1, 2, 2, 1), new SearchProgress(1, 1, 1, 6, 24, 3)], seen);
    }

    [Theory]
    [InlineData(0, 2, 3, "Width is 0")]
    [InlineData(1, 2, 3, "the best answer is told from the worst")]
    [InlineData(5, -1, 3, "Depth is -1")]
    [InlineData(5, 2, -1, "Retries is -1")]
    public void Settings_out_of_range_are_named(int width, int depth, int retries, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new SearchOptions { Width = width, Depth = depth, Retries = retries }.Validate()).Message);

    private static readonly Table s_byLetter = new(("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 4), ("f", 5));

    private static async Task<SearchTrace> Search(Scripted policy, SearchOptions options, params (string Text, double Score)[] scores) =>
        Assert.Single(await new TestTimeSearch(policy, new Table(scores), options).RunAsync([s_query], cancellation: TestContext.Current.CancellationToken));

    /// <summary>Answers letters in the order of its script, "!" for what cannot be used; critiques and instructions say what they are of.</summary>
    private sealed class Scripted(params string[] answers) : ITextPolicy
    {
        private int _next;

        public string Name => "script";

        public string Fails { get; init; } = "";

        public List<PolicyRequest> Asked { get; } = [];

        public Task<IReadOnlyList<PolicyReply>> ReplyAsync(IReadOnlyList<PolicyRequest> requests, CancellationToken cancellation = default)
        {
            Asked.AddRange(requests);
            return Task.FromResult<IReadOnlyList<PolicyReply>>([.. requests.Select(request => request switch
            {
                CompareRequest when Fails == "compare" => new PolicyReply(null, 10, 7, "scripted"),
                GradientRequest when Fails == "gradient" => new PolicyReply(null, 10, 7, "scripted"),
                CompareRequest compare => Written($"[{compare.Chosen}|{compare.Rejected}]"),
                GradientRequest gradient => Written($"change by {gradient.Critique}"),
                _ when answers[_next++] is var answer && answer == "!" => new PolicyReply(null, 10, 7, "scripted"),
                _ => Written(answers[_next - 1]),
            })]);
        }

        private static PolicyReply Written(string text) => new(text, 10, text.Length);
    }

    private sealed class Table(params (string Text, double Score)[] scores) : IRewardModel
    {
        public string Name => "table";

        public List<string> Judged { get; } = [];

        public Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Candidate> candidates, CancellationToken cancellation = default)
        {
            Judged.AddRange(candidates.Select(candidate => candidate.Text));
            return Task.FromResult<IReadOnlyList<double>>([.. candidates.Select(candidate => scores.Single(score => score.Text == candidate.Text).Score)]);
        }
    }

    private sealed class Watcher(List<SearchProgress> seen) : IProgress<SearchProgress>
    {
        public void Report(SearchProgress value) => seen.Add(value);
    }
}
