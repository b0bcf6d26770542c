// A translator that now and then takes one term for another of its kind: "pneumonia" becomes the word for another disease, "fever" that
// for another symptom. Its grammar is always right, as that of machine translation mostly is. Within one text a term is always translated
// alike, and the same text always comes out the same.

namespace PaperLab.Text.Medical;

/// <summary>Translates texts and questions from the one language to the other.</summary>
/// <param name="knowledge">The terms.</param>
/// <param name="errorRate">ε: the probability that a term of a text is translated wrongly, 0 to 1; 0 is a perfect translator.</param>
/// <param name="seed">Of the errors and of the words chosen.</param>
public sealed class NoisyTranslator(MedicalKnowledge knowledge, double errorRate, ulong seed)
{
    private readonly double _errorRate = RateOf(errorRate);

    /// <summary>The text in the other language. Its <see cref="MedicalText.Facts"/> are those that it now states, right or wrong.</summary>
    public MedicalText Translate(MedicalText text)
    {
        SplitMix64 random = RandomOf(text.Text);
        Func<MedicalEntity, MedicalEntity> term = Terms(text.Facts.SelectMany(EntitiesOf), ref random);
        return MedicalWriter.Write(text.Form, [.. text.Facts.Select(fact => Replace(fact, term))], Other(text.Language), ref random);
    }

    /// <summary>
    /// The question in the other language, its options in their order: what a model of that language is asked when it stands behind a
    /// translator. What is right, needed and forbidden stays as it was. No error turns a term into another one of the question.
    /// </summary>
    public MedicalQuestion Translate(MedicalQuestion question)
    {
        QuestionContent content = question.Content;
        SplitMix64 random = RandomOf(question.Question);
        Func<MedicalEntity, MedicalEntity> term = Terms([.. content.Context.Append(content.Asked).SelectMany(EntitiesOf), .. content.Options, .. content.Diseases], ref random);
        var translated = new QuestionContent(
            [.. content.Context.Select(fact => Replace(fact, term))], Replace(content.Asked, term), [.. content.Options.Select(term)], content.Answer, [.. content.Diseases.Select(term)]);
        TextLanguage language = Other(question.Language);
        return question with
        {
            Language = language,
            Content = translated,
            Question = translated.Write(question.Task, language, ref random),
            Options = [.. translated.Options.Select(option => option.Name(language))],
        };
    }

    private SplitMix64 RandomOf(string text) => new(StableHash.Of($"{seed} {text}"));

    // An error takes a term that the text does not have yet, so that different terms stay different.
    private Func<MedicalEntity, MedicalEntity> Terms(IEnumerable<MedicalEntity> entities, ref SplitMix64 random)
    {
        MedicalEntity[] terms = [.. entities.Distinct()];
        var taken = terms.ToHashSet();
        var wrong = new Dictionary<MedicalEntity, MedicalEntity>();
        foreach (MedicalEntity term in terms)
        {
            if (random.NextDouble() < _errorRate)
            {
                MedicalEntity[] others = [.. knowledge.Of(term.Kind).Where(other => !taken.Contains(other))];
                Require.That(others.Length > 0, $"the number of entities of the kind {term.Kind} that a text does not name", 0, "1 or more, to mistake one for; take a larger knowledge base");
                wrong.Add(term, others[random.Next(others.Length)]);
                taken.Add(wrong[term]);
            }
        }

        return term => wrong.GetValueOrDefault(term, term);
    }

    private static IEnumerable<MedicalEntity> EntitiesOf(Fact fact) => [fact.Disease, fact.Entity];

    private static Fact Replace(Fact fact, Func<MedicalEntity, MedicalEntity> term) => new(term(fact.Disease), fact.Relation, term(fact.Entity));

    private static TextLanguage Other(TextLanguage language) => language == TextLanguage.English ? TextLanguage.Arabic : TextLanguage.English;

    private static double RateOf(double errorRate)
    {
        Require.That(errorRate is >= 0 and <= 1, nameof(errorRate), errorRate, "0 to 1");
        return errorRate;
    }
}
