// A linear map by its weight, with the names of a checkpoint: NAME.weight [out, in] and, where there is one, NAME.bias [out]. With an
// adapter (LowRankAdapter) it also has NAME.lora_A [r, in] and NAME.lora_B [out, r].
// Shapes: N rows, I inputs, O outputs, R rank.

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>y = x·Wᵀ + b. Allocates its weight and leaves it unwritten: weights come from <see cref="Initialize"/> or from a checkpoint.</summary>
internal sealed class Projection : nn.Module<Tensor, Tensor>
{
    internal readonly Parameter weight;
    internal readonly Parameter? bias;
    internal Parameter? lora_A, lora_B;
    private float _scale;

    public Projection(int inputs, int outputs, bool hasBias = false)
        : base(nameof(Projection))
    {
        weight = new Parameter(empty(outputs, inputs));
        bias = hasBias ? new Parameter(empty(outputs)) : null;
        RegisterComponents();
    }

    /// <summary>The factors that are added now: the adapter's own, those of another time, or none.</summary>
    internal (Tensor A, Tensor B)? Added { get; set; }

    public void Initialize(double std)
    {
        nn.init.normal_(weight, 0, std);
        if (bias is not null)
        {
            nn.init.zeros_(bias);
        }
    }

    /// <summary>x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ. The factors are fp32 whatever W is, so that they can take small steps; they compute in the type of x.</summary>
    public override Tensor forward(Tensor x)
    {
        if (Added is not var (a, b))
        {
            return nn.functional.linear(x, weight, bias);
        }

        using var scope = NewDisposeScope();
        Tensor x_NI = x.reshape(-1, x.shape[^1]);
        Tensor y_NO = nn.functional.linear(x_NI, weight, bias), low_NR = nn.functional.linear(x_NI, a.to(x.dtype));
        y_NO.addmm_(low_NR, b.t().to(low_NR.dtype), beta: 1, alpha: _scale); // in place: a tensor as large as y less
        return y_NO.view([.. x.shape[..^1], y_NO.shape[1]]).MoveToOuterDisposeScope();
    }

    /// <summary>Gives it the factors of an adapter.</summary>
    internal void Attach(Parameter a, Parameter b, float scale)
    {
        (lora_A, lora_B, _scale, Added) = (a, b, scale, (a, b));
        register_parameter(nameof(lora_A), a);
        register_parameter(nameof(lora_B), b);
    }

    /// <summary>Takes the factors away, and returns them.</summary>
    internal (Parameter A, Parameter B) Detach()
    {
        (Parameter a, Parameter b) = (lora_A!, lora_B!);
        ConditionallyRegisterParameter(nameof(lora_A), (Parameter?)null);
        ConditionallyRegisterParameter(nameof(lora_B), (Parameter?)null);
        (lora_A, lora_B, Added) = (null, null, null);
        return (a, b);
    }

    /// <summary>W + s·B·A in W's type; the sum is made in fp32.</summary>
    internal Tensor Merged()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return (weight.to(ScalarType.Float32) + (lora_B!.mm(lora_A!) * _scale)).to(weight.dtype).MoveToOuterDisposeScope();
    }
}
