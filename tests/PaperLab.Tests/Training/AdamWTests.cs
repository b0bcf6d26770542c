using static TorchSharp.torch;
using AdamW = PaperLab.Training.AdamW;
using Parameter = TorchSharp.Modules.Parameter;
using TorchAdamW = TorchSharp.Modules.AdamW;

namespace PaperLab.Tests.Training;

public sealed class AdamWTests : TorchTest
{
    // One parameter at 1 with gradient 0.5, η 0.1, λ 0.2, β 0.9 and 0.95: decay gives 0.98; m/(1-β1) is the gradient and v/(1-β2) its
    // square, so the step is η itself: 0.88. With gradient -1 next: m = 0.9·0.05 - 0.1 = -0.055, over 0.19; v = 0.95·0.0125 + 0.05 =
    // 0.061875, over 0.0975; θ = 0.88·0.98 + 0.1 · 0.289474 / 0.796629 = 0.898737.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_steps_are_as_worked_by_hand(bool fused)
    {
        var weight = new Parameter(ones(1, 1));
        using AdamW optimizer = Create([("w", weight)], learningRate: 0.1, weightDecay: 0.2, fused: fused);

        weight.grad = full(1, 1, 0.5f);
        optimizer.Step();
        Assert.Equal(0.88, weight.item<float>(), 1e-6);

        weight.grad = full(1, 1, -1f);
        optimizer.Step();
        Assert.Equal(0.898737, weight.item<float>(), 1e-6);
        Assert.Equal(2, optimizer.Steps);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_step_that_the_device_forbids_changes_nothing(bool fused)
    {
        var weight = new Parameter(ones(1, 1));
        using AdamW optimizer = Create([("w", weight)], learningRate: 0.1, weightDecay: 0.2, fused: fused);
        weight.grad = full(1, 1, float.NaN);

        optimizer.Step(unless: ones([]));

        Assert.Equal(1, weight.item<float>());
        Assert.Equal(0, optimizer.State()["w.exp_avg"].item<float>());
        weight.grad = full(1, 1, 0.5f);
        optimizer.Step(unless: zeros([]));
        Assert.NotEqual(1, weight.item<float>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Fifty_steps_agree_with_torch(bool fused)
    {
        (string, Parameter)[] ours = Parameters(), theirs = Copy(ours);
        using AdamW optimizer = Create(ours, learningRate: 1e-2, weightDecay: 0.1, fused: fused);
        using optim.Optimizer expected = optim.AdamW(
            [
                new TorchAdamW.ParamGroup(theirs.Where(p => p.Item2.dim() >= 2 && p.Item1 != "embed_tokens.weight").Select(p => p.Item2), 1e-2, beta1: 0.9, beta2: 0.95, weight_decay: 0.1),
                new TorchAdamW.ParamGroup(theirs.Where(p => p.Item2.dim() < 2 || p.Item1 == "embed_tokens.weight").Select(p => p.Item2), 1e-2, beta1: 0.9, beta2: 0.95, weight_decay: 0),
            ],
            1e-2);
        for (int step = 1; step <= 50; step++)
        {
            optimizer.LearningRate = 1e-2 / step;
            foreach (optim.ILearningRateController group in expected.ParamGroups)
            {
                group.LearningRate = 1e-2 / step;
            }

            SetGradients(ours, step);
            SetGradients(theirs, step);
            optimizer.Step();
            expected.step();
        }

        foreach (((string name, Parameter mine), (_, Parameter reference)) in ours.Zip(theirs))
        {
            double error = ((mine - reference).norm() / reference.norm()).item<float>();
            Assert.True(error <= 1e-6, $"{name} differs by {error}");
        }
    }

    [Fact]
    public void Norms_biases_and_embeddings_do_not_decay()
    {
        (string Name, Parameter Parameter)[] parameters = Parameters(), before = Copy(parameters);
        using var optimizer = new AdamW(parameters, learningRate: 0.5, weightDecay: 0.1);
        foreach ((_, Parameter parameter) in parameters)
        {
            parameter.grad = zeros_like(parameter);
        }

        optimizer.Step();

        foreach (((string name, Parameter parameter), (_, Parameter old)) in parameters.Zip(before))
        {
            double factor = name is "layers.0.wq" or "layers.0.experts" ? 0.95 : 1;
            Assert.True((parameter - (old * factor)).abs().max().item<float>() < 1e-6, name);
        }
    }

    [Fact]
    public void Another_rule_for_decay_can_be_given()
    {
        (string, Parameter)[] parameters = [("a", new Parameter(ones(2, 2))), ("b", new Parameter(ones(2, 2)))];
        using var optimizer = new AdamW(parameters, learningRate: 0.5, weightDecay: 0.1, decays: (name, _) => name == "b");
        SetGradients(parameters, 0);
        foreach ((_, Parameter parameter) in parameters)
        {
            parameter.grad!.zero_();
        }

        optimizer.Step();

        Assert.Equal([1f, 0.95f], parameters.Select(p => p.Item2[0, 0].item<float>()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_run_that_was_saved_and_loaded_goes_on_to_the_same_bits(bool fused)
    {
        (string, Parameter)[] straight = Parameters(), resumed = Copy(straight);
        using AdamW whole = Create(straight, fused: fused);
        Dictionary<string, Tensor> saved;
        using (AdamW firstHalf = Create(resumed, fused: fused))
        {
            Steps(whole, straight, 1, 10);
            Steps(firstHalf, resumed, 1, 5);
            saved = firstHalf.State().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        }

        using AdamW secondHalf = Create(resumed, fused: fused);
        secondHalf.Load(saved);
        Assert.Equal(5, secondHalf.Steps);
        Steps(secondHalf, resumed, 6, 10);

        Assert.Equal(10, secondHalf.Steps);
        Assert.All(straight.Zip(resumed), pair => Assert.True(pair.First.Item2.equal(pair.Second.Item2).all().item<bool>(), pair.First.Item1));
        Assert.All(whole.State(), entry => Assert.True(entry.Value.equal(secondHalf.State()[entry.Key]).all().item<bool>(), entry.Key));
    }

    [Fact]
    public void The_state_has_two_moments_a_parameter_and_the_step()
    {
        using var optimizer = new AdamW([("a", new Parameter(ones(2, 3)))], learningRate: 1);

        Assert.Equal(["a.exp_avg", "a.exp_avg_sq", "step"], optimizer.State().Keys.Order());
        Assert.Equal([2, 3], optimizer.State()["a.exp_avg"].shape);
        Assert.Empty(optimizer.State()["step"].shape);
    }

    [Fact]
    public void A_state_that_does_not_fit_is_refused_by_name_and_changes_nothing()
    {
        (string, Parameter)[] parameters = [("a", new Parameter(ones(2, 3))), ("b", new Parameter(ones(4)))];
        using var optimizer = new AdamW(parameters, learningRate: 1);
        Steps(optimizer, parameters, 1, 1);
        Tensor before = optimizer.State()["b.exp_avg"].clone();
        Dictionary<string, Tensor> state = optimizer.State().ToDictionary(entry => entry.Key, entry => zeros_like(entry.Value));
        state.Remove("a.exp_avg");
        state["a.exp_avg_sq"] = zeros(3, 2);
        state["c.exp_avg"] = zeros(1);

        ArgumentException error = Assert.Throws<ArgumentException>(() => optimizer.Load(state));

        Assert.Contains("a.exp_avg is missing", error.Message);
        Assert.Contains("c.exp_avg is unknown", error.Message);
        Assert.Contains("a.exp_avg_sq is Float32 [3, 2] instead of Float32 [2, 3]", error.Message);
        Assert.True(before.equal(optimizer.State()["b.exp_avg"]).all().item<bool>());
        Assert.Equal(1, optimizer.Steps);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(1e6)]
    public void Clipping_equals_torchs_own(double maxNorm)
    {
        (string, Parameter)[] ours = Parameters(), theirs = Copy(ours);
        using var optimizer = new AdamW(ours, learningRate: 1);
        SetGradients(ours, 1);
        SetGradients(theirs, 1);

        using Tensor norm = optimizer.ClipGradients(maxNorm);
        double expected = nn.utils.clip_grad_norm_(theirs.Select(p => p.Item2), maxNorm);

        Assert.Equal(expected, norm.item<float>(), expected * 1e-6);
        Assert.All(ours.Zip(theirs), pair => Assert.True(allclose(pair.Second.Item2.grad!, pair.First.Item2.grad!, 1e-6, 0), pair.First.Item1));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_gradient_that_is_not_finite_shows_in_the_norm(float bad)
    {
        (string, Parameter)[] parameters = Parameters();
        using var optimizer = new AdamW(parameters, learningRate: 1);
        SetGradients(parameters, 1);
        parameters[1].Item2.grad!.view(-1)[0] = bad;

        Assert.False(float.IsFinite(optimizer.ClipGradients(1).item<float>()));
        Assert.True(parameters[1].Item2.grad!.isnan().any().item<bool>());
    }

    [Fact]
    public void A_parameter_without_gradient_stays_and_a_frozen_one_is_not_ours()
    {
        Parameter used = new(ones(2, 2)), idle = new(ones(2, 2)), frozen = new(ones(2, 2), requires_grad: false);
        using var optimizer = new AdamW([("used", used), ("idle", idle), ("frozen", frozen)], learningRate: 0.1);
        used.grad = ones(2, 2);

        Assert.Equal(2, optimizer.ClipGradients(1).item<float>());
        optimizer.Step();

        Assert.NotEqual(1, used[0, 0].item<float>());
        Assert.Equal(1, idle[0, 0].item<float>());
        Assert.DoesNotContain("frozen.exp_avg", optimizer.State().Keys);
    }

    [Fact]
    public void Zeroing_takes_the_gradients_away_and_a_step_without_any_is_refused()
    {
        (string, Parameter)[] parameters = Parameters();
        using var optimizer = new AdamW(parameters, learningRate: 1);
        SetGradients(parameters, 1);

        optimizer.ZeroGradients();

        Assert.All(parameters, p => Assert.Null(p.Item2.grad));
        Assert.Contains("backward()", Assert.Throws<InvalidOperationException>(() => optimizer.Step()).Message);
        Assert.Throws<InvalidOperationException>(() => optimizer.ClipGradients(1));
        Assert.Equal(0, optimizer.Steps);
    }

    [Theory]
    [InlineData("learningRate", -1, 0.1, 0.9, 0.95, 1e-8)]
    [InlineData("learningRate", double.NaN, 0.1, 0.9, 0.95, 1e-8)]
    [InlineData("weightDecay", 1, -0.1, 0.9, 0.95, 1e-8)]
    [InlineData("beta1", 1, 0.1, 1, 0.95, 1e-8)]
    [InlineData("beta2", 1, 0.1, 0.9, 1, 1e-8)]
    [InlineData("epsilon", 1, 0.1, 0.9, 0.95, 0)]
    public void Bad_numbers_are_refused_by_name(string field, double learningRate, double weightDecay, double beta1, double beta2, double epsilon)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new AdamW([("a", new Parameter(ones(1)))], learningRate, weightDecay, beta1, beta2, epsilon));

        Assert.StartsWith($"{field} is", error.Message);
    }

    [Fact]
    public void Nothing_to_train_and_a_name_given_twice_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new AdamW([("a", new Parameter(ones(1), requires_grad: false))], 1));
        Assert.Contains("a more than once", Assert.Throws<ArgumentException>(() => new AdamW([("a", new Parameter(ones(1))), ("a", new Parameter(ones(1)))], 1)).Message);
    }

    [Fact]
    public void Parameters_in_bf16_are_stepped_beside_those_in_fp32()
    {
        Parameter half = new(ones(2, 2, dtype: ScalarType.BFloat16)), full = new(ones(2, 2));
        using var optimizer = new AdamW([("half", half), ("full", full)], learningRate: 0.25, weightDecay: 0);
        (half.grad, full.grad) = (full_like(half, 3), full_like(full, 4));

        Assert.Equal(10, optimizer.ClipGradients(100).item<float>()); // √(4·9 + 4·16)
        optimizer.Step();

        Assert.Equal(ScalarType.BFloat16, optimizer.State()["half.exp_avg"].dtype);
        Assert.Equal([0.75f, 0.75f], new Tensor[] { half, full }.Select(p => p.to(ScalarType.Float32)[0, 0].item<float>()));
    }

    [Fact]
    public void The_state_outlives_the_scope_that_it_was_made_in_and_ends_with_the_optimizer()
    {
        (string, Parameter)[] parameters = Parameters();
        AdamW optimizer;
        using (NewDisposeScope())
        {
            optimizer = new AdamW(parameters, learningRate: 1);
        }

        Steps(optimizer, parameters, 1, 1);
        Tensor[] state = [.. optimizer.State().Values];
        optimizer.Dispose();

        Assert.All(state, tensor => Assert.True(tensor.IsInvalid));
        Assert.All(parameters, p => Assert.False(p.Item2.IsInvalid));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_hundred_steps_leave_no_tensor_behind(bool fused)
    {
        (string, Parameter)[] parameters = Parameters();
        using AdamW optimizer = Create(parameters, fused: fused);
        Steps(optimizer, parameters, 1, 2);

        long before = LiveTensors();
        Steps(optimizer, parameters, 3, 102);

        Assert.InRange(LiveTensors(), 0, before);
    }

    private static AdamW Create(IEnumerable<(string, Parameter)> parameters, double learningRate = 1e-2, double weightDecay = 0.1, bool fused = true) =>
        new(parameters, learningRate, weightDecay, 0.9, 0.95, 1e-8, AdamW.Decays, fused);

    private static (string Name, Parameter Parameter)[] Parameters() =>
    [
        ("embed_tokens.weight", new Parameter(randn(7, 6))),
        ("layers.0.norm", new Parameter(ones(6))),
        ("layers.0.wq", new Parameter(randn(6, 6))),
        ("layers.0.experts", new Parameter(randn(3, 6, 4))),
        ("layers.0.bias", new Parameter(randn(6))),
    ];

    private static (string, Parameter)[] Copy((string Name, Parameter Parameter)[] parameters) =>
        [.. parameters.Select(named => (named.Name, new Parameter(named.Parameter.detach().clone())))];

    private static void Steps(AdamW optimizer, (string, Parameter)[] parameters, int first, int last)
    {
        for (int step = first; step <= last; step++)
        {
            using var scope = NewDisposeScope();
            SetGradients(parameters, step);
            optimizer.ClipGradients(1);
            optimizer.Step();
            optimizer.ZeroGradients();
        }
    }

    /// <summary>Gradients that follow from the step alone.</summary>
    private static void SetGradients((string Name, Parameter Parameter)[] parameters, int step)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            Parameter parameter = parameters[i].Parameter;
            parameter.grad = arange(parameter.numel(), ScalarType.Float32).add(1 + (7 * step) + (13 * i)).sin().view(parameter.shape);
        }
    }
}
