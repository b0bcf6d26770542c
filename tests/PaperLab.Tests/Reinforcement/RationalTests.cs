using PaperLab.Reinforcement;

namespace PaperLab.Tests.Reinforcement;

public sealed class RationalTests
{
    [Fact]
    public void Equal_fractions_are_equal_however_they_came_about()
    {
        Rational half = (Rational)2 / 4;

        Assert.Equal((Rational)1 / 2, half);
        Assert.Equal((Rational)(-1) / -2, half);
        Assert.Equal((Rational)1 / -2, 0 - half);
        Assert.Equal((Rational)1, half + half);
        Assert.Equal(((Rational)1 / 2).GetHashCode(), half.GetHashCode());
        Assert.Equal("-1/2", (0 - half).ToString());
    }

    [Fact]
    public void There_is_one_zero()
    {
        Assert.Equal(default, (Rational)0);
        Assert.Equal(default, (Rational)0 / -5);
        Assert.Equal("0", default(Rational).ToString());
    }

    [Fact]
    public void Nothing_is_divided_by_zero()
    {
        Assert.Throws<DivideByZeroException>(() => (Rational)1 / 0);
    }
}
