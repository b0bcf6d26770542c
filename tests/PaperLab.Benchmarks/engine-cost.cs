#:property RestorePackagesWithLockFile=false
#:property PublishAot=false

// What the notebook engine costs next to Jupyter's: `paperlab run` against `jupyter nbconvert --execute` with ipykernel,
// on notebooks that do the same next to nothing. Run by hand, on a quiet machine, after a build:
//
//   dotnet run tests/PaperLab.Benchmarks/engine-cost.cs [pairs]
//
// Two numbers, each a ratio of paired runs (ours / theirs, median over the pairs; below 1 is faster):
//   first cell   process start to the moment the first cell's code runs (the cell itself takes the time)
//   per cell     the mean time from cell to cell over 200 cells, each with a result

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

const int Cells = 200;
int pairs = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5;
string root = FindRoot();
string work = Directory.CreateTempSubdirectory("paperlab-engine-cost-").FullName;
try
{
    string ours = WriteNotebook("ours", ".net-csharp", "C#", "DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()", "int x = 0;", "x += 1;\nx");
    string theirs = WriteNotebook("theirs", "python3", "python", "int(time.time() * 1000)", "import time\nx = 0", "x += 1\nx");
    var results = new List<(Cost Ours, Cost Theirs)>();
    for (int pair = 0; pair <= pairs; pair++)
    {
        Cost own = Measure(Path.Combine(root, "lib", "out", "paperlab"), ["run", ours, "--out", Path.Combine(work, "out"), "--quiet"], "ours");
        Cost other = Measure("jupyter", ["nbconvert", "--to", "notebook", "--execute", theirs, "--output-dir", Path.Combine(work, "out"), "--log-level", "ERROR"], "theirs");
        string note = pair == 0 ? " (warm-up, not counted)" : "";
        Console.WriteLine($"pair {pair}: first cell {own.First:0} / {other.First:0} ms, per cell {own.PerCell:0.0} / {other.PerCell:0.0} ms, whole run {own.Whole:0} / {other.Whole:0} ms{note}");
        if (pair > 0)
        {
            results.Add((own, other));
        }
    }

    Console.WriteLine($"first cell {Ratio(cost => cost.First):0.00}x   per cell {Ratio(cost => cost.PerCell):0.00}x   whole run {Ratio(cost => cost.Whole):0.00}x   (median of {pairs} paired runs, {Cells} cells)");

    double Ratio(Func<Cost, double> metric)
    {
        double[] ratios = [.. results.Select(result => metric(result.Ours) / metric(result.Theirs)).Order()];
        return ratios[ratios.Length / 2];
    }
}
finally
{
    Directory.Delete(work, recursive: true);
}

Cost Measure(string program, string[] arguments, string name)
{
    long start = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
    var clock = Stopwatch.StartNew();
    using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    Task<string> stdout = process.StandardOutput.ReadToEndAsync();
    Task<string> stderr = process.StandardError.ReadToEndAsync();
    process.WaitForExit();
    if (process.ExitCode != 0)
    {
        throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {stdout.Result}{stderr.Result}");
    }

    using JsonDocument saved = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(work, "out", name + ".ipynb")));
    JsonElement[] cells = [.. saved.RootElement.GetProperty("cells").EnumerateArray()];
    long first = Stamp(cells[0]);
    return new Cost(first - start, (double)(Stamp(cells[^1]) - first) / (Cells - 1), clock.Elapsed.TotalMilliseconds);
}

static long Stamp(JsonElement cell)
{
    JsonElement text = cell.GetProperty("outputs")[0].GetProperty("data").GetProperty("text/plain");
    return long.Parse(text.ValueKind == JsonValueKind.Array ? text[0].GetString()! : text.GetString()!, CultureInfo.InvariantCulture);
}

string WriteNotebook(string name, string kernel, string language, string clock, string begin, string step)
{
    IEnumerable<string> sources = [$"{begin}\n{clock}", .. Enumerable.Repeat(step, Cells - 2), clock];
    var notebook = new
    {
        cells = sources.Select((source, index) => new { cell_type = "code", execution_count = (int?)null, id = $"cell-{index}", metadata = new { }, outputs = Array.Empty<object>(), source }),
        metadata = new { kernelspec = new { display_name = kernel, language, name = kernel }, language_info = new { name = language } },
        nbformat = 4,
        nbformat_minor = 5,
    };
    string path = Path.Combine(work, name + ".ipynb");
    File.WriteAllText(path, JsonSerializer.Serialize(notebook, new JsonSerializerOptions { TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver() }));
    return path;
}

static string FindRoot()
{
    DirectoryInfo? folder = new(Directory.GetCurrentDirectory());
    while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "PaperLab.sln")))
    {
        folder = folder.Parent;
    }

    return folder?.FullName ?? throw new DirectoryNotFoundException("Run this inside the repository.");
}

internal sealed record Cost(double First, double PerCell, double Whole);
