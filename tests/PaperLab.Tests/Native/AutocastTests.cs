using System.Runtime.InteropServices;
using PaperLab.Native;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace PaperLab.Tests.Native;

public sealed class AutocastTests : TorchTest
{
    [Fact]
    public void Products_are_bf16_inside_and_fp32_after()
    {
        Assert.True(Autocast.IsAvailable(DeviceType.CPU));
        Tensor x = randn(4, 8), weight = randn(3, 8);
        using (Autocast.BFloat16(CPU))
        {
            Assert.True(Autocast.IsEnabled(DeviceType.CPU));
            Assert.Equal(ScalarType.BFloat16, F.linear(x, weight).dtype);
            Assert.Equal(ScalarType.Float32, F.cross_entropy(F.linear(x, weight), tensor(new long[] { 0, 1, 2, 0 })).dtype);
        }

        Assert.False(Autocast.IsEnabled(DeviceType.CPU));
        Assert.Equal(ScalarType.Float32, F.linear(x, weight).dtype);
    }

    [Fact]
    public void Scopes_nest_and_only_the_outermost_forgets_the_weights()
    {
        Tensor x = ones(1, 8), weight = ones(8, 1).requires_grad_();
        Tensor inside, between, after;
        using (Autocast.BFloat16(CPU))
        {
            x.mm(weight); // its bf16 copy is kept
            using (no_grad())
            {
                weight.fill_(2);
            }

            using (Autocast.BFloat16(CPU))
            {
                inside = x.mm(weight);
            }

            between = x.mm(weight);
            Assert.True(Autocast.IsEnabled(DeviceType.CPU));
        }

        using (Autocast.BFloat16(CPU))
        {
            after = x.mm(weight);
        }

        Assert.Equal([8f, 8f, 16f], new[] { inside, between, after }.Select(y => y.to(float32).item<float>()));
    }

    [Fact]
    public void An_exception_inside_ends_the_scope()
    {
        static void Fail()
        {
            using Autocast scope = Autocast.BFloat16(CPU);
            ones(2, 2).mm(ones(3, 3));
        }

        Assert.Throws<ExternalException>(Fail);

        Assert.False(Autocast.IsEnabled(DeviceType.CPU));
        Assert.Equal(ScalarType.Float32, ones(2, 2).mm(ones(2, 2)).dtype);
    }

    [Fact]
    public void Ending_twice_and_ending_nothing_do_no_harm()
    {
        using Autocast outer = Autocast.BFloat16(CPU);
        Autocast inner = Autocast.BFloat16(CPU), none = default;
        inner.Dispose();
        inner.Dispose();
        none.Dispose();

        Assert.True(Autocast.IsEnabled(DeviceType.CPU));
    }

    [Fact]
    public void Another_thread_is_not_touched()
    {
        bool elsewhere = true;
        using (Autocast.BFloat16(CPU))
        {
            var thread = new Thread(() => elsewhere = Autocast.IsEnabled(DeviceType.CPU));
            thread.Start();
            thread.Join();
        }

        Assert.False(elsewhere);
    }

    [Fact]
    public void A_device_without_it_is_refused_by_name()
    {
        Assert.False(Autocast.IsAvailable(DeviceType.META));
        TorchRuntimeException error = Assert.Throws<TorchRuntimeException>(() => Autocast.BFloat16(META).Dispose());

        Assert.Contains("meta", error.Message);
    }

    [Fact]
    public void The_gpu_has_a_switch_of_its_own()
    {
        using (Autocast.BFloat16(new Device(DeviceType.CUDA, 0)))
        {
            Assert.True(Autocast.IsEnabled(DeviceType.CUDA));
            Assert.False(Autocast.IsEnabled(DeviceType.CPU));
        }

        Assert.False(Autocast.IsEnabled(DeviceType.CUDA));
    }

    [Fact]
    public void Gradients_of_fp32_weights_are_fp32_and_close_to_the_plain_ones()
    {
        Tensor x = randn(16, 32), weight = randn(8, 32).requires_grad_(), plain = weight.detach().clone().requires_grad_();
        Tensor loss;
        using (Autocast.BFloat16(CPU))
        {
            loss = F.linear(x, weight).square().mean();
        }

        loss.backward();
        F.linear(x, plain).square().mean().backward();

        Assert.Equal(ScalarType.Float32, weight.grad!.dtype);
        double error = ((weight.grad - plain.grad!).norm() / plain.grad!.norm()).item<float>();
        Assert.InRange(error, 1e-6, 2e-2);
    }

    [Fact]
    public void The_aten_operators_work_inside()
    {
        Tensor x = randn(8, 16).requires_grad_(), weight = ones(16).requires_grad_(), experts = randn(2, 16, 16).requires_grad_(), q = randn(1, 2, 8, 16);
        Tensor norm, product, attention;
        using (Autocast.BFloat16(CPU))
        {
            norm = Aten.RmsNorm(x, weight, 1e-6);
            product = Aten.GroupedMm(norm, experts, tensor(new[] { 3, 8 }));
            attention = Aten.ScaledDotProductAttention(q, q, q, null, causal: true, null);
        }

        product.square().sum().backward();

        Assert.Equal([ScalarType.Float32, ScalarType.BFloat16, ScalarType.BFloat16], new[] { norm, product, attention }.Select(y => y.dtype));
        Assert.Equal([ScalarType.Float32, ScalarType.Float32, ScalarType.Float32], new[] { x, weight, experts }.Select(leaf => leaf.grad!.dtype));
    }
}
