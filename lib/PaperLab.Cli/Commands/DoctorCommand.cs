// paperlab doctor: what this machine has, what is missing, and what to do about it.

using System.CommandLine;
using System.Runtime.InteropServices;
using PaperLab.Text.Sources;
using PaperLab.Training;
using Spectre.Console;
using TorchSharp;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>doctor</c> command.</summary>
public static class DoctorCommand
{
    private const string Help = """
        Example:
          paperlab doctor                   checks everything that notebooks need here
          paperlab doctor --device cuda     and that there is a GPU to run them on
          paperlab doctor --verify          and that the device computes what double precision does
          paperlab doctor --symbols         and what TorchSharp uses that this machine's libtorch lacks

        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var device = new Option<string>("--device") { Description = "The device to check: auto, cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto" };
        var symbols = new Option<bool>("--symbols") { Description = "List every symbol that TorchSharp uses and libtorch lacks (Linux)." };
        var verify = new Option<bool>("--verify") { Description = "Compute with every kind of model on the device, and compare with double precision on the processor." };
        var command = new Command("doctor", "Checks what notebooks need on this machine, and says what to do about what is missing.") { device, verify, symbols };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(parsed => Run(parsed.GetRequiredValue(device), parsed.GetValue(verify), parsed.GetValue(symbols)));
        return command;
    }

    private static int Run(string device, bool verify, bool symbols)
    {
        Finding torch = Torch(device);
        Finding[] findings = [System(), Repository(), torch, .. verify && torch.Problem is null ? Verified(device) : [], Gpu(), TextOfTheSdk(), Folder("cache", UserCache.Folder), Folder("output", Path.Combine(Checkout.Root ?? Directory.GetCurrentDirectory(), "artifacts"))];
        var table = new Spectre.Console.Table().Border(TableBorder.None).HideHeaders().AddColumns("", "", "");
        foreach (Finding finding in findings)
        {
            string mark = finding.Problem is null ? "[green]ok[/]" : "[red]missing[/]";
            table.AddRow(new Markup(mark), new Markup($"[bold]{finding.Name.EscapeMarkup()}[/]"), new Spectre.Console.Text(finding.Problem ?? finding.Detail));
        }

        AnsiConsole.Write(table);
        if (symbols)
        {
            WriteSymbols();
        }

        int problems = findings.Count(finding => finding.Problem is not null);
        AnsiConsole.WriteLine(problems == 0 ? "Notebooks can run here." : $"{problems} of {findings.Length} checks failed; each line says what to do.");
        return problems == 0 ? ExitCode.Passed : ExitCode.Environment;
    }

    private static Finding System()
    {
        double memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9;
        return new Finding("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}, {Environment.ProcessorCount} cores, {memory:0.0} GB memory, .NET {Environment.Version}");
    }

    private static Finding Repository() => Checkout.Root is { } root
        ? new Finding("repository", $"{root}, revision {Checkout.Revision()}")
        : new Finding("repository", Problem: "no folder above here holds PaperLab.sln. Run from inside a clone.");

    private static Finding Torch(string device)
    {
        try
        {
            TorchRuntime runtime = TorchRuntime.Initialize(device);
            using torch.Tensor product = torch.ones([64, 64], device: runtime.Device).mm(torch.ones([64, 64], device: runtime.Device));
            float corner = product[0, 0].item<float>();
            return corner == 64
                ? new Finding("torch", $"{runtime}; from {runtime.Folder} ({runtime.Source})")
                : new Finding("torch", Problem: $"{runtime} multiplies wrongly: 64 ones times 64 ones gave {corner}. Try another libtorch through PAPERLAB_LIBTORCH.");
        }
        catch (TorchRuntimeException error)
        {
            return new Finding("torch", Problem: error.Message);
        }
        catch (ArgumentException error)
        {
            throw new UsageException(error.Message);
        }
    }

    private static IEnumerable<Finding> Verified(string device)
    {
        // Plain fp32, as the tests of the library have it.
        TorchRuntime runtime = TorchRuntime.Initialize(device, fastMath: false);
        foreach (string kind in DeviceChecks.Kinds)
        {
            IReadOnlyList<DeviceCheck> checks = DeviceChecks.Run(kind, runtime);
            string errors = string.Join(", ", checks.Select(check => $"{check.Name} {check.Error:0.0e+0}"));
            DeviceCheck[] failed = [.. checks.Where(check => !check.Passed)];
            yield return failed.Length == 0
                ? new Finding(kind, $"on {runtime.Device}: {errors}")
                : new Finding(kind, Problem: $"{runtime.Device} computes something else: {string.Join(", ", failed.Select(check => $"{check.Name} {check.Error:0.0e+0}, allowed {check.Limit:0e+0}"))}. Try another libtorch, or --device cpu.");
        }
    }

    private static Finding Gpu()
    {
        GpuDriver driver = GpuDriver.Read();
        if (driver.WhyNone is { } why)
        {
            return new Finding("GPU", $"none: {why}. Notebooks run on the processor");
        }

        string gpus = string.Join("; ", driver.Gpus.Select(gpu => $"{gpu.Name}, {gpu.MemoryBytes / 1e9:0.0} GB, compute capability {gpu.Capability}"));
        return new Finding("GPU", $"{gpus}; driver {driver.Version}. {UseOfGpu()}");
    }

    private static string UseOfGpu()
    {
        try
        {
            return TorchRuntime.Initialize("auto").IsCuda ? "Notebooks run on it" : "This libtorch does not reach it (README, \"GPU\"): notebooks run on the processor";
        }
        catch (TorchRuntimeException)
        {
            return "Torch does not load (see above)";
        }
    }

    private static void WriteSymbols()
    {
        try
        {
            LibtorchSymbols symbols = LibtorchSymbols.Read();
            Console.WriteLine($"{symbols.Folder} lacks {symbols.Missing.Count} of the {symbols.Imported} symbols that TorchSharp uses.");
            foreach (string name in symbols.Missing)
            {
                Console.WriteLine($"  {name}");
            }
        }
        catch (Exception error) when (error is TorchRuntimeException or PlatformNotSupportedException)
        {
            Console.WriteLine($"Symbols were not compared: {error.Message}");
        }
    }

    private static Finding TextOfTheSdk()
    {
        try
        {
            return new Finding("text", $"{SdkLocation.Find().Description}");
        }
        catch (DirectoryNotFoundException error)
        {
            return new Finding("text", Problem: error.Message);
        }
    }

    private static Finding Folder(string name, string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            string probe = Path.Combine(path, $".doctor.{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            double free = new DriveInfo(path).AvailableFreeSpace / 1e9;
            return free < 1
                ? new Finding(name, Problem: $"{path} has {free:0.0} GB left; free some space.")
                : new Finding(name, $"{path}, {free:0} GB free");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new Finding(name, Problem: $"{path} cannot be written: {error.Message}");
        }
    }

    private sealed record Finding(string Name, string Detail = "", string? Problem = null);
}
