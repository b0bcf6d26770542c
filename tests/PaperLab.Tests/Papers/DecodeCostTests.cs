using System.Text.Json;
using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Papers;

public sealed class DecodeCostTests : TrainingTest
{
    private static readonly DecodeGrid s_grid = new()
    {
        Heads = 4,
        HeadWidth = 4,
        QueryHidden = 24,
        Shapes = [new DecodeShape("even", 2, 2), new DecodeShape("apart", 1, 2, AugmentsQuery: true)],
        Lengths = [10, 20, 40],
        Rows = 3,
        Tokens = 2,
        Rounds = 5,
    };

    [Fact]
    public void Every_shape_is_timed_at_every_length_in_every_round_and_costs_the_bytes_of_its_heads()
    {
        DecodeCost cost = DecodeCost.Measure(s_grid, Runtime);

        Assert.Equal(6, cost.Cells.Count);
        Assert.All(cost.Cells, cell =>
        {
            Assert.Equal(5, cell.Rounds.Count);
            Assert.All(cell.Rounds, round => Assert.True(round.Store > 0 && round.Concatenate > 0 && round.Attention > 0 && (round.Augment > 0) == (cell.Shape == "apart")));
            Assert.Equal(3 * cell.Length * 4 * 4 * (cell.Shape == "apart" ? 3 : 4), cell.CacheBytes);
            Assert.Equal(cell.CacheBytes, cost.TheoreticalBytes(cell));
        });
        Assert.Equal(6, cost.Table().Count);

        DecodeCost read = JsonSerializer.Deserialize<DecodeCost>(JsonSerializer.Serialize(cost, RunRecord.Json), RunRecord.Json)!;
        Assert.Equal(cost.Table(), read.Table());
        Assert.Equal(cost.Environment, read.Environment);
    }

    [Fact]
    public void The_bytes_of_a_cache_are_those_of_its_storage()
    {
        TransformerConfig config = s_grid.ConfigOf(s_grid.Shapes[1]);
        using var cache = new KeyValueCache(config, rows: 3, capacity: 16, CPU);
        using var half = new KeyValueCache(config, rows: 3, capacity: 16, CPU, ScalarType.BFloat16);

        Assert.Equal(cache.BytesPerToken * 3 * 16, cache.Bytes);
        Assert.Equal(cache.Bytes / 2, half.Bytes);
    }

    [Fact]
    public void An_output_costs_the_sum_of_its_tokens_between_the_lengths_that_were_measured()
    {
        DecodeCost cost = Made(even: s => 2 * s, apart: s => 30 + s); // lines, which straight pieces follow exactly

        Assert.Equal(40 * 20 * 1.5, cost.Total("even", prefix: 20, output: 20, part => part.Attention)[0], 9); // from 40 to 80
        Assert.Equal((10 * 20) + (30 * 50), cost.Total("even", prefix: 0, output: 40, part => part.Attention)[0], 9); // level up to 10
        Assert.Equal(1 - (20.0 * 60 / (20 * 60)), cost.Saving("apart", "even", prefix: 20, output: 20, part => part.Attention).Estimate, 9);
        Assert.Equal(1 - (70.0 / 80), cost.Saving("apart", "even", length: 40, part => part.Attention).Estimate, 9);
        Assert.Contains("output is 21; allowed: 1 to 20: the longest measured cache holds 40 tokens", Assert.Throws<ArgumentException>(() => cost.Total("even", 20, 21, part => part.Sum)).Message);
        Assert.Contains("There is no shape 'odd'; there are even, apart", Assert.Throws<ArgumentException>(() => cost.Of("odd")).Message);
    }

    [Fact]
    public void Lines_cross_where_the_saving_begins()
    {
        Assert.Equal(30, Made(even: s => 2 * s, apart: s => 30 + s).Crossover("apart", "even", part => part.Attention)!.Value, 9);
        Assert.Equal(10, Made(even: s => 2 * s, apart: s => s).Crossover("apart", "even", part => part.Attention));
        Assert.Null(Made(even: s => s, apart: s => s + 1).Crossover("apart", "even", part => part.Attention));
    }

    [Theory]
    [InlineData(0, 1, "10 20", "Rows is 0; allowed: 1 or more")]
    [InlineData(1, 0, "10 20", "Rounds is 0; allowed: 1 or more")]
    [InlineData(1, 1, "20 10", "Lengths is [20, 10]; allowed: two lengths or more, rising from 1 or more")]
    [InlineData(1, 1, "20", "Lengths is [20]")]
    public void A_grid_out_of_range_is_named(int rows, int rounds, string lengths, string message)
    {
        DecodeGrid grid = s_grid with { Rows = rows, Rounds = rounds, Lengths = [.. lengths.Split(' ').Select(int.Parse)] };

        Assert.Contains(message, Assert.Throws<ArgumentException>(() => DecodeCost.Measure(grid, Runtime)).Message);
    }

    [Fact]
    public void No_tensor_outlives_a_measurement()
    {
        DecodeGrid grid = s_grid with { Rounds = 1, Shapes = [s_grid.Shapes[0]] }; // a module's parameters are counted twice by TorchSharp
        DecodeCost.Measure(grid, Runtime);
        long before = LiveTensors();
        DecodeCost.Measure(grid, Runtime);

        Assert.Equal(before, LiveTensors());
    }

    private DecodeCost Made(Func<int, double> even, Func<int, double> apart)
    {
        DecodeCell Cell(string shape, int length, double attention) => new(shape, length, 0, [.. Enumerable.Repeat(new TokenCost(0, 0, attention, 0), 5)]);
        return new DecodeCost(s_grid, RunEnvironment.Of(Runtime), [.. s_grid.Lengths.SelectMany(s => new[] { Cell("even", s, even(s)), Cell("apart", s, apart(s)) })]);
    }
}
