// How a batch is split for several machines that do not talk to each other.

using PaperLab.Notebooks.Batch;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class ShardTests
{
    private static readonly string[] s_names = ["a", "b", "c", "d", "e", "f", "g"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(9)]
    public void Every_name_is_in_one_shard_and_without_times_their_numbers_differ_by_one_at_most(int count)
    {
        IReadOnlyList<string>[] parts = [.. Enumerable.Range(1, count).Select(index => new Shard(index, count).Of(s_names, new Dictionary<string, double>()))];

        Assert.Equal(s_names, parts.SelectMany(part => part).Order());
        Assert.True(parts.Max(part => part.Count) - parts.Min(part => part.Count) <= 1);
    }

    [Fact]
    public void The_longest_are_given_out_first_each_to_the_part_that_has_least_to_do()
    {
        var seconds = new Dictionary<string, double> { ["a"] = 10, ["b"] = 6, ["c"] = 5, ["d"] = 1 };

        Assert.Equal(["a", "d"], new Shard(1, 2).Of(["a", "b", "c", "d"], seconds));
        Assert.Equal(["b", "c"], new Shard(2, 2).Of(["a", "b", "c", "d"], seconds));
    }

    [Fact]
    public void A_name_without_a_time_counts_as_the_mean_of_the_others()
    {
        var seconds = new Dictionary<string, double> { ["a"] = 8, ["b"] = 2 };

        Assert.Equal(["a"], new Shard(1, 2).Of(["a", "b", "new"], seconds)); // 8 against 2 + 5
        Assert.Equal(["b", "new"], new Shard(2, 2).Of(["a", "b", "new"], seconds));
    }

    [Fact]
    public void The_order_in_which_names_come_does_not_matter()
    {
        Assert.Equal(new Shard(2, 3).Of(s_names, new Dictionary<string, double>()), new Shard(2, 3).Of([.. s_names.Reverse()], new Dictionary<string, double>()));
    }

    [Theory]
    [InlineData("0/2")]
    [InlineData("3/2")]
    [InlineData("1")]
    [InlineData("1/2/3")]
    [InlineData("-1/2")]
    [InlineData("one/two")]
    public void What_is_no_shard_is_none(string text) => Assert.Null(Shard.TryParse(text));

    [Fact]
    public void A_shard_reads_as_it_is_written() => Assert.Equal("2/3", Shard.TryParse("2/3")!.ToString());
}
