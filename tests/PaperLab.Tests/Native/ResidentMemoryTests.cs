using PaperLab.Native;
using static TorchSharp.torch;

namespace PaperLab.Tests.Native;

public sealed class ResidentMemoryTests : TorchTest
{
    [Theory]
    [InlineData(100)]
    [InlineData(250)]
    public void The_peak_of_a_piece_of_work_is_what_it_held_at_most_whatever_was_held_before(int megabytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux tells");
        using (ones(300_000_000 / 4))
        {
            // and given back to the allocator, which keeps it
        }

        long[] peaks = [.. Enumerable.Range(0, 5).Select(_ => ResidentMemory.PeakOf(() =>
        {
            using Tensor first = ones(megabytes * 1_000_000 / 8), second = ones(megabytes * 1_000_000 / 8);
        })!.Value).Order()];

        // The median, for the process's other memory comes and goes meanwhile.
        Assert.InRange(peaks[2], (megabytes - 15) * 1_000_000L, (megabytes + 15) * 1_000_000L);
    }
}
