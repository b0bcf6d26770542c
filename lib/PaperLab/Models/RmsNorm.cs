// RMSNorm (arXiv 1910.07467): x / √(mean(x²) + ε) · g.

using PaperLab.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>Normalises the last dimension to unit mean square, then scales it.</summary>
public sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight; // [C]
    private readonly double _epsilon;

    public RmsNorm(int width, double epsilon)
        : base(nameof(RmsNorm))
    {
        weight = new Parameter(ones(width));
        _epsilon = epsilon;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => Aten.RmsNorm(x, weight, _epsilon);
}
