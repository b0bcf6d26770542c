using PaperLab.Preference;

namespace PaperLab.Tests.Preference;

public sealed class ChatJudgeTests : EndpointTest
{
    private static readonly Candidate s_candidate = new(new Query("Why?"), "Because.");

    [Theory]
    [InlineData("Clear. <score>7</score>", 7)]
    [InlineData("<score>0</score>", 0)]
    [InlineData("<score> 10/10 </score>", 10)]
    [InlineData("<score>7.5 out of 10.</score>", 7.5)]
    [InlineData("<score>7,5</score>", 7.5)]
    [InlineData("<SCORE>\n**8**\n</SCORE>", 8)]
    [InlineData("Not <score>1</score> but <score>9</score>", 9)]
    [InlineData("<think>perhaps <score>1</score></think><score>9</score>", 9)]
    public async Task A_rating_is_read_in_whatever_way_models_write_it(string text, double score)
    {
        using var server = new StubEndpoint(StubReply.Say(text));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-judge", options: Options);

        Assert.Equal([score], await new ChatJudge(endpoint).ScoreAsync([s_candidate]));
        Assert.Contains("<question>\nWhy?\n</question>\n\n<rated>\nBecause.\n</rated>", Assert.Single(server.Requests).Prompt);
        Assert.Equal(0, server.Requests[0].Body.GetProperty("temperature").GetDouble());
    }

    [Theory]
    [InlineData("<score>eight</score>")]
    [InlineData("<score>11</score>")]
    [InlineData("<score>-1</score>")]
    [InlineData("<score>7 8</score>")]
    [InlineData("<score></score>")]
    [InlineData("Score: 8")]
    [InlineData("")]
    public async Task What_is_no_rating_is_asked_again_in_another_draw_and_counted(string text)
    {
        using var server = new StubEndpoint(StubReply.Say(text), StubReply.Say(text), StubReply.Say("<score>4</score>"));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-judge", options: Options);

        Assert.Equal([4.0], await new ChatJudge(endpoint).ScoreAsync([s_candidate]));
        Assert.Equal((3, 2), (endpoint.Account.Calls, endpoint.Account.Unusable));
        Assert.Equal(3, server.Requests.Select(request => request.Seed).Distinct().Count());
        Assert.Equal([0, 0.7, 0.7], server.Requests.Select(request => request.Body.GetProperty("temperature").GetDouble()));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_judged_in_three_tries_is_not_a_number_and_the_others_are()
    {
        using var server = new StubEndpoint(request => Task.FromResult(request.Prompt.Contains("Unspeakable") ? StubReply.Say("I would rather not.") : StubReply.Say("<score>6</score>")));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-judge", options: Options);

        Assert.Equal([6, double.NaN, 6], await new ChatJudge(endpoint).ScoreAsync([s_candidate, s_candidate with { Text = "Unspeakable" }, s_candidate with { Text = "And so on." }]));
        Assert.Equal((5, 3), (endpoint.Account.Calls, endpoint.Account.Unusable));
    }
}
