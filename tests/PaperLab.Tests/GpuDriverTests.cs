namespace PaperLab.Tests;

public sealed class GpuDriverTests
{
    [Fact]
    public void Either_gpus_are_described_or_their_absence_is_explained()
    {
        GpuDriver driver = GpuDriver.Read();

        Assert.Equal(driver.Gpus.Count > 0, driver.WhyNone is null);
        Assert.All(driver.Gpus, gpu =>
        {
            Assert.NotEmpty(gpu.Name);
            Assert.InRange(gpu.MemoryBytes, 1L << 28, 1L << 42);
            Assert.InRange(gpu.Capability.Major, 3, 20);
        });
        Assert.True(driver.WhyNone is null || driver.WhyNone.Contains("driver", StringComparison.Ordinal), driver.WhyNone);
    }

    [Theory]
    [InlineData("NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23 03:01:21 UTC 2025\nGCC version:  gcc version 12.2.0 (Debian)", "570.86.15, ")]
    [InlineData("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build", "580.65.06, ")]
    [InlineData("", "")]
    public void The_drivers_version_is_read_from_its_kernel_module(string text, string version) => Assert.Equal(version, GpuDriver.KernelVersion(text));
}
