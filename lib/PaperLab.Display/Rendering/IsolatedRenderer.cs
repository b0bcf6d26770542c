// Runs the drawing libraries in a load context of their own.
//
// Plotly.NET brings FSharp.Core, and notebook hosts bring another version of it (or none that resolves): sharing the page's load
// context ends in MissingMethodException or FileNotFoundException there. So this assembly loads a second copy of itself into a
// private context and calls its renderer; only strings cross. The private context takes whatever lies beside this assembly and
// leaves the framework to the host. It also finds SkiaSharp's native library, which a script host would not.

using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace PaperLab.Display.Rendering;

internal static class IsolatedRenderer
{
    private static readonly Lazy<Func<string, int, string[]>> s_render = new(Load);

    /// <summary>Renders the JSON of a drawn figure; see <see cref="Renderer.Render"/>.</summary>
    public static RenderedFigure Render(string figureJson, int mostCharacters)
    {
        string[] parts = s_render.Value(figureJson, mostCharacters);
        return new RenderedFigure(parts[0], parts[1], int.Parse(parts[2]), int.Parse(parts[3]));
    }

    private static Func<string, int, string[]> Load()
    {
        Assembly self = typeof(IsolatedRenderer).Assembly;
        if (string.IsNullOrEmpty(self.Location))
        {
            throw new InvalidOperationException(
                $"{self.GetName().Name} was loaded from memory, so the charting libraries beside it cannot be found. Load it from its file, for example with #r \"lib/out/PaperLab.Display.dll\".");
        }

        var context = new RendererContext(Path.GetDirectoryName(self.Location)!);
        MethodInfo render = context.LoadFromAssemblyPath(self.Location).GetType(typeof(Renderer).FullName!, throwOnError: true)!.GetMethod(nameof(Renderer.Render))!;
        return render.CreateDelegate<Func<string, int, string[]>>();
    }

    private sealed class RendererContext(string folder) : AssemblyLoadContext("PaperLab charts")
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            string path = Path.Combine(folder, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }

        protected override IntPtr LoadUnmanagedDll(string unmanagedDllName)
        {
            string file = OperatingSystem.IsWindows() ? unmanagedDllName + ".dll"
                : OperatingSystem.IsMacOS() ? unmanagedDllName + ".dylib"
                : unmanagedDllName + ".so";
            string platform = OperatingSystem.IsMacOS() ? "osx" : RuntimeInformation.RuntimeIdentifier;
            string[] places = [Path.Combine(folder, file), Path.Combine(folder, "runtimes", platform, "native", file)];
            return places.FirstOrDefault(File.Exists) is { } path ? LoadUnmanagedDllFromPath(path) : IntPtr.Zero;
        }
    }
}
