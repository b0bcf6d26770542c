using PaperLab.Native;

namespace PaperLab.Tests.Native;

public sealed class FreeMemoryTests : IDisposable
{
    private const long Gigabyte = 1 << 30;

    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_machine_without_limits_has_what_it_says()
    {
        Write("proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n");

        Assert.Equal(4 * Gigabyte, FreeMemory.ReadLinux(_root.Path));
    }

    [Theory]
    [InlineData("/box/inner", "box/inner")]
    [InlineData("/box/inner", "box")]
    [InlineData("/box/inner", "")] // in a container its own group is the root of what is mounted
    [InlineData("/", "")]
    public void The_limit_of_its_group_or_one_above_counts_less_what_is_used_and_not_a_cache(string group, string limited)
    {
        Write("proc/meminfo", "MemAvailable: 8388608 kB\n");
        Write("proc/self/cgroup", $"0::{group}\n");
        Write($"sys/fs/cgroup/{limited}/memory.max", $"{3 * Gigabyte}\n");
        Write($"sys/fs/cgroup/{limited}/memory.current", $"{2 * Gigabyte}\n");
        Write($"sys/fs/cgroup/{limited}/memory.stat", $"anon {Gigabyte}\ninactive_file {Gigabyte / 4}\nactive_file {Gigabyte / 4}\n");

        Assert.Equal(3 * Gigabyte / 2, FreeMemory.ReadLinux(_root.Path));
    }

    [Fact]
    public void Version_1_of_groups_counts_too_and_its_no_limit_does_not()
    {
        Write("proc/meminfo", "MemAvailable: 8388608 kB\n");
        Write("proc/self/cgroup", "3:cpu:/job\n2:memory:/job\n0::/\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "100\n");
        Write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", $"{Gigabyte}\n");
        Write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", $"{Gigabyte}\n");
        Write("sys/fs/cgroup/memory/job/memory.stat", $"inactive_file 1\ntotal_inactive_file {Gigabyte / 2}\ntotal_active_file 0\n");

        Assert.Equal(Gigabyte / 2, FreeMemory.ReadLinux(_root.Path));
    }

    [Fact]
    public void A_group_without_limit_and_one_that_says_max_leave_the_machine()
    {
        Write("proc/meminfo", "MemAvailable: 1048576 kB\n");
        Write("proc/self/cgroup", "0::/box\n");
        Write("sys/fs/cgroup/box/memory.max", "max\n");
        Write("sys/fs/cgroup/box/memory.current", "5\n");

        Assert.Equal(Gigabyte, FreeMemory.ReadLinux(_root.Path));
    }

    [Fact]
    public void Nobody_tells_where_there_is_nothing_and_this_machine_does()
    {
        Assert.Null(FreeMemory.ReadLinux(_root.Path));
        Assert.InRange(FreeMemory.Read() ?? 1, 1, long.MaxValue);
    }

    private void Write(string name, string content)
    {
        string path = _root.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
