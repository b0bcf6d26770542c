// The policy as it was: what the divergence in the objective is measured from. Of a policy with a low-rank adapter only the adapter
// changes, so the reference is the same weights with the adapter's factors of that time; of any other policy it is a copy.

using PaperLab.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>A policy at the time when this was made or last renewed.</summary>
internal sealed class PolicyReference : IDisposable
{
    private readonly Transformer _policy;
    private readonly Transformer? _copy;
    private IReadOnlyList<(Tensor A, Tensor B)>? _factors;

    public PolicyReference(Transformer policy)
    {
        _policy = policy;
        if (policy.Adapter is null)
        {
            _copy = new Transformer(policy.Config, initialize: false);
            _copy.to(policy.Dtype).to(policy.Device);
        }

        Renew();
    }

    /// <summary>What <paramref name="compute"/> gives with the policy of that time.</summary>
    public T With<T>(Func<Transformer, T> compute) => _copy is not null ? compute(_copy) : _policy.Adapter!.With(_factors, () => compute(_policy));

    /// <summary>Becomes the policy of now.</summary>
    public void Renew()
    {
        if (_copy is null)
        {
            Forget();
            _factors = _policy.Adapter!.Copied();
            return;
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> weights = _policy.state_dict();
        foreach ((string name, Tensor value) in _copy.state_dict())
        {
            value.copy_(weights[name]);
        }
    }

    /// <summary>What makes it, by name; its own tensors.</summary>
    public Dictionary<string, Tensor> State() => _copy?.state_dict()
        ?? _factors!.SelectMany((pair, i) => new[] { ($"{i}.lora_A", pair.A), ($"{i}.lora_B", pair.B) }).ToDictionary();

    public void Dispose()
    {
        Forget();
        _copy?.Dispose();
    }

    private void Forget()
    {
        foreach ((Tensor a, Tensor b) in _factors ?? [])
        {
            a.Dispose();
            b.Dispose();
        }
    }
}
