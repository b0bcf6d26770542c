using PaperLab.Training;

namespace PaperLab.Tests.Training;

public sealed class LearningRateScheduleTests
{
    private static readonly TrainingConfig s_hundred = new() { Steps = 100, LearningRate = 1, WarmupShare = 0.1 };

    [Theory]
    [InlineData(LearningRateSchedule.Cosine)]
    [InlineData(LearningRateSchedule.Wsd)]
    [InlineData(LearningRateSchedule.Constant)]
    public void Every_schedule_begins_with_the_same_warm_up(LearningRateSchedule schedule)
    {
        TrainingConfig training = s_hundred with { Schedule = schedule };

        Assert.Equal(0.1, training.LearningRateAt(1), 12);
        Assert.Equal(0.5, training.LearningRateAt(5), 12);
        Assert.Equal(1, training.LearningRateAt(10), 12);
    }

    [Fact]
    public void A_cosine_falls_to_a_tenth()
    {
        Assert.Equal(0.55, s_hundred.LearningRateAt(55), 12);
        Assert.Equal(0.1, s_hundred.LearningRateAt(100), 12);
    }

    [Fact]
    public void Wsd_stays_up_and_falls_in_a_line_over_the_last_part()
    {
        TrainingConfig training = s_hundred with { Schedule = LearningRateSchedule.Wsd, DecayShare = 0.19 };

        Assert.Equal(1, training.LearningRateAt(11), 12);
        Assert.Equal(1, training.LearningRateAt(81), 12);
        Assert.Equal(0.95, training.LearningRateAt(82), 12);
        Assert.Equal(0.5, training.LearningRateAt(91), 12);
        Assert.Equal(0.05, training.LearningRateAt(100), 12);
    }

    [Fact]
    public void Constant_stays_up_to_the_end()
    {
        TrainingConfig training = s_hundred with { Schedule = LearningRateSchedule.Constant };

        Assert.All(Enumerable.Range(10, 91), step => Assert.Equal(1, training.LearningRateAt(step)));
    }

    [Fact]
    public void Without_a_warm_up_the_first_step_has_the_highest_rate()
    {
        TrainingConfig training = s_hundred with { Schedule = LearningRateSchedule.Wsd, WarmupShare = 0 };

        Assert.Equal(1, training.LearningRateAt(1));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(0.0)]
    [InlineData(0.91)]
    public void A_decay_that_does_not_fit_behind_the_warm_up_is_refused(double share)
    {
        TrainingConfig training = s_hundred with { Schedule = LearningRateSchedule.Wsd, DecayShare = share };

        Assert.Contains($"DecayShare is {share}; allowed: above 0, and at most 1 with WarmupShare = 0.1", Assert.Throws<ArgumentException>(training.Validate).Message);
    }

    [Fact]
    public void A_decay_without_its_schedule_is_refused()
    {
        Assert.Contains("null, unless Schedule is Wsd", Assert.Throws<ArgumentException>((s_hundred with { DecayShare = 0.2 }).Validate).Message);
    }

    [Fact]
    public void A_micro_batch_that_does_not_divide_the_batch_is_refused()
    {
        Assert.Contains("MicroBatchSize is 3; allowed: 0, or a divisor of BatchSize = 16", Assert.Throws<ArgumentException>((s_hundred with { MicroBatchSize = 3 }).Validate).Message);
    }
}
