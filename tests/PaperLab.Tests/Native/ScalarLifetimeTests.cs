using PaperLab.Native;
using static TorchSharp.torch;

namespace PaperLab.Tests.Native;

public sealed class ScalarLifetimeTests : TorchTest
{
    // Without the extension some ten of these additions throw.
    [Fact]
    public async Task An_addition_survives_a_collection_of_garbage_in_its_middle()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(4));
        Task collector = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        Tensor a = ones(64), b = ones(64);
        while (ScalarLifetime.IsExtended && !stop.IsCancellationRequested)
        {
            using var scope = NewDisposeScope();
            Assert.Equal(128, (a + b).sum().item<float>());
        }

        await collector;
    }

    // Eight rounds of 2,000 Scalars (the 1, and the factor that add_ has), half a second apart: those of four rounds at most still wait.
    [Fact]
    public void Scalars_do_end()
    {
        for (int round = 0; round < 8; round++)
        {
            Use();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(500);
        }

        Assert.InRange(ScalarLifetime.Count, 0, 5 * 2000);

        static void Use()
        {
            using var scope = NewDisposeScope();
            Tensor a = ones(1);
            for (int i = 0; i < 1000; i++)
            {
                a.add_(1);
            }
        }
    }
}
