// Kernelspecs: the folders by which Jupyter knows what kernels there are, and how to start one.

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>A kernelspec that lies on this machine.</summary>
/// <param name="Folder">Its folder, whose name is the kernel's.</param>
/// <param name="DisplayName">What front ends call it.</param>
/// <param name="Program">What it starts; empty where it does not say.</param>
/// <param name="IsOurs">Whether this tool made it.</param>
public sealed partial record KernelSpec(string Folder, string DisplayName, string Program, bool IsOurs)
{
    /// <summary>The kernel's usual name.</summary>
    public const string DefaultName = "paperlab-csharp";

    /// <summary>The name under which notebooks of .NET Interactive ask for a C# kernel: with it they open without an edit.</summary>
    public const string DotNetName = ".net-csharp";

    private const string FileName = "kernel.json";
    private const string Mark = "paperlab";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The kernel's name.</summary>
    public string Name => Path.GetFileName(Folder);

    /// <summary>Jupyter's folder of kernels for this user.</summary>
    public static string UserFolder
    {
        get
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            string data = Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } set ? set
                : OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter")
                : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Jupyter")
                : Path.Combine(Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(home, ".local", "share"), "jupyter");
            return Path.Combine(data, "kernels");
        }
    }

    /// <summary>The folders in which Jupyter looks for kernels, apart from those of a Python environment.</summary>
    public static IReadOnlyList<string> SearchFolders =>
    [
        .. (Environment.GetEnvironmentVariable("JUPYTER_PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, "kernels")),
        UserFolder,
        .. OperatingSystem.IsWindows()
            ? [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "jupyter", "kernels")]
            : (string[])["/usr/local/share/jupyter/kernels", "/usr/share/jupyter/kernels"],
    ];

    /// <summary>The folder of kernels of an installation or a Python environment.</summary>
    public static string FolderOf(string prefix) => Path.Combine(prefix, "share", "jupyter", "kernels");

    /// <summary>Whether a kernel may be called <paramref name="name"/>.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>The kernelspecs in <paramref name="kernels"/>, a folder of kernels, by name.</summary>
    public static IReadOnlyList<KernelSpec> In(string kernels) => Directory.Exists(kernels)
        ? [.. Directory.EnumerateDirectories(kernels).Where(folder => File.Exists(Path.Combine(folder, FileName))).Order(StringComparer.Ordinal).Select(Read)]
        : [];

    /// <summary>The kernelspec <paramref name="name"/> in <paramref name="kernels"/>; null when there is none.</summary>
    public static KernelSpec? Find(string kernels, string name) => In(kernels).FirstOrDefault(spec => spec.Name == name);

    /// <summary>Writes a kernelspec, over whatever has the name.</summary>
    /// <param name="kernels">The folder of kernels.</param>
    /// <param name="name">The kernel's name.</param>
    /// <param name="launch">Starts the kernel; the connection file is added.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static KernelSpec Install(string kernels, string name, HostLaunch launch)
    {
        string folder = Path.Combine(kernels, name);
        var json = new JsonObject
        {
            ["argv"] = new JsonArray([launch.Program, .. launch.Arguments, "{connection_file}"]),
            ["display_name"] = name == DotNetName ? ".NET (C#)" : "C# (PaperLab)",
            ["language"] = "C#",
            ["interrupt_mode"] = "message", // a signal would reach the processes that a notebook starts, too
            ["env"] = new JsonObject { [HostProcess.WriteXorExecute] = HostProcess.Off },
            ["metadata"] = new JsonObject { [Mark] = typeof(KernelSpec).Assembly.GetName().Version!.ToString(3) },
        };
        Directory.CreateDirectory(folder);
        AtomicFile.Write(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(json, Readable));
        return Read(folder);
    }

    /// <summary>Removes it from Jupyter's sight: its file, and its folder when nothing else lies there.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be removed.</exception>
    public void Uninstall()
    {
        File.Delete(Path.Combine(Folder, FileName));
        if (!Directory.EnumerateFileSystemEntries(Folder).Any())
        {
            Directory.Delete(Folder);
        }
    }

    // One that cannot be read is somebody else's.
    private static KernelSpec Read(string folder)
    {
        try
        {
            JsonNode? json = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, FileName)));
            return new KernelSpec(
                folder,
                json?["display_name"]?.GetValue<string>() ?? "",
                (json?["argv"] as JsonArray)?.FirstOrDefault()?.GetValue<string>() ?? "",
                json?["metadata"] is JsonObject metadata && metadata.ContainsKey(Mark));
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return new KernelSpec(folder, "", "", IsOurs: false);
        }
    }

    [GeneratedRegex(@"\A(?!\.+\z)[A-Za-z0-9._-]+\z")]
    private static partial Regex NamePattern();
}
