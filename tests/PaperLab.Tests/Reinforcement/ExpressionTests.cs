using System.Numerics;
using PaperLab.Reinforcement;

namespace PaperLab.Tests.Reinforcement;

public sealed class ExpressionTests
{
    [Theory]
    [InlineData("7", "7")]
    [InlineData("1+2*3", "7")]
    [InlineData("(1+2)*3", "9")]
    [InlineData("8-5-3", "0")]
    [InlineData("2-3", "-1")]
    [InlineData("16/4/2", "2")]
    [InlineData("1/3+1/6", "1/2")]
    [InlineData("8/(3-8/3)", "24")] // right only in exact fractions
    [InlineData(" ( ( 4 ) ) * 2 ", "8")]
    [InlineData("0*5", "0")]
    [InlineData("0/5", "0")]
    [InlineData("2/4-3", "-5/2")]
    public void An_expression_has_an_exact_value(string text, string value)
    {
        Assert.Equal(value, Expression.Parse(text, out string fault)?.Value.ToString());
        Assert.Empty(fault);
    }

    [Theory]
    [InlineData("", "a number expected at the end")]
    [InlineData("   ", "a number expected at the end")]
    [InlineData("((((", "a number expected at the end")]
    [InlineData("(1+2", "')' expected at the end")]
    [InlineData("1+2)", "an operator expected before ')'")]
    [InlineData("()", "a number expected before ')'")]
    [InlineData("1/0", "a division by zero")]
    [InlineData("1/(3-3)", "a division by zero")]
    [InlineData("0/0", "a division by zero")]
    [InlineData("1+", "a number expected at the end")]
    [InlineData("1 2", "an operator expected before '2'")]
    [InlineData("2(3)", "an operator expected before '(3)'")]
    [InlineData("-0", "a number expected before '-0'")]
    [InlineData("-3+8", "a number expected before '-3+8'")]
    [InlineData("8--3", "a number expected before '-3'")]
    [InlineData("2**3", "a number expected before '*3'")]
    [InlineData("7//2", "a number expected before '/2'")]
    [InlineData("7%2", "an operator expected before '%2'")]
    [InlineData("2^3", "an operator expected before '^3'")]
    [InlineData("3.5*2", "an operator expected before '.5*2'")]
    [InlineData("1e3", "an operator expected before 'e3'")]
    [InlineData("0x10", "an operator expected before 'x10'")]
    [InlineData("007", "007 begins with 0")]
    [InlineData("3*8=24", "an operator expected before '=24'")]
    [InlineData("24 because", "an operator expected before 'because'")]
    [InlineData("24\u0000", "an operator expected before '\u0000'")]
    [InlineData("٣*8", "a number expected before '٣*8'")] // an Arabic-Indic 3
    [InlineData("３*8", "a number expected before '３*8'")] // a full-width 3
    [InlineData("3×8", "an operator expected before '×8'")]
    [InlineData("3\t*8", "an operator expected before '\t*8'")]
    [InlineData("System.Exit(1)", "a number expected before 'System.Exi'")]
    [InlineData("9999999999", "a number of 10 digits")]
    public void What_is_no_expression_says_where(string text, string fault)
    {
        Assert.Null(Expression.Parse(text, out string found));
        Assert.Equal(fault, found);
    }

    [Fact]
    public void No_length_and_no_depth_take_the_process_down()
    {
        Assert.Null(Expression.Parse(new string('(', 1_000_000), out string length));
        Assert.Equal("1000000 characters are no answer", length);
        Assert.Null(Expression.Parse(new string('(', 99) + "1" + new string(')', 99), out string depth));
        Assert.Equal("more than 32 parentheses inside one another", depth);
        Assert.NotNull(Expression.Parse(new string('(', 32) + "1" + new string(')', 32), out _));
        Assert.NotNull(Expression.Parse(string.Join('*', Enumerable.Repeat("999999999", 20)), out _)); // 180 digits
    }

    [Fact]
    public void The_numbers_are_those_that_stand_there()
    {
        Assert.Equal([8, 5, 8], Expression.Parse("(8-5)*8", out _)!.Numbers);
    }

    [Fact]
    public void Nothing_overflows()
    {
        // 65536² is 0, and 65537·65537 is 131073, in 32 bits.
        Assert.Equal(new BigInteger(4294967296), Expression.Parse("65536*65536", out _)!.Value.Numerator);
        Assert.Equal(new BigInteger(4295098369), Expression.Parse("65537*65537", out _)!.Value.Numerator);
        Assert.Equal(BigInteger.Pow(65536, 4), Expression.Parse("65536*65536*65536*65536", out _)!.Value.Numerator); // 0 in 64 bits
    }
}
