using PaperLab.Reinforcement;

namespace PaperLab.Tests.Reinforcement;

public sealed class ResponseFormatTests
{
    [Theory]
    [InlineData("<think>a</think><answer>b</answer>", "a", "b")]
    [InlineData("<think></think><answer>b</answer>", "", "b")]
    [InlineData(" \n<think>\na < b\n</think>\n\n<answer> b </answer>\n", "a < b", "b")]
    [InlineData("<think>a <thinking> b</think><answer>b</answer>", "a <thinking> b", "b")]
    public void A_well_formed_completion_has_a_chain_and_an_answer(string text, string chain, string answer)
    {
        Assert.Equal(new Response(chain, answer), ResponseFormat.Read(text, out string fault));
        Assert.Empty(fault);
    }

    [Theory]
    [InlineData("", "no <think>")]
    [InlineData("a<answer>b</answer>", "no <think>")]
    [InlineData("<think>a<answer>b</answer>", "no </think>")]
    [InlineData("<think>a</think>b", "no <answer>")]
    [InlineData("<think>a</think><answer>b", "no </answer>")]
    [InlineData("<Think>a</Think><answer>b</answer>", "no <think>")]
    [InlineData("< think>a</think><answer>b</answer>", "no <think>")]
    [InlineData("<think><think>a</think></think><answer>b</answer>", "<think> more than once")]
    [InlineData("<think>a</think></think><answer>b</answer>", "</think> more than once")]
    [InlineData("<think>a</think><answer>b</answer><answer>c</answer>", "<answer> more than once")]
    [InlineData("<think>a</think><answer><answer>b</answer></answer>", "<answer> more than once")]
    [InlineData("<think>a</think><answer>b</answer><think>a</think><answer>b</answer>", "<think> more than once")]
    [InlineData("<think>a<answer>b</answer></think>", "<answer> before </think>")]
    [InlineData("<answer>b</answer><think>a</think>", "<answer> before </think>")]
    [InlineData("</think>a<think><answer>b</answer>", "</think> before <think>")]
    [InlineData("<think>a</think></answer>b<answer>", "</answer> before <answer>")]
    [InlineData("Well: <think>a</think><answer>b</answer>", "text before <think>")]
    [InlineData("<think>a</think>so<answer>b</answer>", "text between </think> and <answer>")]
    [InlineData("<think>a</think><answer>b</answer>.", "text after </answer>")]
    [InlineData("<think>a</think><answer>b</answer>\u0000", "text after </answer>")]
    [InlineData("<think>a</think><answer> \n </answer>", "an empty answer")]
    public void Anything_else_is_not_and_says_why(string text, string fault)
    {
        Assert.Null(ResponseFormat.Read(text, out string found));
        Assert.Equal(fault, found);
    }

    [Theory]
    [InlineData("<think>a</think><answer> b </answer>", "b")]
    [InlineData("<think>a</think><answer>b</answer> or <answer>c</answer>.", "c")]
    [InlineData("<think>a</think><answer>b", "b")]
    [InlineData("<think>a</think> It is b.", "It is b.")]
    [InlineData("It is b.", "It is b.")]
    [InlineData("<answer>b</answer>", "b")]
    [InlineData("<think>a</think><answer><answer>b</answer></answer>", "b")]
    [InlineData("<think><answer>b</answer></think>", "")] // an answer inside the chain was not given
    [InlineData("b</answer>", "b")]
    public void A_lenient_reader_finds_the_answer_after_the_chain(string text, string answer)
    {
        Assert.Equal(answer, ResponseFormat.FindAnswer(text));
    }

    [Theory]
    [InlineData("<think>a b</think><answer>c</answer>", "a b")]
    [InlineData("a b<answer>c</answer>", "a b")]
    [InlineData("<think>a b", "a b")]
    [InlineData("<think>a<think>b</think>c</think>d", "a b c")]
    public void The_chain_is_found_without_tags_in_any_completion(string text, string chain)
    {
        Assert.Equal(chain, ResponseFormat.FindChain(text));
    }

    [Fact]
    public void What_is_written_is_read()
    {
        Assert.Equal(new Response("a", "b"), ResponseFormat.Read(ResponseFormat.Write("a", "b"), out _));
    }
}
