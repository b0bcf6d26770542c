// Turns what a user types (a name, the start of one, a path) into notebook files.

namespace PaperLab.Cli;

/// <summary>Finds notebooks by name or path.</summary>
public static class NotebookCatalog
{
    private static readonly string[] Extensions = [".ipynb", ".dib"];

    /// <summary>Full paths of the notebooks that <paramref name="names"/> mean; of all in notebooks/ when there are no names.</summary>
    /// <exception cref="UsageException">A name means no notebook or several.</exception>
    public static IReadOnlyList<string> Resolve(IReadOnlyCollection<string> names)
    {
        if (names.Count > 0)
        {
            return [.. names.Select(Resolve).Distinct()];
        }

        Repository repository = Repository.Require();
        string[] all = All(repository);
        return all.Length > 0 ? all : throw new UsageException($"{repository.Notebooks} has no notebooks (.ipynb, .dib).");
    }

    private static string Resolve(string name)
    {
        if (IsNotebook(name) || name.Contains('/') || name.Contains(Path.DirectorySeparatorChar))
        {
            return ByPath(name);
        }

        string[] all = Repository.Find() is Repository repository ? All(repository) : [];
        string[] matches = [.. all.Where(path => NameOf(path).Equals(name, StringComparison.OrdinalIgnoreCase))];
        if (matches.Length == 0)
        {
            matches = [.. all.Where(path => NameOf(path).StartsWith(name, StringComparison.OrdinalIgnoreCase))];
        }

        return matches.Length switch
        {
            1 => matches[0],
            0 => throw new UsageException($"there is no notebook \"{name}\"; there are: {List(all)}."),
            _ => throw new UsageException($"\"{name}\" may mean several notebooks: {List(matches)}. Type more of the name, or a path."),
        };
    }

    private static string ByPath(string path)
    {
        string full = Path.GetFullPath(path);
        if (!IsNotebook(full))
        {
            throw new UsageException($"{path} is not a notebook: its name ends neither in .ipynb nor in .dib.");
        }

        // A bare file name may also be meant from the notebooks folder.
        string inRepository = Repository.Find() is Repository repository ? Path.Combine(repository.Notebooks, path) : full;
        return File.Exists(full) ? full
            : File.Exists(inRepository) ? Path.GetFullPath(inRepository)
            : throw new UsageException($"the notebook {full} does not exist.");
    }

    private static string[] All(Repository repository) => Directory.Exists(repository.Notebooks)
        ? [.. Directory.EnumerateFiles(repository.Notebooks).Where(IsNotebook).Order(StringComparer.Ordinal)]
        : [];

    private static bool IsNotebook(string path) => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path);

    private static string List(string[] paths) => paths.Length == 0 ? "(none)" : string.Join(", ", paths.Select(NameOf));
}
