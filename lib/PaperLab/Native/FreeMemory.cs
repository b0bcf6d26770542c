// How much memory this process can still take: what the machine has free, and no more than what the limits on its control group (a
// container's, a batch system's) leave. File pages that the kernel would give up count as free in both.
//
// Linux tells: proc_meminfo(5), cgroups(7). Elsewhere the runtime's own estimate serves, which is of the last garbage collection.

namespace PaperLab.Native;

internal static class FreeMemory
{
    private const long NoLimit = 1L << 60; // version 1 writes a number near 2^63 where there is none

    /// <summary>Bytes; null where nobody tells.</summary>
    public static long? Read() => OperatingSystem.IsLinux() ? ReadLinux("/") : ReadRuntime();

    /// <summary>What a Linux system says whose /proc and /sys lie under <paramref name="root"/>.</summary>
    internal static long? ReadLinux(string root)
    {
        string meminfo = Path.Combine(root, "proc", "meminfo");
        long? machine = File.Exists(meminfo) ? 1024 * Number(File.ReadLines(meminfo), "MemAvailable:") : null;
        long?[] known = [machine, .. Groups(root).Select(Left)];
        return known.Min(); // nulls aside
    }

    // The process's memory group and all above it: each may have a limit. In a container its own group is often the root of what is mounted.
    private static IEnumerable<(string Folder, string Limit, string Used, string Cached)> Groups(string root)
    {
        string list = Path.Combine(root, "proc", "self", "cgroup");
        foreach (string[] line in File.Exists(list) ? File.ReadLines(list).Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3) : [])
        {
            bool second = line[1].Length == 0; // version 2 has one group for all resources
            if (second || line[1].Split(',').Contains("memory"))
            {
                string mounted = second ? Path.Combine(root, "sys", "fs", "cgroup") : Path.Combine(root, "sys", "fs", "cgroup", "memory");
                for (string group = line[2].Trim('/'); ; group = Path.GetDirectoryName(group) ?? "")
                {
                    string folder = Path.Combine(mounted, group);
                    yield return second ? (folder, "memory.max", "memory.current", "") : (folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_");
                    if (group.Length == 0)
                    {
                        break;
                    }
                }
            }
        }
    }

    private static long? Left((string Folder, string Limit, string Used, string Cached) group)
    {
        string limitFile = Path.Combine(group.Folder, group.Limit), usedFile = Path.Combine(group.Folder, group.Used), statFile = Path.Combine(group.Folder, "memory.stat");
        if (!File.Exists(limitFile) || !File.Exists(usedFile) || !long.TryParse(File.ReadAllText(limitFile), out long limit) || limit >= NoLimit)
        {
            return null; // not mounted, or "max"
        }

        string[] stat = File.Exists(statFile) ? File.ReadAllLines(statFile) : [];
        long cached = (Number(stat, $"{group.Cached}inactive_file") ?? 0) + (Number(stat, $"{group.Cached}active_file") ?? 0);
        return Math.Max(0, limit - long.Parse(File.ReadAllText(usedFile)) + cached);
    }

    private static long? Number(IEnumerable<string> lines, string field) =>
        lines.Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length >= 2 && words[0] == field).Select(words => (long?)long.Parse(words[1])).FirstOrDefault();

    private static long? ReadRuntime()
    {
        GCMemoryInfo info = GC.GetGCMemoryInfo();
        return info.TotalAvailableMemoryBytes > 0 ? Math.Max(0, info.TotalAvailableMemoryBytes - info.MemoryLoadBytes) : null;
    }
}
