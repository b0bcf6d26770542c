// Best-of-N, revision and TPO with a language model behind an endpoint: the paper's arms for a reader's own model. One model writes, one
// scores, and one that nobody searched by judges in the end.

using PaperLab.Preference;

namespace PaperLab.Papers;

/// <summary>What is asked, and of whom.</summary>
public sealed record EndpointComparison
{
    /// <summary>Where the OpenAI-compatible API begins.</summary>
    public required string Url { get; init; }

    /// <summary>The model that writes.</summary>
    public required string Model { get; init; }

    /// <summary>The model whose scores are followed; empty for <see cref="Model"/>.</summary>
    public string Reward { get; init; } = "";

    /// <summary>The model that judges the answers in the end; empty for <see cref="Reward"/>.</summary>
    public string Judge { get; init; } = "";

    /// <summary>The queries.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>The file in which every reply is saved as it comes, and found again.</summary>
    public required string Saved { get; init; }

    /// <summary>N.</summary>
    public int Width { get; init; } = TpoPaper.PaperWidth;

    /// <summary>D.</summary>
    public int Depth { get; init; } = TpoPaper.PaperDepth;

    /// <summary>Asks, or takes what is saved.</summary>
    /// <param name="options">How patiently and how fast; its notes also tell of the file.</param>
    /// <param name="cancellation">Ends it; what came is saved.</param>
    /// <exception cref="EndpointException">The server refuses, or does not answer; what came is saved.</exception>
    /// <exception cref="ArgumentException">An address, a name or a number cannot be used, or there is no prompt.</exception>
    public async Task<EndpointResults> RunAsync(EndpointOptions? options = null, CancellationToken cancellation = default)
    {
        Query[] queries = [.. Prompts.Select(prompt => prompt.Trim()).Where(prompt => prompt.Length > 0).Select(prompt => new Query(prompt))];
        Require.AtLeast(queries.Length, 1, "the number of prompts");
        string scorer = Reward.Length > 0 ? Reward : Model, last = Judge.Length > 0 ? Judge : scorer;
        using SavedReplies saved = SavedReplies.Open(Saved, options?.Note);
        var endpoints = new Dictionary<string, ChatEndpoint>();
        try
        {
            foreach (string model in new[] { Model, scorer, last }.Distinct())
            {
                endpoints[model] = ChatEndpoint.Open(Url, model, saved, options);
            }

            var rows = new List<EndpointRow>();
            foreach ((string name, SearchOptions search) in new[]
            {
                ($"best of {Width * (Depth + 1)}", SearchOptions.BestOf(Width * (Depth + 1))),
                ($"revision D{Depth}-N{Width}", new SearchOptions { Feedback = Feedback.Revision, Width = Width, Depth = Depth }),
                ($"TPO D{Depth}-N{Width}", new SearchOptions { Width = Width, Depth = Depth }),
            })
            {
                IReadOnlyList<SearchTrace> traces = await new TestTimeSearch(new ChatPolicy(endpoints[Model]), new ChatJudge(endpoints[scorer]), search).RunAsync(queries, cancellation: cancellation).ConfigureAwait(false);
                Candidate[] answers = [.. traces.Where(trace => trace.Best is not null).Select(trace => new Candidate(trace.Query, trace.Best!.Text))];
                IReadOnlyList<double> judged = await new ChatJudge(endpoints[last]).ScoreAsync(answers, cancellation).ConfigureAwait(false);
                rows.Add(new EndpointRow(name, traces, Mean(traces.Select(trace => trace.Best?.Score ?? double.NaN)), Mean(judged)));
            }

            return new EndpointResults(this, rows, [.. endpoints.Values.Select(endpoint => endpoint.Account)]);
        }
        finally
        {
            foreach (ChatEndpoint endpoint in endpoints.Values)
            {
                endpoint.Dispose();
            }
        }
    }

    private static double Mean(IEnumerable<double> values) => values.Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
}

/// <summary>A way to search with the model of an endpoint.</summary>
/// <param name="Search">Its name.</param>
/// <param name="Traces">Of every prompt.</param>
/// <param name="Score">Mean score of the answers by the model that was followed; NaN where none has one.</param>
/// <param name="Judged">By the model that judges in the end.</param>
public sealed record EndpointRow(string Search, IReadOnlyList<SearchTrace> Traces, double Score, double Judged)
{
    /// <summary>All that was asked of the model that writes.</summary>
    public SearchCost Cost => Traces.Select(trace => trace.Cost).Aggregate((a, b) => a.Plus(b));
}

/// <summary>What came of it.</summary>
/// <param name="Comparison">What was asked.</param>
/// <param name="Rows">A row for each search.</param>
/// <param name="Accounts">Of each model, what was asked, waited for and reused.</param>
public sealed record EndpointResults(EndpointComparison Comparison, IReadOnlyList<EndpointRow> Rows, IReadOnlyList<ChatAccount> Accounts);
