// A linear map by its weight, with the names of a checkpoint: NAME.weight [out, in] and, where there is one, NAME.bias [out].

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>y = x·Wᵀ + b. Allocates its weight and leaves it unwritten: weights come from <see cref="Initialize"/> or from a checkpoint.</summary>
internal sealed class Projection : nn.Module<Tensor, Tensor>
{
    internal readonly Parameter weight;
    internal readonly Parameter? bias;

    public Projection(int inputs, int outputs, bool hasBias = false)
        : base(nameof(Projection))
    {
        weight = new Parameter(empty(outputs, inputs));
        bias = hasBias ? new Parameter(empty(outputs)) : null;
        RegisterComponents();
    }

    public void Initialize(double std)
    {
        nn.init.normal_(weight, 0, std);
        if (bias is not null)
        {
            nn.init.zeros_(bias);
        }
    }

    public override Tensor forward(Tensor x) => nn.functional.linear(x, weight, bias);
}
