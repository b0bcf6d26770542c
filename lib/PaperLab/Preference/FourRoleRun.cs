// The policy of AttributeLanguage as a recorded run: imitation of the script in all roles, with no taste anywhere in it.

using System.Diagnostics;
using System.Text.Json.Serialization;
using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Preference;

/// <summary>Everything that decides a policy's weights.</summary>
public sealed record FourRoleConfig
{
    /// <summary>The notebook the run belongs to.</summary>
    public required string Paper { get; init; }

    /// <summary>The policy's name.</summary>
    public required string Arm { get; init; }

    /// <summary>The model's sizes.</summary>
    public required TransformerConfig Model { get; init; }

    /// <summary>How it imitates; its seed also draws the weights.</summary>
    public required ImitationConfig Stage { get; init; }

    /// <summary>Requests of each role by which its skill is measured.</summary>
    public int Examined { get; init; } = 200;

    /// <summary>Hash of the config: the run's name in a store.</summary>
    [JsonIgnore]
    public string Key => RunStore.KeyOf(this);

    /// <summary>"trained, seed 3".</summary>
    [JsonIgnore]
    public string Name => $"{Arm}, seed {Stage.Seed}";

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range, or the model does not fit the language.</exception>
    public void Validate()
    {
        Model.Validate();
        Stage.Validate();
        Require.AtLeast(Examined, 1, nameof(Examined));
        int vocabulary = AttributeLanguage.Tokenizer.VocabularySize;
        Require.That(Model.VocabularySize == vocabulary, nameof(Model.VocabularySize), Model.VocabularySize, $"{vocabulary}, the symbols of the language");
        Require.That(Model.ContextLength >= AttributeLanguage.ContextLength, nameof(Model.ContextLength), Model.ContextLength, $"{AttributeLanguage.ContextLength} or more");
    }
}

/// <summary>How well a policy plays its roles, on requests that it was not trained on; shares.</summary>
/// <param name="Critique">Attributes of which its critique of two texts is right; a third by guessing.</param>
/// <param name="Instruction">Instructions that say just what the critique asks for.</param>
/// <param name="Followed">Attributes that an update moves as it was told, of those that can still move.</param>
/// <param name="OnTopic">Updates that keep to the topic.</param>
/// <param name="Readable">Replies in all roles that are what the role writes.</param>
public sealed record RoleSkills(double Critique, double Instruction, double Followed, double OnTopic, double Readable);

/// <summary>A finished policy.</summary>
public sealed record FourRoleRecord : RunRecordBase
{
    public required FourRoleConfig Config { get; init; }

    public required long Parameters { get; init; }

    /// <summary>FLOPs of one token's forward pass.</summary>
    public required double FlopsPerToken { get; init; }

    /// <summary>Nats per token of the replies, means of equal parts of the run.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    public required RoleSkills Skills { get; init; }

    /// <summary>Where the run was interrupted; empty for one that ran through.</summary>
    public IReadOnlyList<Resumption> Resumed { get; init; } = [];
}

/// <summary>Trains policies, and finds those that are trained.</summary>
public static class FourRoleRun
{
    private const int MostLosses = 100;

    // Shares of the demonstrations: comparing and changing are what is hard.
    private static readonly (Role Role, int Share)[] s_roles = [(Role.Generate, 3), (Role.Compare, 6), (Role.Review, 2), (Role.Gradient, 2), (Role.Update, 7)];

    /// <summary>The run's record: the one that the store has, or one that is trained now, from the newest checkpoint where there is one.</summary>
    /// <param name="config">The run.</param>
    /// <param name="preset">The preset that asked for it, for the record.</param>
    /// <param name="runtime">Where it computes.</param>
    /// <param name="store">Where records, checkpoints and weights lie.</param>
    /// <param name="options">How it is watched.</param>
    /// <param name="cancellation">Ends the training between two steps, after a checkpoint.</param>
    /// <exception cref="ArgumentException">The config does not fit together.</exception>
    /// <exception cref="TrainingDivergedException">A loss is no longer a number.</exception>
    public static FourRoleRecord Of(FourRoleConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions? options = null, CancellationToken cancellation = default) =>
        Record(config, preset, runtime, store, options ?? new PolicyRunOptions(), needsWeights: false, cancellation);

    /// <summary>The model at the end of a run, which is trained where its weights are not there.</summary>
    public static Transformer Policy(FourRoleConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions? options = null, CancellationToken cancellation = default)
    {
        Record(config, preset, runtime, store, (options ?? new PolicyRunOptions()) with { Fresh = false }, needsWeights: true, cancellation);
        Transformer policy = ModelRun.Load(config.Model, store, config.Paper, config, runtime);
        policy.eval();
        return policy;
    }

    private static FourRoleRecord Record(FourRoleConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions options, bool needsWeights, CancellationToken cancellation)
    {
        config.Validate();
        return ModelRun.Record(store, config.Paper, config, folder => Train(config, preset, runtime, store, options, folder, cancellation), needsWeights, options, cancellation);
    }

    private static FourRoleRecord Train(FourRoleConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions options, CheckpointFolder folder, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using Transformer model = ModelRun.New(config.Model, config.Stage.Seed, runtime);
        using var trainer = new ImitationTrainer(config.Stage, model, Lessons(config.Stage));
        PolicyState state = new PolicyLoop<FourRoleConfig>
        {
            Config = config,
            Name = config.Name,
            Stage = config.Stage,
            Trainer = trainer,
            Model = model,
            Weights = model.state_dict(),
            Mode = runtime.ToString()!,
            Folder = folder,
            Options = options,
        }.Run(cancellation);
        model.eval();
        RoleSkills skills = Examine(new FourRolePolicy(model), config.Examined, cancellation);
        ModelRun.Save(model, store, config.Paper, config);
        return new FourRoleRecord
        {
            Config = config,
            Preset = preset,
            Environment = RunEnvironment.Of(runtime),
            Finished = DateTimeOffset.UtcNow,
            TrainingSeconds = state.Seconds,
            PeakMemory = Process.GetCurrentProcess().PeakWorkingSet64,
            Parameters = model.TotalParameters,
            FlopsPerToken = model.FlopsPerToken,
            Losses = ModelRun.Thinned(state.Losses, MostLosses),
            Skills = skills,
            Resumed = state.Resumed,
        };
    }

    private static Lesson[] Lessons(ImitationConfig stage)
    {
        Role[] roles = [.. s_roles.SelectMany(part => Enumerable.Repeat(part.Role, part.Share))];
        ulong first = new SplitMix64((ulong)stage.Seed).NextBits();
        return [.. Enumerable.Range(0, stage.Demonstrations).AsParallel().AsOrdered().Select(i =>
        {
            (PolicyRequest request, string reply) = AttributeLanguage.Demonstrate(roles[i % roles.Length], StableHash.Mix(first + (ulong)i));
            return new Lesson(AttributeLanguage.Tokenizer.Encode(AttributeLanguage.PromptOf(request)), [.. AttributeLanguage.Tokenizer.Encode(reply), SymbolTokenizer.End]);
        })];
    }

    /// <summary>How well a policy plays its roles.</summary>
    /// <param name="policy">The policy; its replies come at once, so nothing is waited for.</param>
    /// <param name="requests">Of each role.</param>
    /// <param name="cancellation">Ends it between two tokens.</param>
    public static RoleSkills Examine(FourRolePolicy policy, int requests, CancellationToken cancellation = default)
    {
        const ulong Unseen = 0xE7A1; // demonstrations are drawn from hashes of the run's seed
        (PolicyRequest Request, string Reply)[] Of(Role role) => [.. Enumerable.Range(0, requests).Select(i => AttributeLanguage.Demonstrate(role, StableHash.Mix(((Unseen + (ulong)role) << 32) + (ulong)i)))];
        var asked = new[] { Role.Compare, Role.Gradient, Role.Update }.ToDictionary(role => role, Of);
        var replies = asked.ToDictionary(role => role.Key, role => policy.ReplyAsync([.. role.Value.Select(pair => pair.Request)], cancellation).GetAwaiter().GetResult());

        double critique = asked[Role.Compare].Zip(replies[Role.Compare]).Average(pair => pair.Second.Text is { } text
            ? AttributeLanguage.ReadCritique(text)!.Zip(AttributeLanguage.ReadCritique(pair.First.Reply)!).Average(relation => relation.First == relation.Second ? 1.0 : 0)
            : 0);
        double instruction = asked[Role.Gradient].Zip(replies[Role.Gradient]).Average(pair => pair.Second.Text == pair.First.Reply ? 1.0 : 0);
        var moves = new List<double>();
        double onTopic = 0;
        foreach (((PolicyRequest request, _), PolicyReply reply) in asked[Role.Update].Zip(replies[Role.Update]))
        {
            var update = (UpdateRequest)request;
            AttributeText before = AttributeLanguage.ReadText(update.Chosen)!;
            AttributeText? after = reply.Text is { } text ? AttributeLanguage.ReadText(text) : null;
            onTopic += after?.Topic == before.Topic ? 1.0 / requests : 0;
            IReadOnlyList<int> changes = AttributeLanguage.ReadInstruction(update.Instruction!)!;
            for (int k = 0; k < changes.Count; k++)
            {
                if (changes[k] != 0 && before.Counts[k] != (changes[k] > 0 ? AttributeLanguage.MostOfAnAttribute : 0))
                {
                    moves.Add(after is not null && Math.Sign(after.Counts[k] - before.Counts[k]) == changes[k] ? 1 : 0);
                }
            }
        }

        PolicyReply[] all = [.. replies.Values.SelectMany(batch => batch)];
        return new RoleSkills(critique, instruction, moves.DefaultIfEmpty(0).Average(), onTopic, all.Count(reply => reply.Text is not null) / (double)all.Length);
    }
}
