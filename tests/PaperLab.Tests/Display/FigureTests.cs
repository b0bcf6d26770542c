using System.Buffers.Binary;
using System.Runtime.Loader;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Display;

namespace PaperLab.Tests.Display;

public sealed class FigureTests
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, IndentSize = 1 };

    public static TheoryData<string> Samples => [.. SampleFigures.Names];

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_figure_shows_itself_in_four_forms_through_the_notebook_formatter(string name)
    {
        Figure figure = SampleFigures.Named(name);

        Assert.Equal(["application/vnd.plotly.v1+json", "text/html", "image/png", "text/plain"], Formatter.GetPreferredMimeTypesFor(typeof(Figure)));
        Assert.Equal(figure.ToPlotlyJson(), figure.ToDisplayString("application/vnd.plotly.v1+json"));
        Assert.Equal(figure.ToHtml(), figure.ToDisplayString("text/html"));
        Assert.Equal(figure.ToPng(), Convert.FromBase64String(figure.ToDisplayString("image/png")));
        Assert.Equal(figure.ToString(), figure.ToDisplayString("text/plain"));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_chart_with_all_its_forms_stays_within_60_kilobytes(string name)
    {
        Figure figure = SampleFigures.Named(name);
        // A notebook is saved with a line for each value of its JSON.
        string json = JsonNode.Parse(figure.ToPlotlyJson())!.ToJsonString(s_indented);
        int bytes = figure.ToHtml().Length + json.Length + Convert.ToBase64String(figure.ToPng()).Length + figure.ToString().Length;

        // A grid holds several charts: 60 KB for the first and 25 KB for each further one.
        Assert.InRange(bytes, 1, 60_000 + (25_000 * (figure.Panels.Count - 1)));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void The_same_data_give_the_same_bytes(string name)
    {
        (Figure first, Figure second) = (SampleFigures.Named(name), SampleFigures.Named(name));

        Assert.Equal(first.ToHtml(), second.ToHtml());
        Assert.Equal(first.ToPlotlyJson(), second.ToPlotlyJson());
        Assert.Equal(first.ToPng(), second.ToPng());
    }

    [Fact]
    public void The_drawing_libraries_never_enter_the_pages_own_load_context()
    {
        _ = SampleFigures.Lines().ToPng();

        string[] own = [.. AssemblyLoadContext.Default.Assemblies.Select(assembly => assembly.GetName().Name!)];
        Assert.DoesNotContain("Plotly.NET", own);
        Assert.DoesNotContain("ScottPlot", own);
        Assert.DoesNotContain("SkiaSharp", own);
        AssemblyLoadContext charts = Assert.Single(AssemblyLoadContext.All, context => context.Name == "PaperLab charts");
        Assert.Contains(charts.Assemblies, assembly => assembly.GetName().Name == "Plotly.NET");

        // Other tests of this process bring an FSharp.Core of their own (FsCheck); Plotly.NET's is the private one.
        Assert.Contains(charts.Assemblies, assembly => assembly.GetName().Name == "FSharp.Core");
    }

    [Fact]
    public void No_public_member_names_a_type_of_the_drawing_libraries()
    {
        string[] kept = ["Plotly.NET", "FSharp.Core", "ScottPlot", "SkiaSharp", "DynamicObj"];
        IEnumerable<Type> named = typeof(Figure).Assembly.GetExportedTypes().SelectMany(type =>
            type.GetMethods().SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType))
                .Concat(type.GetProperties().Select(property => property.PropertyType)).Append(type.BaseType ?? type));

        Assert.DoesNotContain(named, type => kept.Contains(type.Assembly.GetName().Name));
    }

    [Fact]
    public void The_live_chart_holds_the_values_that_were_given()
    {
        using JsonDocument json = JsonDocument.Parse(Chart.Lines("t", Series.Of("a", [0, 1, 5], [1, double.NaN, 3])).ToPlotlyJson());
        JsonElement trace = json.RootElement.GetProperty("data")[0];

        Assert.Equal([0, 1, 5], trace.GetProperty("x").EnumerateArray().Select(value => value.GetDouble()));
        Assert.Equal(JsonValueKind.Null, trace.GetProperty("y")[1].ValueKind);
        Assert.Equal(3, trace.GetProperty("y")[2].GetDouble());
    }

    [Fact]
    public void A_band_reaches_the_live_chart_as_two_edges_without_a_legend_entry()
    {
        using JsonDocument json = JsonDocument.Parse(Chart.Lines("t", Series.Of("a", [1, 2, 3]).WithBand([0, 1, 2], [2, 3, 4])).ToPlotlyJson());
        JsonElement[] traces = [.. json.RootElement.GetProperty("data").EnumerateArray()];

        Assert.Equal(3, traces.Length);
        Assert.Equal([2, 3, 4], traces[0].GetProperty("y").EnumerateArray().Select(value => value.GetDouble()));
        Assert.Equal("tonexty", traces[1].GetProperty("fill").GetString());
        Assert.False(traces[1].GetProperty("showlegend").GetBoolean());
    }

    [Fact]
    public void The_picture_is_a_png_whose_colours_include_those_of_the_series()
    {
        byte[] png = Chart.Bars("t", ["a", "b"], Series.Of("one", [1, 2]), Series.Of("two", [2, 1])).ToPng();

        Assert.Equal([0x89, 0x50, 0x4E, 0x47], png[..4]);
        Assert.InRange(BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), 760, 1520);
        int palette = png.AsSpan().IndexOf("PLTE"u8);
        int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(palette - 4));
        byte[][] colors = [.. png[(palette + 4)..(palette + 4 + length)].Chunk(3)];
        Assert.Contains(colors, color => color.SequenceEqual(Convert.FromHexString(Palette.Blue[1..])));
        Assert.Contains(colors, color => color.SequenceEqual(Convert.FromHexString(Palette.Vermillion[1..])));
    }

    [Fact]
    public void A_script_in_a_readers_words_cannot_end_the_charts_script()
    {
        string html = Chart.Lines("a </script><script>alert(1)</script>", Series.Of("<b>", [1, 2])).ToHtml();

        Assert.Equal(1, html.Split("</script>").Length - 1);
        Assert.DoesNotContain("<b>", html);
    }

    [Fact]
    public void The_same_series_has_the_same_colour_in_every_panel()
    {
        Figure grid = Chart.Grid("g", 2, [Chart.Lines("p", Series.Of("a", [1, 2]), Series.Of("b", [2, 1])), Chart.Lines("q", Series.Of("b", [1, 2]))]);
        using JsonDocument json = JsonDocument.Parse(grid.ToPlotlyJson());
        string[] colors = [.. json.RootElement.GetProperty("data").EnumerateArray().Where(trace => trace.GetProperty("name").GetString() == "b").Select(trace => trace.GetProperty("line").GetProperty("color").GetString()!)];

        Assert.Equal([Palette.Vermillion, Palette.Vermillion], colors);
    }

    [Fact]
    public void Panels_of_a_grid_share_their_limits()
    {
        Figure grid = Chart.Grid("g", 2, [Chart.Lines("p", Series.Of("a", [0, 10])), Chart.Lines("q", Series.Of("a", [100, 200]))]);
        using JsonDocument json = JsonDocument.Parse(grid.ToPlotlyJson());
        JsonElement layout = json.RootElement.GetProperty("layout");

        Assert.Equal(layout.GetProperty("yaxis").GetProperty("range").ToString(), layout.GetProperty("yaxis2").GetProperty("range").ToString());
        Assert.InRange(layout.GetProperty("yaxis").GetProperty("range")[1].GetDouble(), 200, 220);
    }

    [Fact]
    public void A_long_series_keeps_its_spike_and_says_that_it_was_thinned()
    {
        double[] values = [.. Enumerable.Range(0, 20_000).Select(i => i == 12_345 ? 9.0 : Math.Sin(i))];
        Figure figure = Chart.Lines("t", Series.Of("a", values));
        using JsonDocument json = JsonDocument.Parse(figure.ToPlotlyJson());
        JsonElement trace = json.RootElement.GetProperty("data")[0];

        Assert.InRange(trace.GetProperty("y").GetArrayLength(), 50, 1000);
        Assert.Contains(trace.GetProperty("y").EnumerateArray(), value => value.GetDouble() == 9);
        Assert.Contains("of 20,000 points", figure.ToPlotlyJson());
    }

    [Fact]
    public void The_text_summary_tells_a_terminal_reader_what_the_picture_shows()
    {
        string text = Chart.Lines("Loss", Series.Of("AoE", [0, 10, 20], [5, 2, 3])).XAxis("step").YAxis("loss", "nats").ReferenceY(4, "chance").ToString();

        Assert.StartsWith("Loss\ny: loss (nats); x: step from 0 to 20\n", text);
        Assert.Contains("2 @ 10", text);
        Assert.Contains("5 @ 0", text);
        Assert.Contains("at y = 4: chance", text);
    }

    [Fact]
    public void Bad_input_names_the_series_and_the_place()
    {
        Assert.Contains("\"a\" has 2 x values and 3 y values", Assert.Throws<ArgumentException>(() => Chart.Lines("t", Series.Of("a", [1, 2], [1, 2, 3]))).Message);
        Assert.Contains("\"a\" is empty", Assert.Throws<ArgumentException>(() => Chart.Lines("t", Series.Of("a", Array.Empty<double>()))).Message);
        Assert.Contains("value 1 of series \"a\" is 0", Assert.Throws<ArgumentException>(() => Chart.Lines("t", Series.Of("a", [1, 0])).YAxis("loss", log: true)).Message);
        Assert.Contains("3 values for 2 categories", Assert.Throws<ArgumentException>(() => Chart.Bars("t", ["x", "y"], Series.Of("a", [1, 2, 3]))).Message);
        Assert.Contains("2 values; there are 3 columns", Assert.Throws<ArgumentException>(() => Chart.Heatmap("t", ["r"], ["a", "b", "c"], new double[,] { { 1, 2 } })).Message);
        Assert.Contains("\"#12\"", Assert.Throws<ArgumentException>(() => Chart.Lines("t", Series.Of("a", [1]).InColor("#12"))).Message);
        Assert.Contains("value 0: the interval's lower end 2", Assert.Throws<ArgumentException>(() => Chart.Lines("t", Series.Of("a", [1]).WithBand([2], [1]))).Message);
        Assert.Contains("no series", Assert.Throws<ArgumentException>(() => Chart.Lines("t")).Message);
    }
}
