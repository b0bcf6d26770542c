using PaperLab.Reinforcement;

namespace PaperLab.Tests.Reinforcement;

public sealed class LanguageTests
{
    private static readonly Language s_english = Language.OfWords("English", ["even", "odd"]);

    [Fact]
    public void Words_are_runs_of_letters_with_their_accents()
    {
        Assert.Equal(["Let", "x", "be", "чётно", "e\u0301t", "É", "number"], Language.WordsOf("Let x be 12 — чётно, e\u0301t+É; number7!"));
        Assert.Equal(["我", "们", "try", "again"], Language.WordsOf("我们try again"));
        Assert.Empty(Language.WordsOf("1+2=3 \u0301 \ud800"));
    }

    [Theory]
    [InlineData("even odd even", 1, "3 of 3 words in English")]
    [InlineData("even odd нечётно Even", 0.75, "3 of 4 words in English")]
    [InlineData("чётно", 0, "0 of 1 words in English")]
    [InlineData("evenodd", 0, "0 of 1 words in English")]
    [InlineData("", 0, "no words in the chain")] // else an empty chain would earn everything
    [InlineData("0110", 0, "no words in the chain")]
    public void The_score_is_the_share_of_words_in_the_language(string chain, double value, string reason)
    {
        Assert.Equal(new Score(value, reason), new LanguageVerifier(s_english).Judge(SampleOf($"<think>{chain}</think><answer>even</answer>")));
    }

    [Fact]
    public void Scripts_tell_a_word_that_mixes_them()
    {
        Assert.True(Language.Latin.Has("naïveté"));
        Assert.True(Language.Cyrillic.Has("чётно"));
        Assert.True(Language.Han.Has("我"));
        Assert.False(Language.Latin.Has("cлово")); // a Latin c before Cyrillic letters
        Assert.False(Language.Cyrillic.Has("cлово"));
        Assert.Equal(0.5, new LanguageVerifier(Language.Latin).Judge(SampleOf("<think>so 我 try 们</think>")).Value);
    }

    [Fact]
    public void Tags_and_answer_are_no_words_of_the_chain()
    {
        Assert.Equal(1, new LanguageVerifier(s_english).Judge(SampleOf("<think><think>odd</think><answer>нечётно</answer>")).Value);
    }

    [Fact]
    public void A_problem_may_ask_for_its_own_language()
    {
        Sample sample = SampleOf("<think>чётно odd</think>") with { Problem = new CountdownProblem("", [1], 1) { Language = Language.Cyrillic } };

        Assert.Equal("1 of 2 words in Cyrillic script", new LanguageVerifier(s_english).Judge(sample).Reason);
    }

    [Fact]
    public void A_problem_without_language_needs_one_from_the_verifier()
    {
        string message = Assert.Throws<VerifierException>(() => new CombinedReward([new WeightedVerifier(new LanguageVerifier())]).Judge([SampleOf("")])).Message;

        Assert.Contains("The problem asks for no language; give LanguageVerifier one", message);
    }

    private static Sample SampleOf(string text) => new(0, new CountdownProblem("", [1], 1), new Completion(text, 10, Truncated: false));
}
