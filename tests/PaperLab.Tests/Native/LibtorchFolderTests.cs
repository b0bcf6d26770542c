using System.Runtime.InteropServices;
using PaperLab.Native;

namespace PaperLab.Tests.Native;

public sealed class LibtorchFolderTests
{
    private static readonly string TorchSharp = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    [Fact]
    public void The_packages_own_libtorch_has_every_symbol()
    {
        RequireLinux();
        (int imported, IReadOnlyList<string> missing) = new LibtorchFolder(AppContext.BaseDirectory).Compare(TorchSharp);

        Assert.InRange(imported, 1000, 2000);
        Assert.Empty(missing);
    }

    [Fact]
    public void A_libtorch_with_half_of_its_libraries_lacks_what_the_others_have()
    {
        RequireLinux();
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.File("libtorch_cpu.so"), Path.Combine(AppContext.BaseDirectory, "libtorch_cpu.so"));

        IReadOnlyList<string> missing = new LibtorchFolder(folder.Path).Compare(TorchSharp).Missing;

        // All of c10's and nothing else: what libtorch_cpu itself has is struck out.
        Assert.Contains(missing, name => name.StartsWith("_ZN3c10", StringComparison.Ordinal));
        Assert.DoesNotContain(missing, name => name.StartsWith("_ZN2at", StringComparison.Ordinal));
        Assert.DoesNotContain("malloc", missing);
    }

    [Theory]
    [InlineData("2.9.1")]
    [InlineData("1.13.1")]
    [InlineData("3.0.0")]
    public void Another_version_is_refused_with_the_folder_and_what_is_allowed(string version)
    {
        string message = Assert.Throws<TorchRuntimeException>(() => new LibtorchFolder("/opt/torch/lib").Require(Version.Parse(version), [])).Message;

        Assert.Contains($"The libtorch in /opt/torch/lib is version {version}; allowed: 2.10", message);
        Assert.Contains("pip install torch==2.10.*", message);
    }

    [Fact]
    public void A_later_minor_version_with_every_symbol_is_accepted()
    {
        RequireLinux();
        new LibtorchFolder("/opt/torch/lib").Require(new Version(2, 10, 0), []);
        new LibtorchFolder("/opt/torch/lib").Require(new Version(2, 12, 1), []);
    }

    [Fact]
    public void A_later_minor_version_that_lacks_symbols_is_refused_with_the_first_twenty()
    {
        RequireLinux();
        string[] missing = [.. Enumerable.Range(10, 25).Select(i => $"_ZN2at4op{i}ERKNS_6TensorE")];

        string message = Assert.Throws<TorchRuntimeException>(() => new LibtorchFolder("/opt/torch/lib").Require(new Version(2, 12, 1), missing)).Message;

        Assert.Contains("is version 2.12.1 and lacks 25 of the symbols", message);
        Assert.Contains("at::op29(at::Tensor const&)", message);
        Assert.DoesNotContain("op30", message);
        Assert.Contains("and 5 more: paperlab doctor --symbols lists all", message);
    }

    [Theory]
    [InlineData(1_000_000, "is damaged: it should reach to byte")]
    [InlineData(40, "is not a 64-bit little-endian ELF library")]
    public void A_library_that_is_cut_short_is_named_and_never_loaded(int bytes, string fault)
    {
        RequireLinux();
        using var folder = new TemporaryFolder();
        foreach (string library in new[] { "libc10.so", "libtorch_cpu.so" })
        {
            byte[] content = new byte[bytes];
            using FileStream whole = File.OpenRead(Path.Combine(AppContext.BaseDirectory, library));
            whole.ReadExactly(content);
            File.WriteAllBytes(folder.File(library), content);
        }

        string message = Assert.Throws<TorchRuntimeException>(() => new LibtorchFolder(folder.Path).Compare(TorchSharp)).Message;

        Assert.Contains($"{folder.File("libc10.so")} {fault}", message);
        Assert.Contains("pip install torch==2.10.*", message);
    }

    [Theory]
    [InlineData("version.py", "from typing import Optional\n__version__ = '2.3.1+cu121'\ndebug = False\n", "2.3.1+cu121")]
    [InlineData("build-version", "2.2.0+cpu\n", "2.2.0+cpu")]
    [InlineData("other", "", "unknown, older than 2.4")]
    public void A_libtorch_from_before_2_4_is_called_by_the_version_that_stands_beside_it(string file, string text, string version)
    {
        RequireLinux();
        using var folder = new TemporaryFolder();
        string lib = folder.File("lib");
        Directory.CreateDirectory(lib);
        File.WriteAllText(folder.File(file), text);
        File.CreateSymbolicLink(Path.Combine(lib, "libtorch_cpu.so"), Path.Combine(AppContext.BaseDirectory, "libc10.so")); // whole, and without the function

        Assert.Contains($"is version {version}; allowed: 2.10", Assert.Throws<TorchRuntimeException>(() => new LibtorchFolder(lib).Compare(TorchSharp)).Message);
    }

    [Fact]
    public void A_library_for_another_processor_is_refused()
    {
        RequireLinux();
        using var folder = new TemporaryFolder();
        byte[] other = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "libc10.so"));
        other[18] = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? (byte)183 : (byte)62;
        File.WriteAllBytes(folder.File("libc10.so"), other);

        Assert.Contains("libc10.so is for another processor", Assert.Throws<TorchRuntimeException>(() => new LibtorchFolder(folder.Path).Compare(TorchSharp)).Message);
    }

    [Fact]
    public void Mangled_names_are_made_readable_and_others_stay()
    {
        RequireLinux();
        Assert.Equal("at::globalContext()", CppName.Readable("_ZN2at13globalContextEv"));
        Assert.Equal("torch_new_list", CppName.Readable("torch_new_list"));
    }

    private static void RequireLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "symbols are read from ELF libraries");
}
