using PaperLab.Papers;
using PaperLab.Preference;
using PaperLab.Tests.Preference;

namespace PaperLab.Tests.Papers;

public sealed class EndpointComparisonTests : EndpointTest
{
    [Fact]
    public async Task All_arms_run_on_an_endpoint_and_another_model_judges_them()
    {
        using var server = new StubEndpoint();

        EndpointResults results = await Comparison(server.Port, RepliesFile).RunAsync(Options, TestContext.Current.CancellationToken);

        Assert.Equal(["best of 15", "revision D2-N5", "TPO D2-N5"], results.Rows.Select(row => row.Search));
        Assert.All(results.Rows, row => Assert.Equal(30, row.Cost.Samples));
        Assert.Equal([30, 38, 38], results.Rows.Select(row => row.Cost.Calls));
        Assert.InRange(results.Rows[2].Score, results.Rows[0].Score, 10);
        Assert.Equal(results.Rows[2].Score, results.Rows[2].Judged); // the scripted judge goes by one rule
        Assert.Equal(["writer", "scorer", "judge"], results.Accounts.Select(account => account.Model));
        Assert.Equal(6, server.Requests.Count(request => request.Model == "judge"));
        Assert.Equal(20, results.Accounts[0].Reused); // revision and TPO begin with best-of-15's first answers
    }

    [Fact]
    public async Task A_server_that_dies_midway_ends_it_clearly_and_the_next_run_asks_only_what_is_missing()
    {
        const int Answered = 50;
        int port, asked = 0;
        using (var server = new StubEndpoint(request => Task.FromResult(Interlocked.Increment(ref asked) <= Answered ? ScriptedModel.Answer(request) : StubReply.Drop)))
        {
            port = server.Port;
            EndpointException error = await Assert.ThrowsAsync<EndpointException>(() => Comparison(port, RepliesFile).RunAsync(Options, TestContext.Current.CancellationToken));
            Assert.Contains($"{Answered} replies are saved in {RepliesFile}, and running again goes on from them.", error.Message);
        }

        int saved = File.ReadAllLines(RepliesFile).Length;
        EndpointResults resumed, through;
        int missing;
        using (var server = new StubEndpoint(ScriptedModelAlways, port))
        {
            resumed = await Comparison(port, RepliesFile).RunAsync(Options, TestContext.Current.CancellationToken);
            missing = server.Requests.Count;
            through = await Comparison(port, Folder.File("other.jsonl")).RunAsync(Options, TestContext.Current.CancellationToken);
            Assert.Equal(saved + missing, server.Requests.Count - missing);
        }

        Assert.Equal(Answered, saved);
        Assert.Equal(through.Rows.Select(row => (row.Score, row.Judged, row.Cost)), resumed.Rows.Select(row => (row.Score, row.Judged, row.Cost)));
    }

    [Fact]
    public async Task Without_a_prompt_there_is_nothing_to_ask() => Assert.Contains(
        "the number of prompts is 0", (await Assert.ThrowsAsync<ArgumentException>(() => (Comparison(1, RepliesFile) with { Prompts = [" "] }).RunAsync(Options, TestContext.Current.CancellationToken))).Message);

    private static Task<StubReply> ScriptedModelAlways(StubRequest request) => Task.FromResult(ScriptedModel.Answer(request));

    private static EndpointComparison Comparison(int port, string saved) => new()
    {
        Url = $"http://127.0.0.1:{port}/v1",
        Model = "writer",
        Reward = "scorer",
        Judge = "judge",
        Prompts = ["What makes a good answer? ", "And a good question?"],
        Saved = saved,
    };
}
