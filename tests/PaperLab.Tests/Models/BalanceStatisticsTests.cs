using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Tests.Models;

/// <summary>Eight sequences of five tokens, four experts, top-2. Sequences differ in their favourite experts, so that scopes differ.</summary>
public sealed class BalanceStatisticsTests : TorchTest
{
    private const int Sequences = 8, Length = 5, Experts = 4, TopK = 2;
    private readonly Tensor _scores_NE;

    public BalanceStatisticsTests()
    {
        Tensor favourite_SE = randn(Sequences, 1, Experts) * 2;
        _scores_NE = (randn(Sequences, Length, Experts) + favourite_SE).view(-1, Experts).detach();
    }

    [Fact]
    public void Over_the_whole_batch_it_is_the_plain_balance_loss()
    {
        AssertSame(Plain(Enumerable.Range(0, Sequences)), Scoped(BalanceScope.WholeBatch));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Over_groups_it_is_the_mean_of_the_groups_balance_losses_and_so_is_its_gradient(int size)
    {
        AssertSame(Mean(Enumerable.Range(0, Sequences).Chunk(size).Select(Plain)), Scoped(new BalanceScope { Sequences = size }));
    }

    [Fact]
    public void Sequences_that_collapse_each_on_its_own_expert_are_balanced_together()
    {
        // Two sequences of one token, top-1, each sure of an expert of its own: alone each is collapsed (E = 2), together balanced (1).
        Routing routing = Routing.TopK(tensor(new float[] { 100, 0, 0, 100 }, [2, 2]), 1);

        Assert.Equal(2, new BalanceStatistics(new BalanceScope { Sequences = 1 }).LossOf(0, routing, 2).item<float>(), 5);
        Assert.Equal(1, new BalanceStatistics(BalanceScope.WholeBatch).LossOf(0, routing, 2).item<float>(), 5);
    }

    [Fact]
    public void Shuffling_permutes_the_statistic_before_grouping()
    {
        int[] order = [5, 0, 3, 7, 1, 2, 6, 4];

        AssertSame(Mean(order.Chunk(2).Select(Plain)), Scoped(new BalanceScope { Sequences = 2, Shuffled = true }, order));
    }

    [Fact]
    public void A_buffered_group_counts_every_group_before_it()
    {
        Routing routing = Route(_scores_NE);
        (Tensor counts_SE, Tensor p_SE) = routing.BySequence(Sequences);
        double expected = 0;
        for (int group = 0; group < 4; group++)
        {
            Tensor f_E = counts_SE[..(2 * (group + 1))].sum([0]) / (2 * (group + 1) * Length);
            expected += ((f_E * p_SE[(2 * group)..(2 * (group + 1))].mean([0])).sum() * Experts).item<float>() / 4;
        }

        using var statistics = new BalanceStatistics(new BalanceScope { Sequences = 2, Buffered = true });
        Assert.Equal(expected, statistics.LossOf(0, routing, Sequences).item<float>(), 5);
    }

    [Fact]
    public void Buffered_groups_in_one_forward_pass_are_forward_passes_one_by_one()
    {
        var grouped = new BalanceScope { Sequences = 2, Buffered = true };
        using var together = new BalanceStatistics(grouped);
        using var apart = new BalanceStatistics(BalanceScope.WholeBatch with { Buffered = true });
        using var inPairs = new BalanceStatistics(grouped);

        float whole = together.LossOf(0, Route(_scores_NE), Sequences).item<float>();
        float[] twos = [.. Enumerable.Range(0, 4).Select(i => apart.LossOf(0, Route(Part(2 * i, 2)), 2).item<float>())];
        float[] fours = [.. Enumerable.Range(0, 2).Select(i => inPairs.LossOf(0, Route(Part(4 * i, 4)), 4).item<float>())];

        Assert.Equal(whole, twos.Average(), 5);
        Assert.Equal(whole, fours.Average(), 5);
    }

    [Fact]
    public void Layers_are_buffered_apart()
    {
        using var statistics = new BalanceStatistics(BalanceScope.WholeBatch with { Buffered = true });
        statistics.LossOf(0, Route(Part(0, 4)), 4);

        Assert.Equal(Route(Part(4, 4)).BalanceLoss().item<float>(), statistics.LossOf(1, Route(Part(4, 4)), 4).item<float>(), 5);
    }

    [Fact]
    public void A_local_term_adds_the_loss_of_small_groups_with_its_weight()
    {
        (float whole, _) = Scoped(BalanceScope.WholeBatch);
        (float local, _) = Scoped(new BalanceScope { Sequences = 2 });

        Assert.Equal(whole + (0.25 * local), Scoped(new BalanceScope { LocalWeight = 0.25, LocalSequences = 2 }).Loss, 4);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    [InlineData(8, true)]
    public void Two_ranks_that_exchange_counts_give_the_loss_and_gradient_of_one(int size, bool shuffled)
    {
        var scope = new BalanceScope { Sequences = size, Shuffled = shuffled };
        int[]? order = shuffled ? [5, 0, 3, 7, 1, 2, 6, 4] : null;
        var given = new Tensor?[2];

        // Once to learn what each rank gives, once more to give each what the other gave.
        foreach (bool exchange in new[] { false, true })
        {
            Tensor scores_NE = _scores_NE.clone().requires_grad_();
            Tensor loss = zeros(1);
            for (int rank = 0; rank < 2; rank++)
            {
                int me = rank;
                void Sum(Tensor counts_JE)
                {
                    if (exchange)
                    {
                        counts_JE.add_(given[1 - me]!);
                    }
                    else
                    {
                        given[me] = counts_JE.clone().DetachFromDisposeScope();
                    }
                }

                using var statistics = new BalanceStatistics(scope, rank, 2, Sum, order);
                loss += statistics.LossOf(0, Route(scores_NE.narrow(0, rank * 4 * Length, 4 * Length)), 4) / 2;
            }

            if (exchange)
            {
                loss.backward();
                AssertSame(Scoped(scope, order), (loss.item<float>(), scores_NE.grad!));
            }
        }

        // What is exchanged: nothing where groups lie within ranks, else a number for each expert and group.
        Assert.Equal(!shuffled && size is 1 or 4 ? null : Experts * (size == 0 ? 1 : Sequences / size), given[0]?.numel());
        foreach (Tensor? counts_JE in given)
        {
            counts_JE?.Dispose();
        }
    }

    [Fact]
    public void Sequences_that_do_not_divide_into_groups_are_refused()
    {
        Assert.Contains("8; allowed: a multiple of 3", Assert.Throws<ArgumentException>(() => Scoped(new BalanceScope { Sequences = 3 })).Message);
    }

    [Fact]
    public void A_scope_is_in_force_until_the_next_one_takes_over()
    {
        var later = new BalanceScope();
        var scope = new BalanceScope { Sequences = 1, Then = later, SwitchAfter = 0.5 };

        Assert.Same(scope, scope.At(0.49));
        Assert.Same(later, scope.At(0.5));
    }

    [Fact]
    public void Wrong_scopes_are_named_with_what_is_allowed()
    {
        static string Message(BalanceScope scope) => Assert.Throws<ArgumentException>(() => new MixtureOfExpertsConfig { Hidden = 4, Balance = scope }.Validate()).Message;

        Assert.Contains("Balance.Sequences is -1; allowed: 0 or more", Message(new BalanceScope { Sequences = -1 }));
        Assert.Contains("Balance.LocalSequences is 0; allowed: 1 or more", Message(new BalanceScope { LocalWeight = 0.1 }));
        Assert.Contains("Balance.SwitchAfter is 1; allowed: a share of the steps, above 0 and below 1", Message(new BalanceScope { Then = new BalanceScope(), SwitchAfter = 1 }));
        Assert.Contains("Balance.SwitchAfter is 0.5; allowed: 0, unless Then is set", Message(new BalanceScope { SwitchAfter = 0.5 }));
    }

    private static Routing Route(Tensor scores_NE) => Routing.TopK(scores_NE, TopK);

    private Tensor Part(int first, int count) => _scores_NE.narrow(0, first * Length, count * Length);

    // The loss and its gradient on all scores.
    private (float Loss, Tensor Gradient) Scoped(BalanceScope scope, int[]? order = null)
    {
        Tensor scores_NE = _scores_NE.clone().requires_grad_();
        using var statistics = new BalanceStatistics(scope, order: order);
        Tensor loss = statistics.LossOf(0, Route(scores_NE), Sequences);
        loss.backward();
        return (loss.item<float>(), scores_NE.grad!);
    }

    // The balance loss of some sequences as if they were a batch of their own.
    private (float Loss, Tensor Gradient) Plain(IEnumerable<int> sequences)
    {
        Tensor scores_NE = _scores_NE.clone().requires_grad_();
        Tensor loss = Route(scores_NE.view(Sequences, Length, Experts).index_select(0, tensor(sequences.Select(s => (long)s).ToArray())).view(-1, Experts)).BalanceLoss();
        loss.backward();
        return (loss.item<float>(), scores_NE.grad!);
    }

    private static (float Loss, Tensor Gradient) Mean(IEnumerable<(float Loss, Tensor Gradient)> groups)
    {
        (float Loss, Tensor Gradient)[] all = [.. groups];
        return (all.Average(group => group.Loss), stack(all.Select(group => group.Gradient)).mean([0]));
    }

    private static void AssertSame((float Loss, Tensor Gradient) expected, (float Loss, Tensor Gradient) actual)
    {
        Assert.Equal(expected.Loss, actual.Loss, 5);
        Assert.True(expected.Gradient.abs().sum().item<float>() > 0);
        Assert.True(expected.Gradient.allclose(actual.Gradient, rtol: 1e-5, atol: 1e-7));
    }
}
