using static TorchSharp.torch;

namespace PaperLab.Tests;

public sealed class TorchRuntimeTests
{
    [Fact]
    public void Torch_loads_and_computes()
    {
        TorchRuntime runtime = TorchRuntime.Initialize("cpu", threads: 1, seed: 1);

        using Tensor product = ones(2, 3).mm(ones(3, 4));
        Assert.Equal(3f, product[1, 2].item<float>());
        Assert.StartsWith("2.10", runtime.Libtorch);
        Assert.False(runtime.IsCuda);
    }

    [Fact]
    public void The_same_seed_gives_the_same_numbers()
    {
        TorchRuntime.Initialize("cpu", seed: 5);
        using Tensor first = rand(8);
        TorchRuntime.Initialize("cpu", seed: 5);
        using Tensor second = rand(8);

        Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void The_arithmetic_in_force_is_named_and_bf16_holds_for_forward_passes_alone()
    {
        TorchRuntime plain = TorchRuntime.Initialize("cpu", fastMath: false);
        TorchRuntime half = plain.WithBFloat16();
        ScalarType Product(TorchRuntime runtime)
        {
            using var forward = runtime.BeginForward();
            using Tensor product = ones(2, 2).mm(ones(2, 2));
            return product.dtype;
        }

        Assert.Equal("fp32, libtorch's default", plain.Arithmetic);
        Assert.Equal("bf16 autocast, else fp32, libtorch's default", half.Arithmetic);
        Assert.Equal(half, half.WithBFloat16());
        Assert.Equal([ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float32], new[] { plain, half, plain }.Select(Product));
        Assert.StartsWith("fp32", TorchRuntime.Initialize("cpu").Arithmetic);
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("CPU")]
    public void An_unknown_device_is_refused_with_the_allowed_forms(string device)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => TorchRuntime.Initialize(device));

        Assert.Contains($"'{device}'", error.Message);
        Assert.Contains("auto, cpu, cuda or cuda:N", error.Message);
    }

    [Fact]
    public void A_gpu_that_is_not_there_is_named_with_the_way_out()
    {
        Assert.SkipWhen(TorchRuntime.Initialize("auto").IsCuda, "this machine has a GPU");
        TorchRuntimeException error = Assert.Throws<TorchRuntimeException>(() => TorchRuntime.Initialize("cuda:3"));

        Assert.Contains("'cuda:3' was asked for (by the device parameter)", error.Message);
        Assert.Contains("PAPERLAB_LIBTORCH", error.Message);
    }
}
