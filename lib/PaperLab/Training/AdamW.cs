// AdamW (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2) on named parameters, with what a training step needs around it: clipping by
// the global norm, clearing of gradients, and a state that a checkpoint can hold.
//
//   m ← β1 m + (1-β1) g,   v ← β2 v + (1-β2) g²,   θ ← (1 - η λ) θ - η (m / (1-β1^t)) / (√(v / (1-β2^t)) + ε)
//
// One fused call updates a whole group; where the device has no such kernel, the same arithmetic goes operator by operator.
// Differs from torch.optim.AdamW: one step count t serves all parameters, also one that had no gradient in some steps.

using PaperLab.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>
/// AdamW with decoupled weight decay. Moments have the dtype of their parameter, so train fp32 parameters (under autocast where wanted):
/// bf16 parameters lose updates below 1/256 of their value.
/// </summary>
public sealed class AdamW : IDisposable
{
    private const string StepName = "step";

    private readonly (string Name, Parameter Parameter)[] _named;
    private readonly Group[] _groups;
    private readonly Tensor _step;
    private readonly double _beta1, _beta2, _epsilon;
    private readonly bool _fused;

    /// <param name="parameters">As a module's named_parameters gives them; those without requires_grad are left out.</param>
    /// <param name="learningRate">η of the first step; see <see cref="LearningRate"/>.</param>
    /// <param name="weightDecay">λ of the parameters that decay.</param>
    /// <param name="beta1">Decay of the mean gradient.</param>
    /// <param name="beta2">Decay of the mean squared gradient.</param>
    /// <param name="epsilon">Keeps the division finite.</param>
    /// <param name="decays">Which parameters decay; null takes <see cref="Decays"/>.</param>
    /// <exception cref="ArgumentException">A number is out of range, there is nothing to train, or the parameters lie on several devices.</exception>
    public AdamW(
        IEnumerable<(string Name, Parameter Parameter)> parameters,
        double learningRate,
        double weightDecay = 0.1,
        double beta1 = 0.9,
        double beta2 = 0.95,
        double epsilon = 1e-8,
        Func<string, Parameter, bool>? decays = null)
        : this(parameters, learningRate, weightDecay, beta1, beta2, epsilon, decays ?? Decays, fused: null)
    {
    }

    /// <param name="fused">Null asks the device.</param>
    internal AdamW(
        IEnumerable<(string Name, Parameter Parameter)> parameters,
        double learningRate,
        double weightDecay,
        double beta1,
        double beta2,
        double epsilon,
        Func<string, Parameter, bool> decays,
        bool? fused)
    {
        Require.That(double.IsFinite(learningRate) && learningRate >= 0, nameof(learningRate), learningRate, "a finite number, 0 or more");
        Require.That(double.IsFinite(weightDecay) && weightDecay >= 0, nameof(weightDecay), weightDecay, "a finite number, 0 or more");
        Require.That(beta1 is >= 0 and < 1, nameof(beta1), beta1, "0 or more, below 1");
        Require.That(beta2 is >= 0 and < 1, nameof(beta2), beta2, "0 or more, below 1");
        Require.That(double.IsFinite(epsilon) && epsilon > 0, nameof(epsilon), epsilon, "a finite number above 0");
        _named = parameters.Where(named => named.Parameter.requires_grad).ToArray();
        Require.That(_named.Length > 0, nameof(parameters), "empty", "at least one parameter with requires_grad");
        string[] twice = _named.GroupBy(named => named.Name).Where(same => same.Count() > 1).Select(same => same.Key).ToArray();
        Require.That(twice.Length == 0, nameof(parameters), $"with {string.Join(", ", twice)} more than once", "names that differ");
        string[] devices = _named.Select(named => named.Parameter.device.ToString()).Distinct().ToArray();
        Require.That(devices.Length == 1, nameof(parameters), $"on {string.Join(" and ", devices)}", "parameters of one device");

        (LearningRate, _beta1, _beta2, _epsilon) = (learningRate, beta1, beta2, epsilon);
        _groups = _named
            .GroupBy(named => (Decays: decays(named.Name, named.Parameter), named.Parameter.dtype))
            .Select(group => new Group([.. group], group.Key.Decays ? weightDecay : 0))
            .ToArray();
        _step = zeros([], ScalarType.Float32, _named[0].Parameter.device).DetachFromDisposeScope();
        _fused = fused ?? _groups.All(group => HasFusedKernel(group.Parameters[0]));
    }

    /// <summary>η of the next step.</summary>
    public double LearningRate { get; set; }

    /// <summary>Steps taken, those before <see cref="Load"/> included.</summary>
    public long Steps { get; private set; }

    /// <summary>The optimizer and how it runs, for the record.</summary>
    public override string ToString() => $"AdamW, {(_fused ? "fused" : "operator by operator")}";

    /// <summary>The usual rule: matrices decay; vectors (norms, biases) and embeddings (a part of the name begins with "embed") keep their scale.</summary>
    public static bool Decays(string name, Parameter parameter) =>
        parameter.dim() >= 2 && !name.Split('.').Any(part => part.StartsWith("embed", StringComparison.Ordinal));

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="unless">An fp32 scalar on the parameters' device; where it is 1, parameters and moments stay as they are. Null for 0.</param>
    /// <exception cref="InvalidOperationException">None has a gradient.</exception>
    public void Step(Tensor? unless = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Update[] updates = _groups.Select(group => group.WithGradients()).ToArray();
        RequireGradients(updates.Sum(update => update.Gradients.Count));

        Steps++;
        _step.add_(1);
        foreach (Update update in updates.Where(update => update.Gradients.Count > 0))
        {
            if (_fused)
            {
                Tensor[] steps = new Tensor[update.Parameters.Count];
                Array.Fill(steps, _step);
                Aten.FusedAdamW_(
                    update.Parameters, update.Gradients, update.ExpAvgs, update.ExpAvgSqs, steps, LearningRate, _beta1, _beta2, update.WeightDecay, _epsilon, unless);
            }
            else if (unless is null || unless.item<float>() == 0)
            {
                StepByOperators(update);
            }
        }
    }

    /// <summary>
    /// Scales all gradients by one factor so that their common 2-norm is at most <paramref name="maxNorm"/>, without waiting for the device.
    /// </summary>
    /// <returns>
    /// The norm before clipping, fp32, on the parameters' device. Where a gradient is not finite, neither is it, and the gradients become
    /// NaN.
    /// </returns>
    /// <exception cref="InvalidOperationException">No parameter has a gradient.</exception>
    public Tensor ClipGradients(double maxNorm)
    {
        Require.That(maxNorm > 0, nameof(maxNorm), maxNorm, "above 0");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor[] gradients = _named.Select(named => named.Parameter.grad).OfType<Tensor>().ToArray();
        RequireGradients(gradients.Length);

        Tensor norm = linalg.vector_norm(stack(gradients.Select(gradient => linalg.vector_norm(gradient.to(ScalarType.Float32), 2))), 2);
        Aten.ForeachMul_(gradients, (maxNorm / (norm + 1e-6)).clamp_max(1)); // 1e-6 as in torch's clip_grad_norm_
        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>Takes every gradient away, so that the next backward pass writes instead of adding.</summary>
    public void ZeroGradients()
    {
        foreach ((_, Parameter parameter) in _named)
        {
            parameter.grad = null;
        }
    }

    /// <summary>
    /// NAME.exp_avg (m) and NAME.exp_avg_sq (v) of every parameter, and step (t). These are the optimizer's own tensors: write them, or copy
    /// them, before the next step.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor> { [StepName] = _step };
        foreach (Group group in _groups)
        {
            for (int i = 0; i < group.Names.Length; i++)
            {
                state.Add($"{group.Names[i]}.exp_avg", group.ExpAvgs[i]);
                state.Add($"{group.Names[i]}.exp_avg_sq", group.ExpAvgSqs[i]);
            }
        }

        return state;
    }

    /// <summary>Goes on from a <see cref="State"/>; the values are copied. Nothing changes when an entry does not fit.</summary>
    /// <exception cref="ArgumentException">Entries are missing, unknown, or of another shape or dtype; the message names them.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> state)
    {
        IReadOnlyDictionary<string, Tensor> own = State();
        string[] problems =
        [
            .. own.Keys.Except(state.Keys).Select(name => $"{name} is missing"),
            .. state.Keys.Except(own.Keys).Select(name => $"{name} is unknown"),
            .. own.Keys.Where(state.ContainsKey).Where(name => Describe(state[name]) != Describe(own[name]))
                .Select(name => $"{name} is {Describe(state[name])} instead of {Describe(own[name])}"),
        ];
        if (problems.Length > 0)
        {
            string more = problems.Length > 5 ? $"; and {problems.Length - 5} more" : "";
            throw new ArgumentException(
                $"The optimizer's state does not fit the model: {string.Join("; ", problems.Take(5))}{more}. Use the checkpoint of a model with the same config.", nameof(state));
        }

        using var noGrad = no_grad();
        foreach ((string name, Tensor tensor) in own)
        {
            tensor.copy_(state[name]);
        }

        Steps = (long)_step.item<float>();
    }

    /// <summary>Frees the state; the parameters stay.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in State().Values)
        {
            tensor.Dispose();
        }
    }

    private void StepByOperators(Update update)
    {
        double stepSize = LearningRate / (1 - Math.Pow(_beta1, Steps));
        double correction = Math.Sqrt(1 - Math.Pow(_beta2, Steps));
        for (int i = 0; i < update.Parameters.Count; i++)
        {
            (Tensor gradient, Tensor expAvg, Tensor expAvgSq) = (update.Gradients[i], update.ExpAvgs[i], update.ExpAvgSqs[i]);
            expAvg.lerp_(gradient, 1 - _beta1);
            expAvgSq.mul_(_beta2).addcmul_(gradient, gradient, 1 - _beta2);
            update.Parameters[i].mul_(1 - (LearningRate * update.WeightDecay)).addcdiv_(expAvg, expAvgSq.sqrt().div_(correction).add_(_epsilon), -stepSize);
        }
    }

    // Steps one number of the same kind by nothing. libtorch has the operator, but not every device has a kernel for it.
    private static bool HasFusedKernel(Parameter like)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor[] one = [zeros(1, like.dtype, like.device)];
        try
        {
            Aten.FusedAdamW_(one, one, [zeros_like(one[0])], [zeros_like(one[0])], [ones([], ScalarType.Float32, like.device)], 0, 0.9, 0.95, 0, 1e-8);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static void RequireGradients(int count)
    {
        if (count == 0)
        {
            throw new InvalidOperationException("No parameter has a gradient. Call backward() on the loss of these parameters first.");
        }
    }

    private static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";

    /// <summary>Parameters of one dtype that decay alike, with their moments.</summary>
    private sealed class Group((string Name, Parameter Parameter)[] members, double weightDecay)
    {
        public string[] Names { get; } = members.Select(member => member.Name).ToArray();

        public Parameter[] Parameters { get; } = members.Select(member => member.Parameter).ToArray();

        public Tensor[] ExpAvgs { get; } = Moments(members);

        public Tensor[] ExpAvgSqs { get; } = Moments(members);

        public Update WithGradients()
        {
            var update = new Update([], [], [], [], weightDecay);
            for (int i = 0; i < Parameters.Length; i++)
            {
                if (Parameters[i].grad is { } gradient)
                {
                    update.Parameters.Add(Parameters[i]);
                    update.Gradients.Add(gradient);
                    update.ExpAvgs.Add(ExpAvgs[i]);
                    update.ExpAvgSqs.Add(ExpAvgSqs[i]);
                }
            }

            return update;
        }

        private static Tensor[] Moments((string Name, Parameter Parameter)[] members) =>
            members.Select(member => zeros_like(member.Parameter).DetachFromDisposeScope()).ToArray();
    }

    /// <summary>What one step changes in a group, entry by entry.</summary>
    private sealed record Update(List<Tensor> Parameters, List<Tensor> Gradients, List<Tensor> ExpAvgs, List<Tensor> ExpAvgSqs, double WeightDecay);
}
