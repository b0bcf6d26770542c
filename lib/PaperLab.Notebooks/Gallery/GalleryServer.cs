// The gallery over HTTP, for this machine alone: a listener on the loopback address that answers GET and HEAD with files of one folder.

using System.Net;
using System.Net.Sockets;

namespace PaperLab.Notebooks.Gallery;

/// <summary>Serves a folder at 127.0.0.1 until it is disposed.</summary>
public sealed class GalleryServer : IDisposable
{
    // What pages may load: their own files, the pictures and styles inside them. plotly.js makes downloads from blobs.
    private const string Policy = "default-src 'self' 'unsafe-inline' data: blob:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    private readonly HttpListener _listener = new();
    private readonly string _folder;

    /// <summary>Begins to listen.</summary>
    /// <param name="folder">The folder that is served.</param>
    /// <param name="port">The port, 1 to 65535.</param>
    /// <exception cref="GalleryException">The port is in use, or may not be used.</exception>
    public GalleryServer(string folder, int port)
    {
        _folder = Path.GetFullPath(folder);
        Address = new Uri($"http://127.0.0.1:{port}/");
        // The listener knows its requests by these names: one that comes by another, as from a page elsewhere that had its own name point
        // here, finds nothing.
        _listener.Prefixes.Add(Address.ToString());
        _listener.Prefixes.Add($"http://localhost:{port}/");
        try
        {
            _listener.Start();
        }
        catch (Exception error) when (error is HttpListenerException or SocketException)
        {
            _listener.Close();
            throw new GalleryException($"port {port} cannot be listened on ({error.Message}); another program has it, perhaps another gallery: choose one with --port.");
        }
    }

    /// <summary>Where the gallery is.</summary>
    public Uri Address { get; }

    /// <summary>Answers requests until <paramref name="cancellation"/>.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using CancellationTokenRegistration stop = cancellation.Register(_listener.Abort);
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                Answer(await _listener.GetContextAsync());
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or InvalidOperationException or IOException)
            {
                // The reader went away before the answer was there, or the listener was stopped.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Close();

    private void Answer(HttpListenerContext context)
    {
        using HttpListenerResponse response = context.Response;
        response.Headers["Content-Security-Policy"] = Policy;
        response.Headers["X-Content-Type-Options"] = "nosniff";
        response.Headers["Cache-Control"] = "no-store"; // the next gallery is written to the same place
        if (context.Request.HttpMethod is not ("GET" or "HEAD"))
        {
            response.StatusCode = (int)HttpStatusCode.MethodNotAllowed;
            response.Headers["Allow"] = "GET, HEAD";
            return;
        }

        if (FileOf(context.Request.Url!) is not { } path)
        {
            response.StatusCode = (int)HttpStatusCode.NotFound;
            return;
        }

        byte[] content = File.ReadAllBytes(path);
        response.ContentType = ContentTypeOf(path);
        response.ContentLength64 = content.Length;
        if (context.Request.HttpMethod == "GET")
        {
            response.OutputStream.Write(content);
        }
    }

    private string? FileOf(Uri address)
    {
        string name = Uri.UnescapeDataString(address.AbsolutePath).TrimStart('/');
        string path = Path.GetFullPath(Path.Combine(_folder, name.Length == 0 ? IndexPage.Path : name));
        return path.StartsWith(_folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) && File.Exists(path) ? path : null;
    }

    private static string ContentTypeOf(string path) => Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".json" or ".ipynb" => "application/json",
        ".png" => "image/png",
        ".jpg" => "image/jpeg",
        ".gif" => "image/gif",
        ".webp" => "image/webp",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
}
