// Gradient checkpointing (Chen et al., arXiv 1604.06174, section 4): the forward pass keeps the input of a block and nothing from inside it;
// the backward pass computes the block again, then its gradients. Memory for one more forward pass: of L blocks' activations, one stays.
//
// The block becomes one node of libtorch's graph, whose backward runs here. Three things follow. What it returns is read after it has
// returned, so this holds it until the next block's turn. An error in it cannot pass libtorch: it ends the process, with its message on
// the error output. And it runs on a thread of libtorch's where the model is on a GPU, without the caller's autocast.
//
// Routing is computed twice and reported once; what a layer of experts counts or learns from the counts is of the first time.

using PaperLab.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>A block as a function of its input.</summary>
internal delegate (Tensor Output_BTC, Routing? Routing) BlockFunction(Tensor x_BTC);

/// <summary>Runs a model's blocks without keeping what they compute.</summary>
internal sealed class Recomputation : IDisposable
{
    private readonly List<Tensor> _returned = [];

    /// <summary>What <paramref name="block"/> gives for <paramref name="x_BTC"/>, with the same gradients as if it had been called directly.</summary>
    /// <param name="block">May hold no tensor of a dispose scope: it is called again in the backward pass.</param>
    /// <param name="parameters">The block's parameters.</param>
    /// <param name="x_BTC">Its input.</param>
    public (Tensor Output_BTC, Routing? Routing) Run(BlockFunction block, IEnumerable<Parameter> parameters, Tensor x_BTC)
    {
        Parameter[] trained = [.. parameters.Where(parameter => parameter.requires_grad)];
        using var scope = NewDisposeScope();
        var call = new Call(this, block, trained, Autocast.IsEnabled(x_BTC.device_type));
        List<Tensor> outputs = Node.apply([call, x_BTC, .. trained]);
        Routing? routing = call.Routing is null ? null : (call.Routing with { Scores_NE = outputs[1], Weights_A = outputs[2] }).MoveToOuterDisposeScope();
        call.Routing = null;
        return (outputs[0].MoveToOuterDisposeScope(), routing);
    }

    /// <summary>Frees what the last backward pass returned.</summary>
    public void Dispose()
    {
        _returned.ForEach(gradient => gradient.Dispose());
        _returned.Clear();
    }

    /// <summary>One block in one pass.</summary>
    private sealed class Call(Recomputation owner, BlockFunction block, Parameter[] trained, bool autocast)
    {
        /// <summary>How the forward pass routed, until the caller has it.</summary>
        public Routing? Routing { get; set; }

        public List<Tensor> Forward(Tensor x_BTC)
        {
            (Tensor output_BTC, Routing) = block(x_BTC);
            return Outputs(output_BTC, Routing);
        }

        /// <summary>Gradients by the outputs → by this call (none), the input and the parameters.</summary>
        public List<Tensor?> Backward(Tensor x_BTC, List<Tensor> gradients)
        {
            owner.Dispose();
            using var scope = NewDisposeScope();
            Tensor input_BTC = x_BTC.detach().requires_grad_(x_BTC.requires_grad);
            List<Tensor> outputs = Again(input_BTC);
            int[] used = [.. Enumerable.Range(0, outputs.Count).Where(i => !gradients[i].IsInvalid && outputs[i].requires_grad)];
            Tensor[] wanted = x_BTC.requires_grad ? [input_BTC, .. trained] : [.. trained];
            IList<Tensor> found = autograd.grad(
                [.. used.Select(i => outputs[i])], wanted, [.. used.Select(i => gradients[i])], retain_graph: false, create_graph: false, allow_unused: true);
            Tensor?[] defined = [.. found.Select(gradient => gradient is null || gradient.IsInvalid ? null : gradient.DetachFromDisposeScope())];
            owner._returned.AddRange(defined.OfType<Tensor>());
            return x_BTC.requires_grad ? [null, .. defined] : [null, null, .. defined];
        }

        private List<Tensor> Again(Tensor input_BTC)
        {
            using var gradients = enable_grad();
            using Autocast products = autocast ? Autocast.BFloat16(input_BTC.device) : default;
            using var scope = NewDisposeScope();
            (Tensor output_BTC, Routing? routing) = block(input_BTC);
            List<Tensor> outputs = Outputs(output_BTC, routing);
            outputs.ForEach(output => output.MoveToOuterDisposeScope());
            return outputs;
        }

        private static List<Tensor> Outputs(Tensor output_BTC, Routing? routing) =>
            routing is null ? [output_BTC] : [output_BTC, routing.Scores_NE, routing.Weights_A];
    }

    /// <summary>The node. Its arguments are the call, the input and the parameters.</summary>
    private sealed class Node : autograd.MultiTensorFunction<Node>
    {
        private const string CallKey = "call";

        public override string Name => nameof(Recomputation);

        public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
        {
            (var call, var x_BTC) = ((Call)vars[0], (Tensor)vars[1]);
            ctx.save_data(CallKey, call);
            ctx.save_for_backward([x_BTC]);
            ctx.set_materialize_grads(false); // an output that nothing was computed from has no gradient
            return call.Forward(x_BTC);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
        {
            using Tensor x_BTC = ctx.get_saved_variables()[0];
            List<Tensor?> gradients = ((Call)ctx.get_data(CallKey)).Backward(x_BTC, grad_outputs);
            grad_outputs.ForEach(gradient => gradient.Dispose());
            return gradients!;
        }
    }
}
