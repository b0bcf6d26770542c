// Durations and sizes as people read them.

namespace PaperLab.Notebooks.Batch;

/// <summary>Short forms for progress lines, tables and messages.</summary>
public static class Words
{
    /// <summary>"850 ms", "12.3 s", "4 min 05 s", "2 h 03 min".</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 1 => $"{time.TotalMilliseconds:0} ms",
        < 60 => $"{time.TotalSeconds:0.0} s",
        < 3600 => $"{(int)time.TotalMinutes} min {time.Seconds:00} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes:00} min",
    };

    /// <summary>"640 MB", "2.4 GB".</summary>
    public static string Bytes(long bytes) => bytes < 1_000_000_000 ? $"{bytes / 1e6:0} MB" : $"{bytes / 1e9:0.0} GB";
}
