using PaperLab.Training;

namespace PaperLab.Tests.Training;

/// <summary>On a GPU where there is one, and on the processor where not: never skipped.</summary>
public sealed class DeviceChecksTests
{
    public static TheoryData<string> Kinds => [.. DeviceChecks.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void This_machines_device_computes_what_double_precision_does(string kind)
    {
        IReadOnlyList<DeviceCheck> checks = DeviceChecks.Run(kind, TorchRuntime.Initialize("auto", fastMath: false));

        Assert.All(checks, check => Assert.True(check.Passed, $"{check.Name}: {check.Error:E2}, allowed {check.Limit:E0}"));
        Assert.InRange(checks.Count, 5, 6);
        Assert.All(checks.Where(check => check.Name.StartsWith("bf16", StringComparison.Ordinal)), check => Assert.True(check.Error > 1e-4, "bf16 is told from fp32"));
    }

    [Fact]
    public void What_is_no_number_does_not_pass() => Assert.False(new DeviceCheck("logits", double.NaN, 1).Passed);
}
