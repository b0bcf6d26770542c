// Words about recorded runs that several views share.

using PaperLab.Training;

namespace PaperLab.Display;

internal static class RunText
{
    /// <summary>"1 run", "20 runs"; empty for none.</summary>
    public static string Count(int count, string noun) => count == 0 ? "" : $"{count:N0} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>How long the runs trained, where, when and with what.</summary>
    public static string Footing(IReadOnlyList<IRecordedRun> records) =>
        $"{Time(records)} of training on {Where(records)}, recorded {When(records)} with libtorch {Distinct(records, record => record.Environment.Libtorch)}";

    /// <summary>The training time of all runs, in words.</summary>
    public static string Time(IReadOnlyList<IRecordedRun> records) => records.Sum(record => record.TrainingSeconds) switch
    {
        < 90 and var seconds => $"{seconds:0} s",
        < 5400 and var seconds => $"{seconds / 60:0} min",
        var seconds => $"{seconds / 3600:0.0} h",
    };

    /// <summary>"cpu, 2 threads".</summary>
    public static string Where(IReadOnlyList<IRecordedRun> records) =>
        Distinct(records, record => $"{record.Environment.Device}, {record.Environment.Threads} thread{(record.Environment.Threads == 1 ? "" : "s")}", " and ");

    /// <summary>"on 2026-11-24", or from the first day to the last.</summary>
    public static string When(IReadOnlyList<IRecordedRun> records)
    {
        (string first, string last) = (Day(records.Min(record => record.Finished)), Day(records.Max(record => record.Finished)));
        return first == last ? $"on {first}" : $"from {first} to {last}";
    }

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd");

    private static string Distinct(IReadOnlyList<IRecordedRun> records, Func<IRecordedRun, string> part, string between = ", ") =>
        string.Join(between, records.Select(part).Distinct().Order(StringComparer.Ordinal));
}
