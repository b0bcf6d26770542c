// Benchmarks of the library against itself and, where python3 with torch is here, against PyTorch. `paperlab bench` runs this
// program; without the tool: dotnet run -c Release --project tests/PaperLab.Benchmarks -- --help

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using PaperLab;
using PaperLab.Benchmarks;
using PaperLab.Native;
using Spectre.Console;
using Table = PaperLab.Benchmarks.Table;

var known = new Dictionary<string, Func<Measurements, IEnumerable<Table>>>
{
    ["step"] = m => Autocast.IsAvailable(m.Device.type) ? [m.Step(bf16: false), m.Step(bf16: true)] : [m.Step(bf16: false)],
    ["experts"] = m => [m.Experts(8, 2, 344), m.Experts(64, 8, 88)],
    ["autonomy"] = m => m.Autonomy(),
    ["diffqkv"] = m => m.DiffQkv(),
    ["generation"] = m => [m.Generation()],
    ["rollouts"] = m => m.Rollouts(),
    ["attention"] = m => new[] { 128, 256, 512, 1024 }.SelectMany(length => new[] { m.Attention(length, bf16: false), m.Attention(length, bf16: true) }),
    ["decode"] = m => new[] { (1, 256), (1, 1024), (1, 8192), (64, 128), (64, 256), (64, 512), (64, 1024), (64, 2048) }.SelectMany(at =>
        new[] { (8, 8), (4, 4), (1, 4), (1, 1) }.Select(shared => m.Decode(at.Item1, at.Item2, heads: 8, shared.Item1, shared.Item2, width: 64))),
    ["product"] = m => [m.Product(bf16: false), m.Product(bf16: true)],
};
var names = new Argument<string[]>("name") { Description = $"What to measure: {string.Join(", ", known.Keys)}; everything when left out.", Arity = ArgumentArity.ZeroOrMore };
names.AcceptOnlyFromAmong([.. known.Keys]);
var threads = new Option<int>("--threads") { Description = "Threads of each side.", DefaultValueFactory = _ => Environment.ProcessorCount };
var rounds = new Option<int>("--rounds") { Description = "Counted rounds, in each of which every way runs once.", DefaultValueFactory = _ => 7 };
var device = new Option<string>("--device") { Description = "auto, cpu, cuda or cuda:N, of both sides.", DefaultValueFactory = _ => "cpu" };
var json = new Option<bool>("--json") { Description = "One JSON document in place of tables." };
var command = new RootCommand("Times the library's ways of doing something in turn, in one run, beside PyTorch's where it is installed.") { names, threads, rounds, device, json };
command.SetAction(parsed =>
{
    TorchRuntime runtime = TorchRuntime.Initialize(parsed.GetValue(device), parsed.GetValue(threads), seed: 1);
    var measurements = new Measurements(runtime, parsed.GetValue(rounds));
    string[] chosen = parsed.GetValue(names) is { Length: > 0 } some ? some : [.. known.Keys];
    string peer = Peer.IsPresent ? $"PyTorch {Peer.Version}" : "no python3 with torch here: peers are left out";
    if (!parsed.GetValue(json))
    {
        AnsiConsole.WriteLine($"{runtime}; {peer}; {parsed.GetValue(rounds)} rounds");
    }

    var tables = new List<Table>();
    foreach (Table table in chosen.SelectMany(name => known[name](measurements)))
    {
        tables.Add(table);
        if (!parsed.GetValue(json))
        {
            Write(table);
        }
    }

    if (parsed.GetValue(json))
    {
        Console.WriteLine(JsonSerializer.Serialize(new { runtime = runtime.ToString(), peer, tables }, new JsonSerializerOptions { WriteIndented = true }));
    }
});
return await command.Parse(args).InvokeAsync();

static void Write(Table table)
{
    var drawn = new Spectre.Console.Table().Title(table.Title.EscapeMarkup()).Border(TableBorder.Simple);
    drawn.AddColumn("way").AddColumn(new TableColumn("median ms").RightAligned()).AddColumn(new TableColumn("±").RightAligned());
    drawn.AddColumn(new TableColumn($"{table.Unit}/s").RightAligned()).AddColumn(new TableColumn("GFLOP/s").RightAligned()).AddColumn(new TableColumn($"against {table.Times[^1].Name}").RightAligned());
    foreach (Times times in table.Times)
    {
        drawn.AddRow(
            times.Name.EscapeMarkup(),
            Number(times.Median * 1e3, "0.0"),
            Number(times.Spread * 100, "0") + " %",
            Number(table.PerRepeat / times.Median, "N0"),
            table.Flops is { } flops ? Number(flops / times.Median / 1e9, "0") : "",
            Number(Contest.Ratio(times, table.Times[^1]), "0.00") + "×");
    }

    AnsiConsole.Write(drawn);
    if (table.Note is { } note)
    {
        AnsiConsole.WriteLine($"{note}.\n");
    }
}

static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
