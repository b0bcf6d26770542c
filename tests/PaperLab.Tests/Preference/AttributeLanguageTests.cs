using PaperLab.Preference;

namespace PaperLab.Tests.Preference;

public sealed class AttributeLanguageTests
{
    private const int Many = 2000;

    public static TheoryData<Role> Roles => [.. Enum.GetValues<Role>()];

    [Theory]
    [MemberData(nameof(Roles))]
    public void Every_demonstration_is_in_the_language_fits_the_context_and_has_no_fault(Role role)
    {
        for (ulong seed = 0; seed < Many; seed++)
        {
            (PolicyRequest request, string reply) = AttributeLanguage.Demonstrate(role, seed);
            int prompt = AttributeLanguage.Tokenizer.Encode(AttributeLanguage.PromptOf(request)).Length, answer = AttributeLanguage.Tokenizer.Encode(reply).Length + 1;

            Assert.Null(AttributeLanguage.Fault(request, reply));
            Assert.InRange(prompt + answer, 3, AttributeLanguage.ContextLength);
            Assert.InRange(answer, 2, AttributeLanguage.MostTokens);
        }
    }

    [Fact]
    public void A_critique_says_of_every_attribute_which_text_has_more()
    {
        Assert.Equal(" warmth more formality less precision same humour more caution same imagery less", AttributeLanguage.CritiqueOf([2, 0, 1, 5, 0, 0], [1, 1, 1, 0, 0, 3]));
        Assert.Equal([1, -1, 0, 1, 0, -1], AttributeLanguage.ReadCritique(" warmth more formality less precision same humour more caution same imagery less"));
        Assert.Null(AttributeLanguage.ReadCritique(" warmth more formality less"));
        Assert.Null(AttributeLanguage.ReadCritique(" formality more warmth less precision same humour more caution same imagery less"));
        Assert.Null(AttributeLanguage.ReadCritique(" warmth add formality less precision same humour more caution same imagery less"));
    }

    [Fact]
    public void An_instruction_adds_and_cuts_or_finds_it_fine()
    {
        Assert.Equal(" add warmth cut formality add humour cut imagery", AttributeLanguage.InstructionOf([1, -1, 0, 1, 0, -1]));
        Assert.Equal(" fine", AttributeLanguage.InstructionOf([0, 0, 0, 0, 0, 0]));
        Assert.Equal([1, -1, 0, 1, 0, -1], AttributeLanguage.ReadInstruction(" add warmth cut formality add humour cut imagery"));
        Assert.Equal(new int[6], AttributeLanguage.ReadInstruction(" fine"));
        Assert.Null(AttributeLanguage.ReadInstruction(""));
        Assert.Null(AttributeLanguage.ReadInstruction(" add"));
        Assert.Null(AttributeLanguage.ReadInstruction(" add warmth add warmth"));
        Assert.Null(AttributeLanguage.ReadInstruction(" fine fine"));
    }

    [Fact]
    public void A_text_is_its_topic_and_how_often_each_attribute_occurs()
    {
        AttributeText text = AttributeLanguage.ReadText("sea: kind dear exactly kind glow")!;

        Assert.Equal(0, text.Topic);
        Assert.Equal([3, 0, 1, 0, 0, 1], text.Counts);
        Assert.NotNull(AttributeLanguage.ReadText("sea:"));
        Assert.Null(AttributeLanguage.ReadText(" kind dear"));
        Assert.Null(AttributeLanguage.ReadText("sea: kind sea:"));
        Assert.Null(AttributeLanguage.ReadText("sea: warmth more"));
    }

    [Fact]
    public void An_update_moves_what_it_is_told_to_move_and_mostly_leaves_the_rest()
    {
        int kept = 0, moved = 0, told = 0, untold = 0;
        for (ulong seed = 0; seed < Many; seed++)
        {
            (PolicyRequest request, string reply) = AttributeLanguage.Demonstrate(Role.Update, seed);
            var update = (UpdateRequest)request;
            AttributeText before = AttributeLanguage.ReadText(update.Chosen)!, after = AttributeLanguage.ReadText(reply)!;
            IReadOnlyList<int> changes = AttributeLanguage.ReadInstruction(update.Instruction!)!;
            Assert.Equal(before.Topic, after.Topic);
            for (int k = 0; k < changes.Count; k++)
            {
                bool room = changes[k] > 0 ? before.Counts[k] < AttributeLanguage.MostOfAnAttribute : before.Counts[k] > 0;
                told += changes[k] != 0 && room ? 1 : 0;
                moved += changes[k] != 0 && room && Math.Sign(after.Counts[k] - before.Counts[k]) == changes[k] ? 1 : 0;
                untold += changes[k] == 0 ? 1 : 0;
                kept += changes[k] == 0 && after.Counts[k] == before.Counts[k] ? 1 : 0;
            }
        }

        Assert.InRange((double)moved / told, 0.9, 1); // of the 15 % that are drawn anew, some land elsewhere
        Assert.InRange((double)kept / untold, 0.85, 0.95);
    }

    [Fact]
    public void Prompts_hold_what_their_role_needs_and_nothing_else()
    {
        Query query = AttributeLanguage.QueryOf(0);

        Assert.Equal("[generate]sea:[write]", AttributeLanguage.PromptOf(new GenerateRequest(query) { Draw = 1 }));
        Assert.Equal("[compare]sea:[a]sea: kind[b]sea: pun[write]", AttributeLanguage.PromptOf(new CompareRequest(query, "sea: kind", "sea: pun") { Draw = 1 }));
        Assert.Equal("[compare]sea:[a]sea: kind[write]", AttributeLanguage.PromptOf(new CompareRequest(query, "sea: kind", null) { Draw = 1 }));
        Assert.Equal("[gradient] warmth more[write]", AttributeLanguage.PromptOf(new GradientRequest(query, "sea: kind", " warmth more") { Draw = 1 }));
        Assert.Equal("[update]sea:[a]sea: kind[c] add warmth[write]", AttributeLanguage.PromptOf(new UpdateRequest(query, "sea: kind", " add warmth") { Draw = 1 }));
        Assert.Equal("[update]sea:[a]sea: kind[c] fine[write]", AttributeLanguage.PromptOf(new UpdateRequest(query, "sea: kind", null) { Draw = 1 }));
        Assert.Contains("sea: city:", Assert.Throws<ArgumentException>(() => AttributeLanguage.TopicOf(new Query("moon:"))).Message);
    }

    [Fact]
    public void A_taste_cares_for_three_attributes_and_for_the_topic()
    {
        Query query = AttributeLanguage.QueryOf(0);
        for (ulong seed = 0; seed < 50; seed++)
        {
            HiddenPreference monotone = HiddenPreference.Draw(TasteKind.Monotone, seed), interior = HiddenPreference.Draw(TasteKind.Interior, seed);
            double[] effects = [.. new[] { " kind", " hereby", " exactly", " pun", " perhaps", " glow" }.Select(word => monotone.Gold(query, "sea:" + word))];

            Assert.Equal(HiddenPreference.Liked, effects.Count(effect => Math.Abs(effect) == 1));
            Assert.Equal(0, monotone.Gold(query, "sea:"));
            Assert.Equal(-HiddenPreference.OffTopic, monotone.Gold(query, "city:"));
            Assert.Equal(-HiddenPreference.OffTopic, monotone.Gold(query, null));
            Assert.Equal(2 * effects[0], monotone.Gold(query, "sea: kind dear"));
            Assert.InRange(interior.Gold(query, "sea:"), -9, -3);
        }
    }

    [Fact]
    public void An_interior_taste_is_happiest_at_the_numbers_that_it_names()
    {
        HiddenPreference taste = HiddenPreference.Draw(TasteKind.Interior, 3);
        Query query = AttributeLanguage.QueryOf(0);
        string[] words = [" kind", " hereby", " exactly", " pun", " perhaps", " glow"];
        string best = "sea:" + string.Concat(AttributeLanguage.Attributes.Select((name, k) =>
            taste.ToString().Split(", ").FirstOrDefault(part => part.StartsWith(name, StringComparison.Ordinal)) is { } wanted ? string.Concat(Enumerable.Repeat(words[k], wanted[^1] - '0')) : ""));

        Assert.Equal(0, taste.Gold(query, best));
        int liked = Enumerable.Range(0, words.Length).First(k => taste.ToString().Contains(AttributeLanguage.Attributes[k], StringComparison.Ordinal));
        Assert.Equal(-1, taste.Gold(query, best + words[liked]));
    }
}
