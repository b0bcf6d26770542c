// The model in its roles, and its training as a recorded run. What it learns is not tested here: the recorded runs tell.

using PaperLab.Models;
using PaperLab.Preference;
using PaperLab.Reinforcement;
using PaperLab.Tests.Training;
using PaperLab.Training;
using static TorchSharp.torch;
using Transformer = PaperLab.Models.Transformer;

namespace PaperLab.Tests.Preference;

public sealed class FourRolePolicyTests : TrainingTest
{
    internal static FourRoleConfig Tiny { get; } = new()
    {
        Paper = "test",
        Arm = "trained",
        Model = new TransformerConfig { VocabularySize = AttributeLanguage.Tokenizer.VocabularySize, Width = 16, Layers = 1, Heads = 2, ContextLength = AttributeLanguage.ContextLength, FeedForward = new DenseConfig(24) },
        Stage = new ImitationConfig { Seed = 1, Steps = 3, BatchSize = 8, Demonstrations = 50, LearningRate = 1e-2 },
        Examined = 4,
    };

    [Fact]
    public async Task A_reply_depends_on_its_request_and_not_on_its_place_or_neighbours()
    {
        var policy = new FourRolePolicy(Model());
        PolicyRequest[] requests = [.. Enum.GetValues<Role>().SelectMany(role => Enumerable.Range(0, 3).Select(i => AttributeLanguage.Demonstrate(role, (ulong)i).Request))];
        IReadOnlyList<PolicyReply> all = await policy.ReplyAsync(requests, TestContext.Current.CancellationToken);
        IReadOnlyList<PolicyReply> backwards = await policy.ReplyAsync([.. requests.Reverse()], TestContext.Current.CancellationToken);

        Assert.Equal(all, backwards.Reverse());
        Assert.Equal(all[4], Assert.Single(await policy.ReplyAsync([requests[4]], TestContext.Current.CancellationToken)));
        IReadOnlyList<PolicyReply> drawn = await policy.ReplyAsync([.. Enumerable.Range(0, 40).Select(draw => requests[0] with { Draw = (ulong)draw })], TestContext.Current.CancellationToken);
        Assert.True(drawn.Select(reply => reply.GeneratedTokens).Distinct().Count() > 5, "replies of different draws differ");
    }

    [Fact]
    public async Task Tokens_are_counted_and_what_is_not_of_its_role_is_a_failure_with_its_reason()
    {
        PolicyRequest request = AttributeLanguage.Demonstrate(Role.Compare, 1).Request;

        PolicyReply reply = Assert.Single(await new FourRolePolicy(Model()).ReplyAsync([request], TestContext.Current.CancellationToken));

        Assert.Equal(AttributeLanguage.Tokenizer.Encode(AttributeLanguage.PromptOf(request)).Length, reply.PromptTokens);
        Assert.InRange(reply.GeneratedTokens, 1, AttributeLanguage.MostTokens);
        Assert.Null(reply.Text); // a model that has learned nothing
        Assert.True(reply.Failure is "it was cut off" or "it is no critique of every attribute in turn", reply.Failure);
    }

    [Fact]
    public void A_policy_is_trained_once_read_again_and_goes_on_where_it_was_interrupted()
    {
        RunStore store = TrainingChild.Store(Folder.File("store")), other = TrainingChild.Store(Folder.File("other"));
        FourRoleRecord record = FourRoleRun.Of(Tiny, "smoke", Runtime, store);
        FourRoleRecord again = FourRoleRun.Of(Tiny, "smoke", Runtime, store);
        using var cancellation = new CancellationTokenSource();
        var options = new PolicyRunOptions { Progress = new Reports(report => { if (report.Step == 2) { cancellation.Cancel(); } }) };
        Assert.Throws<OperationCanceledException>(() => FourRoleRun.Of(Tiny, "smoke", Runtime, other, options, cancellation.Token));
        FourRoleRecord resumed = FourRoleRun.Of(Tiny, "smoke", Runtime, other);

        Assert.Equal(record.Finished, again.Finished);
        Assert.Equal(2, Assert.Single(resumed.Resumed).AfterStep);
        Assert.Equal(record.Losses, resumed.Losses);
        Assert.Equal(record.Skills, resumed.Skills);
        Assert.Equal(File.ReadAllBytes(store.WeightsOf("test", Tiny)), File.ReadAllBytes(other.WeightsOf("test", Tiny)));
    }

    [Fact]
    public void Skills_are_shares_of_what_the_script_would_say()
    {
        RoleSkills skills = FourRoleRun.Examine(new FourRolePolicy(Model()), 8, TestContext.Current.CancellationToken);

        Assert.InRange(skills.Critique, 0, 0.3);
        Assert.InRange(skills.Readable, 0, 0.5);
        Assert.Equal(0, skills.Instruction);
    }

    [Theory]
    [InlineData("vocabulary", "VocabularySize is 7")]
    [InlineData("context", "ContextLength is 32; allowed: 64 or more")]
    [InlineData("examined", "Examined is 0")]
    public void A_config_that_does_not_fit_is_refused_by_its_field(string what, string message)
    {
        FourRoleConfig config = what switch
        {
            "vocabulary" => Tiny with { Model = Tiny.Model with { VocabularySize = 7 } },
            "context" => Tiny with { Model = Tiny.Model with { ContextLength = 32 } },
            _ => Tiny with { Examined = 0 },
        };

        Assert.Contains(message, Assert.Throws<ArgumentException>(config.Validate).Message);
    }

    private static Transformer Model()
    {
        manual_seed(5);
        return new Transformer(Tiny.Model);
    }
}
