using PaperLab.Reinforcement;

namespace PaperLab.Tests.Reinforcement;

public sealed class AccuracyTests
{
    private static readonly CountdownProblem s_countdown = new("8,5,8:24", [8, 5, 8], 24);

    [Theory]
    [InlineData("(8-5)*8", "makes 24")]
    [InlineData(" 8 * (8 - 5) ", "makes 24")]
    [InlineData("((8)-(5))*(8)", "makes 24")]
    public void An_expression_of_all_numbers_that_makes_the_target_is_right(string answer, string reason)
    {
        Assert.Equal(new Score(1, reason), s_countdown.Check(answer, Scoring.Strict));
    }

    [Theory]
    [InlineData("8*8-5", "makes 59, not 24")]
    [InlineData("24", "24 used once, given 0 times")]
    [InlineData("8+8+8", "8 used 3 times, given 2 times")]
    [InlineData("(8-5)*8+0", "0 used once, given 0 times")]
    [InlineData("8*5-8-8", "8 used 3 times, given 2 times")]
    [InlineData("8-5", "8 used once, given 2 times")]
    [InlineData("8*8", "5 used 0 times, given once")]
    [InlineData("85-8", "85 used once, given 0 times")]
    [InlineData("8/(5-5)", "a division by zero")]
    [InlineData("(8-5)*8=24", "an operator expected before '=24'")]
    [InlineData("(8-5)*8.", "an operator expected before '.'")]
    [InlineData("(8-5)*08", "08 begins with 0")]
    [InlineData("(8-5)*8 or 1", "an operator expected before 'or 1'")]
    [InlineData("(８-5)*8", "a number expected before '８-5)*8'")]
    public void Any_other_answer_is_wrong_and_says_why(string answer, string reason)
    {
        Assert.Equal(new Score(0, reason), s_countdown.Check(answer, Scoring.Strict));
    }

    [Fact]
    public void A_value_that_only_overflow_makes_the_target_is_wrong()
    {
        var problem = new CountdownProblem("", [65536, 65536, 24], 24);

        Assert.Equal(new Score(0, "makes 4294967320, not 24"), problem.Check("65536*65536+24", Scoring.Strict));
    }

    [Theory]
    [InlineData("(8-5)*8 = 24")]
    [InlineData("24 = (8-5)*8")]
    [InlineData("It takes some steps.\nSo the answer is (8 − 5) × 8.\n")]
    [InlineData("**(8-5)*8**")]
    [InlineData("- (8-5)*8")]
    public void A_lenient_reader_recognises_the_expression(string answer)
    {
        Assert.Equal(1, s_countdown.Check(answer, Scoring.Lenient).Value);
        Assert.Equal(0, s_countdown.Check(answer, Scoring.Strict).Value);
    }

    [Theory]
    [InlineData("(8-5)*8 or 8*8-5")] // the last one counts: no shot in the dark
    [InlineData("24")]
    [InlineData("")]
    [InlineData("(8-5)*8\nNo, I cannot do it.")]
    [InlineData("8-5*8")]
    public void A_lenient_reader_is_not_a_blind_one(string answer)
    {
        Assert.Equal(0, s_countdown.Check(answer, Scoring.Lenient).Value);
    }

    [Theory]
    [InlineData("1234", "1234")]
    [InlineData("1,234", "1234")]
    [InlineData("$1,234.50", "2469/2")]
    [InlineData("-$5", "-5")]
    [InlineData("$-5", "-5")]
    [InlineData("€0.10", "1/10")]
    [InlineData("-0", "0")]
    [InlineData("3.0", "3")]
    [InlineData(" 7\n", "7")]
    [InlineData("100000000000000000000", "100000000000000000000")]
    public void A_number_is_read_exactly(string text, string value)
    {
        Assert.Equal(value, NumberText.Read(text)?.ToString());
        Assert.Equal(value, NumberText.ReadLast($"First 3, then {text}.")?.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("--5")]
    [InlineData("007")]
    [InlineData("1,23")]
    [InlineData("1234,567")]
    [InlineData("1,2345")]
    [InlineData("3.4.5")]
    [InlineData(".5")]
    [InlineData("1e3")]
    [InlineData("٧")]
    [InlineData("７")]
    [InlineData("1/2")]
    [InlineData("v2")]
    [InlineData("NaN")]
    [InlineData("∞")]
    public void What_is_no_number_is_none(string text)
    {
        Assert.Null(NumberText.Read(text));
        Assert.Null(NumberText.ReadLast(text));
    }

    [Fact]
    public void A_number_amid_words_is_read_leniently_only()
    {
        Assert.Null(NumberText.Read("7 apples"));
        Assert.Null(NumberText.Read("5."));
        Assert.Equal((Rational)7, NumberText.ReadLast("Of 12 apples, 7 are left."));
        Assert.Equal((Rational)42, NumberText.ReadLast("\\boxed{42}"));
        Assert.Equal((Rational)(-3), NumberText.ReadLast("x = −3"));
        Assert.Equal((Rational)12, NumberText.ReadLast("8+4=12"));
        Assert.Equal((Rational)50, NumberText.ReadLast("**50%**"));
        Assert.Null(NumberText.ReadLast("None."));
    }

    [Fact]
    public void A_number_of_a_million_digits_is_no_answer()
    {
        string digits = new('7', 1_000_000);

        Assert.Null(NumberText.Read(digits));
        Assert.Null(NumberText.ReadLast(digits));
    }

    [Fact]
    public void A_number_answer_is_right_by_its_value()
    {
        var problem = new NumberProblem("How much?", (Rational)2469 / 2);

        Assert.Equal(new Score(1, "2469/2"), problem.Check("$1,234.50", Scoring.Strict));
        Assert.Equal(new Score(0, "1234, not 2469/2"), problem.Check("1234", Scoring.Strict));
        Assert.Equal(new Score(0, "not a number"), problem.Check("about 1234.5", Scoring.Strict));
        Assert.Equal(1, problem.Check("about 1234.5", Scoring.Lenient).Value);
        Assert.Equal(new Score(0, "no number"), problem.Check("a lot", Scoring.Lenient));
    }

    [Theory]
    [InlineData("<think>8-5=3</think><answer>(8-5)*8</answer>", 1, 1)]
    [InlineData("<think>8-5=3</think>(8-5)*8", 0, 1)]
    [InlineData("<think><answer>(8-5)*8</answer></think>", 0, 0)]
    [InlineData("<think></think><answer>8*8</answer><answer>(8-5)*8</answer>", 0, 1)]
    [InlineData("<think></think><answer>(8-5)*8</answer> = 24", 0, 1)]
    public void Strict_accuracy_needs_the_format_and_lenient_accuracy_an_answer(string text, double strict, double lenient)
    {
        var sample = new Sample(0, s_countdown, new Completion(text, 20, Truncated: false));

        Assert.Equal(strict, new AccuracyVerifier().Judge(sample).Value);
        Assert.Equal(lenient, new AccuracyVerifier(Scoring.Lenient).Judge(sample).Value);
    }
}
