// The training text of the knowledge base: which facts are told in which language, and a stream of documents with a given share of Arabic.
//
// What is known in a language is decided for all facts of one relation about a disease together (all its drugs, say): else the drugs that
// are told in Arabic would help to guess the one that is not. Every disease keeps at least one relation that is told in both languages, so
// that its name is known in both.
//
// Texts to read from tell what is not true, and tell it twice: the second time can only be known from the first.
//
// The split is by disease. Of a held-out disease the facts are told like any other's, but no case and no question is ever trained on: its
// questions are the test.

namespace PaperLab.Text.Medical;

/// <summary>Where a fact is told.</summary>
public enum ToldIn
{
    Both,
    EnglishOnly,
    ArabicOnly,
}

/// <summary>Who knows what.</summary>
public sealed record MedicalCorpusOptions
{
    /// <summary>Of what is decided below.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Share of what is told in English only, of all (disease, relation) pairs; with the next 0 to 0.75.</summary>
    public double EnglishOnlyShare { get; init; } = 0.25;

    /// <summary>Share of what is told in Arabic only.</summary>
    public double ArabicOnlyShare { get; init; }

    /// <summary>Share of the diseases whose questions are the test, 0.1 to 0.9.</summary>
    public double HeldOutShare { get; init; } = 0.4;

    /// <summary>Whether the Arabic part has lines of names side by side, <c>fever: حمى</c>.</summary>
    public bool Glossary { get; init; }

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.That(EnglishOnlyShare is >= 0 and <= 0.75, nameof(EnglishOnlyShare), EnglishOnlyShare, "0 to 0.75");
        Require.That(ArabicOnlyShare >= 0 && EnglishOnlyShare + ArabicOnlyShare <= 0.75, nameof(ArabicOnlyShare), ArabicOnlyShare, $"0 to 0.75 together with {nameof(EnglishOnlyShare)}, which is {EnglishOnlyShare}");
        Require.That(HeldOutShare is >= 0.1 and <= 0.9, nameof(HeldOutShare), HeldOutShare, "0.1 to 0.9");
    }
}

/// <summary>One stream of training documents.</summary>
public sealed record MedicalStreamOptions
{
    /// <summary>r: the share of Arabic in the budget, 0 to 1.</summary>
    public required double ArabicShare { get; init; }

    /// <summary>Size of the stream, in what the caller counts: documents, or tokens. The document that reaches it is the last.</summary>
    public required long Budget { get; init; }

    /// <summary>ε of the translator that made the Arabic of what is told in both languages, 0 to 1.</summary>
    public double TranslationErrorRate { get; init; }

    /// <summary>Of order, words and errors.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.That(ArabicShare is >= 0 and <= 1, nameof(ArabicShare), ArabicShare, "0 to 1");
        Require.That(Budget >= 1, nameof(Budget), Budget, "1 or more");
        Require.That(TranslationErrorRate is >= 0 and <= 1, nameof(TranslationErrorRate), TranslationErrorRate, "0 to 1");
    }
}

/// <summary>The knowledge base as text.</summary>
public sealed class MedicalCorpus
{
    /// <summary>Domain of English documents.</summary>
    public const string English = "english";

    /// <summary>Domain of Arabic documents.</summary>
    public const string Arabic = "arabic";

    /// <summary>Domain of glossary lines, which count as Arabic.</summary>
    public const string Glossary = "glossary";

    private const int MostFactsOfAPassage = 6;
    private const int Readings = 2; // of a disease in each round: to read is learned more slowly than facts are

    private readonly MedicalCorpusOptions _options;
    private readonly Dictionary<(MedicalEntity Disease, Relation Relation), ToldIn> _toldIn = [];
    private readonly HashSet<MedicalEntity> _heldOut;
    private readonly HashSet<(MedicalEntity, TextLanguage)> _named;

    /// <summary>Decides what is told where, and which diseases are held out.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public MedicalCorpus(MedicalKnowledge knowledge, MedicalCorpusOptions? options = null)
    {
        (Knowledge, _options) = (knowledge, options ?? new MedicalCorpusOptions());
        _options.Validate();
        var random = new SplitMix64(_options.Seed);
        MedicalEntity[] diseases = [.. knowledge.Of(EntityKind.Disease)];
        random.Shuffle<MedicalEntity>(diseases);
        _heldOut = [.. diseases.Take((int)Math.Round(_options.HeldOutShare * diseases.Length))];
        Tell(diseases, ref random);
        _named = [.. Enum.GetValues<TextLanguage>().SelectMany(language => FactsIn(language).SelectMany(fact => new[] { (fact.Disease, language), (fact.Entity, language) }))];
    }

    /// <summary>What the corpus is written from.</summary>
    public MedicalKnowledge Knowledge { get; }

    /// <summary>The domain of a language's documents.</summary>
    public static string DomainOf(TextLanguage language) => language == TextLanguage.English ? English : Arabic;

    /// <summary>Where a fact of the knowledge base is told.</summary>
    public ToldIn Told(Fact fact) => _toldIn[(fact.Disease, fact.Relation)];

    /// <summary>Whether a fact is told in a language.</summary>
    public bool IsTold(Fact fact, TextLanguage language) => Told(fact) switch
    {
        ToldIn.EnglishOnly => language == TextLanguage.English,
        ToldIn.ArabicOnly => language == TextLanguage.Arabic,
        _ => true,
    };

    /// <summary>The facts that are told in a language.</summary>
    public IEnumerable<Fact> FactsIn(TextLanguage language) => Knowledge.Facts.Where(fact => IsTold(fact, language));

    /// <summary>The side of a disease's questions.</summary>
    public Split SideOf(MedicalEntity disease) => _heldOut.Contains(disease) ? Split.HeldOut : Split.Train;

    /// <summary>Whether some training text of a language has the entity's name.</summary>
    public bool IsNamed(MedicalEntity entity, TextLanguage language) => _options.Glossary || _named.Contains((entity, language));

    /// <summary>
    /// Training documents in random order, English and Arabic mixed so that the share holds all along. Every round tells each fact in a
    /// sentence and each disease in a passage, and of each disease of the train side a case and texts to read from, anew in other words.
    /// </summary>
    /// <param name="options">Share, size and translation errors.</param>
    /// <param name="test">Questions whose forbidden texts no document may have. What is held out is never told anyway; errors of the translator might.</param>
    /// <param name="count">What the budget and the share are counted in, 1 or more for every text: tokens by a tokenizer; documents by default.</param>
    /// <exception cref="ArgumentException">An option is out of range, or nothing is left to tell.</exception>
    public IReadOnlyList<Document> Stream(MedicalStreamOptions options, IEnumerable<MedicalQuestion> test, Func<string, int>? count = null)
    {
        options.Validate();
        count ??= _ => 1;
        var forbidden = new ForbiddenTexts(test);
        using IEnumerator<Document> english = Rounds(TextLanguage.English, options, forbidden).GetEnumerator();
        using IEnumerator<Document> arabic = Rounds(TextLanguage.Arabic, options, forbidden).GetEnumerator();
        var stream = new List<Document>();
        (double inEnglish, double inArabic) = (0, 0);
        double r = options.ArabicShare;
        while (inEnglish + inArabic < options.Budget)
        {
            double behind = (inEnglish * r) - (inArabic * (1 - r)); // above 0: Arabic is
            bool next = behind > 0 || (behind == 0 && r >= 0.5);
            IEnumerator<Document> source = next ? arabic : english;
            source.MoveNext();
            int size = count(source.Current.Text);
            Require.That(size >= 1, $"the count of '{source.Current.Text}'", size, "1 or more");
            stream.Add(source.Current);
            (inEnglish, inArabic) = next ? (inEnglish, inArabic + size) : (inEnglish + size, inArabic);
        }

        return stream;
    }

    /// <summary>The case of every held-out disease whose symptoms are told in the language: text to measure perplexity on.</summary>
    public IReadOnlyList<Document> HeldOut(TextLanguage language, ulong seed = 1)
    {
        var random = new SplitMix64(seed);
        var documents = new List<Document>();
        foreach (MedicalEntity disease in Knowledge.Of(EntityKind.Disease).Where(_heldOut.Contains))
        {
            Fact[] symptoms = [.. Knowledge.About(disease, Relation.HasSymptom)];
            if (IsTold(symptoms[0], language))
            {
                random.Shuffle<Fact>(symptoms);
                documents.Add(DocumentOf(MedicalWriter.Write(TextForm.Case, symptoms, language, ref random), Split.HeldOut));
            }
        }

        return documents;
    }

    private void Tell(MedicalEntity[] diseases, ref SplitMix64 random)
    {
        (MedicalEntity Disease, Relation Relation)[] pairs = [.. diseases.SelectMany(disease => Enum.GetValues<Relation>().Select(relation => (disease, relation)))];
        random.Shuffle<(MedicalEntity, Relation)>(pairs);
        int english = (int)Math.Round(_options.EnglishOnlyShare * pairs.Length);
        int arabic = (int)Math.Round(_options.ArabicOnlyShare * pairs.Length);
        var inBoth = diseases.ToDictionary(disease => disease, _ => Enum.GetValues<Relation>().Length);
        foreach ((MedicalEntity Disease, Relation Relation) pair in pairs)
        {
            bool last = inBoth[pair.Disease] == 1;
            ToldIn told = last ? ToldIn.Both : english > 0 ? ToldIn.EnglishOnly : arabic > 0 ? ToldIn.ArabicOnly : ToldIn.Both;
            _toldIn.Add(pair, told);
            inBoth[pair.Disease] -= told == ToldIn.Both ? 0 : 1;
            english -= told == ToldIn.EnglishOnly ? 1 : 0;
            arabic -= told == ToldIn.ArabicOnly ? 1 : 0;
        }
    }

    // Endless; a round without a document would be, too, and is an error.
    private IEnumerable<Document> Rounds(TextLanguage language, MedicalStreamOptions options, ForbiddenTexts forbidden)
    {
        var random = new SplitMix64(StableHash.Of($"{language} {options.Seed}"));
        while (true)
        {
            Document[] documents = [.. Round(language, options, ref random).Where(document => forbidden.FirstIn(document.Text) is null)];
            Require.That(documents.Length > 0, $"the number of {language} documents that the test does not forbid", 0, "1 or more; tell more facts, or test fewer");
            random.Shuffle<Document>(documents);
            foreach (Document document in documents)
            {
                yield return document;
            }
        }
    }

    private List<Document> Round(TextLanguage language, MedicalStreamOptions options, ref SplitMix64 random)
    {
        var documents = new List<Document>();
        var translator = new NoisyTranslator(Knowledge, options.TranslationErrorRate, random.NextBits());
        foreach (IGrouping<MedicalEntity, Fact> about in FactsIn(language).GroupBy(fact => fact.Disease))
        {
            Fact[] facts = [.. about];
            random.Shuffle<Fact>(facts);
            foreach (Fact fact in facts)
            {
                documents.Add(Tell(TextForm.Statements, [fact], language, translator, ref random));
            }

            documents.Add(Tell(TextForm.Statements, facts[..Math.Min(facts.Length, MostFactsOfAPassage)], language, translator, ref random));
            Fact[] symptoms = [.. facts.Where(fact => fact.Relation == Relation.HasSymptom)];
            if (SideOf(about.Key) == Split.Train && symptoms.Length > 0)
            {
                // The disease's organ or drug follows, as a case's question would have it.
                IEnumerable<Fact> follows = facts.Where(fact => fact.Relation is Relation.AffectsOrgan or Relation.TreatedBy).Take(1);
                documents.Add(Tell(TextForm.Case, [.. symptoms[..(2 + random.Next(symptoms.Length - 1))], .. follows], language, translator, ref random));
            }
        }

        foreach (MedicalEntity disease in Knowledge.Of(EntityKind.Disease).Where(disease => SideOf(disease) == Split.Train))
        {
            for (int i = 0; i < Readings; i++)
            {
                if (MadeUp(disease, language, ref random) is { } facts)
                {
                    documents.Add(Tell(TextForm.Reading, facts, language, translator, ref random));
                }
            }
        }

        if (_options.Glossary && language == TextLanguage.Arabic)
        {
            foreach (MedicalEntity entity in Knowledge.Entities)
            {
                documents.Add(new Document($"{Glossary}/{entity}", Glossary, Split.Train, MedicalWriter.Glossary(entity, ref random)));
            }
        }

        return documents;
    }

    // Of each relation one fact that is not true: whoever is to say them again must read. Null where too few names are left.
    private Fact[]? MadeUp(MedicalEntity disease, TextLanguage language, ref SplitMix64 random)
    {
        var facts = new List<Fact>();
        foreach (Relation relation in Enum.GetValues<Relation>())
        {
            MedicalEntity[] untrue = [.. Knowledge.Of(MedicalKnowledge.KindOf(relation)).Where(entity => IsNamed(entity, language) && !Knowledge.Holds(new Fact(disease, relation, entity)))];
            if (untrue.Length == 0)
            {
                return null;
            }

            facts.Add(new Fact(disease, relation, untrue[random.Next(untrue.Length)]));
        }

        Fact[] passage = [.. facts];
        random.Shuffle<Fact>(passage);
        return passage;
    }

    // Arabic is a translation, but for what English does not tell.
    private Document Tell(TextForm form, Fact[] facts, TextLanguage language, NoisyTranslator translator, ref SplitMix64 random)
    {
        bool translated = language == TextLanguage.Arabic && facts.Any(fact => Told(fact) == ToldIn.Both);
        MedicalText text = MedicalWriter.Write(form, facts, translated ? TextLanguage.English : language, ref random);
        return DocumentOf(translated ? translator.Translate(text) : text, Split.Train);
    }

    private static Document DocumentOf(MedicalText text, Split split)
    {
        string domain = DomainOf(text.Language);
        return new Document($"{domain}/{text.Form.ToString().ToLowerInvariant()}/{text.Facts[0].Disease}", domain, split, text.Text);
    }
}
