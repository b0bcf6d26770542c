// The server answers this machine, with files of its folder, and nobody with anything else.

using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using PaperLab.Notebooks.Gallery;

namespace PaperLab.Notebooks.Tests.Gallery;

public sealed class GalleryServerTests : IAsyncLifetime
{
    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("paperlab-gallery-");
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _client = new();
    private readonly GalleryServer _server;
    private readonly Task _running;

    public GalleryServerTests()
    {
        string folder = Path.Combine(_scratch.FullName, "site");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "index.html"), "the index");
        File.WriteAllText(Path.Combine(folder, "نص.js"), "the script");
        File.WriteAllText(Path.Combine(_scratch.FullName, "secret"), "no");
        _server = new GalleryServer(folder, FreePort());
        _client.BaseAddress = _server.Address;
        _running = _server.RunAsync(_stop.Token);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _server.Dispose();
        _client.Dispose();
        _stop.Dispose();
        _scratch.Delete(recursive: true);
    }

    [Fact]
    public async Task The_folder_itself_is_its_index_and_files_have_their_type()
    {
        using HttpResponseMessage index = await _client.GetAsync("");
        using HttpResponseMessage script = await _client.GetAsync("%D9%86%D8%B5.js?v=1");

        Assert.Equal("the index", await index.Content.ReadAsStringAsync());
        Assert.Equal("text/html; charset=utf-8", index.Content.Headers.ContentType!.ToString());
        Assert.Contains("default-src 'self'", index.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("text/javascript; charset=utf-8", script.Content.Headers.ContentType!.ToString());
    }

    [Theory]
    [InlineData("absent.html")]
    [InlineData("..%2Fsecret")]
    [InlineData("%2e%2e/secret")]
    [InlineData("a%2F..%2F..%2Fsecret")]
    public async Task What_is_not_in_the_folder_is_not_found(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task It_only_reads()
    {
        using HttpResponseMessage post = await _client.PostAsync("", new StringContent("x"));
        using HttpResponseMessage head = await _client.SendAsync(new HttpRequestMessage(HttpMethod.Head, ""));

        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
        Assert.Equal(9, head.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task A_request_by_another_name_than_this_machines_finds_nothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        request.Headers.Host = "elsewhere.example";

        using HttpResponseMessage response = await _client.SendAsync(request);

        Assert.False(response.IsSuccessStatusCode);
    }

    [Fact]
    public void It_listens_on_no_address_that_others_reach()
    {
        IPEndPoint[] open = [.. IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(listener => listener.Port == _server.Address.Port)];

        Assert.NotEmpty(open);
        Assert.All(open, listener => Assert.True(IPAddress.IsLoopback(listener.Address), listener.ToString()));
    }

    [Fact]
    public void A_port_that_is_in_use_is_named_with_what_to_do()
    {
        string message = Assert.Throws<GalleryException>(() => new GalleryServer(_scratch.FullName, _server.Address.Port)).Message;

        Assert.Contains($"port {_server.Address.Port}", message);
        Assert.Contains("--port", message);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
