using System.Diagnostics;
using PaperLab.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace PaperLab.Tests.Native;

public sealed class AtenTests : TorchTest
{
    [Theory]
    [InlineData(ScalarType.Float32, 2e-6)]
    [InlineData(ScalarType.BFloat16, 2e-2)]
    public void Rms_norm_is_the_formula_with_its_gradients(ScalarType dtype, double tolerance)
    {
        Tensor x = Leaf([3, 5, 16], dtype), weight = Leaf([16], dtype), upstream = randn(3, 5, 16, dtype: dtype);
        Tensor x2 = Double(x), weight2 = Double(weight);

        Tensor actual = Aten.RmsNorm(x, weight, 1e-6);
        actual.backward([upstream]);
        Tensor expected = x2 * (x2.square().mean([-1], true) + 1e-6).rsqrt() * weight2;
        expected.backward([upstream.to(float64)]);

        AssertClose(expected, actual, tolerance);
        AssertClose(x2.grad!, x.grad!, tolerance);
        AssertClose(weight2.grad!, weight.grad!, tolerance);
    }

    [Theory]
    [InlineData(ScalarType.Float32, false, 2e-6)]
    [InlineData(ScalarType.Float32, true, 2e-6)]
    [InlineData(ScalarType.BFloat16, false, 2e-2)]
    [InlineData(ScalarType.BFloat16, true, 2e-2)]
    public void Grouped_mm_multiplies_each_group_with_its_matrix_also_an_empty_one(ScalarType dtype, bool transposed, double tolerance)
    {
        Tensor a_AC = Leaf([9, 16], dtype), b = Leaf(transposed ? [4, 8, 16] : [4, 16, 8], dtype), upstream = randn(9, 8, dtype: dtype);
        Tensor a2 = Double(a_AC), b2 = Double(b);
        int[] ends = [2, 2, 6, 9]; // group 1 is empty

        Tensor actual = Aten.GroupedMm(a_AC, transposed ? b.transpose(1, 2) : b, tensor(ends));
        actual.backward([upstream]);
        Tensor b2_ECF = transposed ? b2.transpose(1, 2) : b2;
        Tensor expected = cat(ends.Select((end, e) => a2[(e == 0 ? 0 : ends[e - 1])..end].mm(b2_ECF[e])).ToArray());
        expected.backward([upstream.to(float64)]);

        AssertClose(expected, actual, tolerance);
        AssertClose(a2.grad!, a_AC.grad!, tolerance);
        AssertClose(b2.grad!, b.grad!, tolerance);
        Assert.Equal(0, b.grad![1].abs().max().to(float32).item<float>());
    }

    [Theory]
    [InlineData(ScalarType.Float32, 4e-6)]
    [InlineData(ScalarType.BFloat16, 3e-2)]
    public void Attention_is_the_softmax_formula_under_every_option(ScalarType dtype, double tolerance)
    {
        Tensor seen_BT = rand(2, 1, 6, 6) < 0.7 | eye(6, dtype: ScalarType.Bool);
        foreach ((bool causal, double? scale, Tensor? mask) in new (bool, double?, Tensor?)[] { (true, null, null), (false, 0.3, null), (false, null, seen_BT), (true, 1.0, null) })
        {
            Tensor q = Leaf([2, 4, 6, 8], dtype), k = Leaf([2, 4, 6, 8], dtype), v = Leaf([2, 4, 6, 8], dtype), upstream = randn(2, 4, 6, 8, dtype: dtype);
            Tensor q2 = Double(q), k2 = Double(k), v2 = Double(v);

            Tensor actual = Aten.ScaledDotProductAttention(q, k, v, mask, causal, scale);
            actual.backward([upstream]);
            Tensor expected = Attention(q2, k2, v2, mask, causal, scale);
            expected.backward([upstream.to(float64)]);

            AssertClose(expected, actual, tolerance);
            AssertClose(q2.grad!, q.grad!, tolerance);
            AssertClose(k2.grad!, k.grad!, tolerance);
            AssertClose(v2.grad!, v.grad!, tolerance);
        }
    }

    [Fact]
    public void Query_heads_share_two_key_heads_and_four_value_heads()
    {
        Tensor q = Leaf([2, 8, 5, 4]), k = Leaf([2, 2, 5, 4]), v = Leaf([2, 4, 5, 4]), upstream = randn(2, 8, 5, 4);
        Tensor q2 = Double(q), k2 = Double(k), v2 = Double(v);

        Tensor actual = Aten.ScaledDotProductAttention(q, k, v, null, causal: true, null, enableGqa: true);
        actual.backward([upstream]);
        Tensor expected = Attention(q2, k2.repeat_interleave(4, 1), v2.repeat_interleave(2, 1), null, true, null);
        expected.backward([upstream.to(float64)]);

        AssertClose(expected, actual, 4e-6);
        AssertClose(q2.grad!, q.grad!, 4e-6);
        AssertClose(k2.grad!, k.grad!, 4e-6);
        AssertClose(v2.grad!, v.grad!, 4e-6);
    }

    [Theory]
    [InlineData(ScalarType.Float32, 6, "multiple of 4 numbers")]
    [InlineData(ScalarType.BFloat16, 12, "multiple of 8 numbers")]
    public void Grouped_mm_says_which_widths_it_takes(ScalarType dtype, int width, string allowed)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Aten.GroupedMm(ones(4, 16, dtype: dtype), ones(2, 16, width, dtype: dtype), tensor(new[] { 1, 4 })));

        Assert.Contains($"b_ECF is {dtype} [2, 16, {width}]", error.Message);
        Assert.Contains(allowed, error.Message);
    }

    [Fact]
    public void Grouped_mm_computes_in_inference_mode()
    {
        using var inference = inference_mode();

        Assert.Equal([16f, 16f, 16f], Aten.GroupedMm(ones(3, 16), ones(2, 8, 16).transpose(1, 2), tensor(new[] { 1, 3 })).select(1, 0).data<float>().ToArray());
    }

    [Fact]
    public void A_failing_operator_names_itself_and_what_it_was_given()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => Aten.RmsNorm(ones(2, 3), ones(4, dtype: float64), 1e-6));

        Assert.StartsWith("aten::rms_norm failed on Float32 [2, 3], Float64 [4].", error.Message);
        Assert.Contains("stderr", error.Message);
    }

    [Fact]
    public void A_tensor_that_was_disposed_of_is_refused_before_anything_native_is_made()
    {
        Tensor gone = ones(3);
        gone.Dispose();

        Assert.Throws<InvalidOperationException>(() => Aten.RmsNorm(ones(2, 3), gone, 1e-6));
    }

    [Fact]
    public void A_result_belongs_to_the_innermost_dispose_scope()
    {
        Tensor x = ones(2, 3), weight = ones(3), result;
        using (NewDisposeScope())
        {
            result = Aten.RmsNorm(x, weight, 1e-6);
        }

        Assert.True(result.IsInvalid);
    }

    // Every kind of argument goes by: tensors, lists of tensors and of integers, optionals that hold something and that do not.
    [Fact]
    public void Ten_thousand_calls_leave_no_tensor_and_no_memory()
    {
        Tensor x = ones(4, 16), weight = ones(16), ends = tensor(new[] { 1, 4 }), b = ones(2, 16, 16), q = ones(1, 2, 4, 16), step = tensor(1f);
        Tensor[] parameters = [ones(8), ones(8)], gradients = [ones(8), ones(8)], averages = [ones(8), ones(8)], squares = [ones(8), ones(8)], steps = [step, step];
        void Calls(int count)
        {
            using var none = no_grad();
            for (int i = 0; i < count; i++)
            {
                using var scope = NewDisposeScope();
                Aten.RmsNorm(x, weight, 1e-6);
                Aten.GroupedMm(x, b, ends);
                Aten.ScaledDotProductAttention(q, q, q, null, causal: true, 0.5);
                Aten.FusedAdamW_(parameters, gradients, averages, squares, steps, 1e-3, 0.9, 0.95, 0.1, 1e-8);
                Aten.ForeachMul_(gradients, step);
            }
        }

        // The runtime itself grows while it warms up; a leak grows in every round, by 1.6 MB for the smallest thing in five places.
        (long Tensors, long Memory)[] growth = new (long, long)[4];
        for (int round = 0; round < growth.Length; round++)
        {
            (long tensors, long memory) = (LiveTensors(), Memory());
            Calls(10_000);
            growth[round] = (LiveTensors() - tensors, Memory() - memory);
        }

        Assert.All(growth, one => Assert.Equal(0, one.Tensors));
        Assert.InRange(growth.Min(one => one.Memory), long.MinValue, 1 << 20);
    }

    [Fact]
    public void A_failed_call_lets_go_of_its_tensors()
    {
        long before = Memory();
        for (int i = 0; i < 5; i++)
        {
            using var scope = NewDisposeScope();
            Tensor x = ones(16, 1 << 20); // 64 MB
            Assert.Throws<InvalidOperationException>(() => Aten.RmsNorm(x, ones(4), 1e-6));
        }

        Assert.InRange(Memory() - before, long.MinValue, 128 << 20);
    }

    private static long Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static Tensor Attention(Tensor q, Tensor k, Tensor v, Tensor? mask, bool causal, double? scale)
    {
        Tensor scores = q.matmul(k.transpose(-2, -1)) * (scale ?? 1 / Math.Sqrt(q.shape[^1]));
        Tensor hidden = causal ? ones(q.shape[2], k.shape[2], dtype: ScalarType.Bool).triu(1) : mask?.logical_not() ?? zeros(1, dtype: ScalarType.Bool);
        return F.softmax(scores.masked_fill(hidden, double.NegativeInfinity), -1).matmul(v);
    }

    private static Tensor Leaf(long[] shape, ScalarType dtype = ScalarType.Float32) => randn(shape).to(dtype).requires_grad_();

    private static Tensor Double(Tensor leaf) => leaf.detach().to(float64).requires_grad_();

    /// <summary>Largest difference, relative to the largest entry.</summary>
    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        double error = ((expected - actual.to(float64)).abs().max() / expected.abs().max()).item<double>();
        Assert.InRange(error, 0, tolerance);
    }
}
