// Where derived data lives between runs: tokenizers, corpora, corrected natives. Everything here can be deleted and is made again.

namespace PaperLab;

/// <summary>The per-user cache folder.</summary>
public static class UserCache
{
    /// <summary>Environment variable that overrides the folder.</summary>
    public const string Variable = "PAPERLAB_CACHE";

    /// <summary>PAPERLAB_CACHE, else XDG_CACHE_HOME/paperlab, else the platform's local application data (~/.cache/paperlab on Linux).</summary>
    public static string Folder
    {
        get
        {
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen)
            {
                return Path.GetFullPath(chosen);
            }

            if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg)
            {
                return Path.Combine(xdg, "paperlab");
            }

            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return OperatingSystem.IsLinux() && home.Length > 0
                ? Path.Combine(home, ".cache", "paperlab")
                : Path.Combine(Path.GetFullPath(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create) is { Length: > 0 } local ? local : Path.GetTempPath()), "paperlab");
        }
    }
}
