namespace PaperLab.Tests;

/// <summary>The checkout that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "PaperLab.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"PaperLab.sln was not found above {AppContext.BaseDirectory}.");
    }
}
