// Everything that the runs of a mixing experiment share: what is known and told where, one tokenizer for both languages, the questions of
// the test, and those that may be trained on.

using System.Collections.Concurrent;
using PaperLab.Reinforcement;
using PaperLab.Text;
using PaperLab.Text.Medical;

namespace PaperLab.Papers;

/// <summary>What decides the data.</summary>
public sealed record MedicalDataOptions
{
    /// <summary>Diseases of the knowledge base that are taken.</summary>
    public required int Diseases { get; init; }

    /// <summary>Which diseases, who knows what, and which are held out.</summary>
    public required MedicalCorpusOptions Corpus { get; init; }

    /// <summary>Tokens of the one tokenizer.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Share of Arabic in the text that the tokenizer is trained on: below a half, an Arabic word costs more tokens than an English one.</summary>
    public double TokenizerArabicShare { get; init; } = 0.5;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Corpus.Validate();
        Require.AtLeast(Diseases, 4, nameof(Diseases));
        Require.That(TokenizerArabicShare is >= 0 and <= 1, nameof(TokenizerArabicShare), TokenizerArabicShare, "0 to 1");
    }
}

/// <summary>The data of an experiment; equal options give the same, made once in a process.</summary>
public sealed class MedicalData
{
    private const int TokenizerDocuments = 6000;
    private const ulong TokenizerSeed = 0x70C;

    // Each question is trained on in so many versions, with passages, cases and words of their own: one version of each would be learned by heart.
    private const int Versions = 20;

    // Facts are many, cases and passages about a disease few: the test has each of these in several versions.
    private const int TestVersions = 3;

    private static readonly ConcurrentDictionary<MedicalDataOptions, Lazy<MedicalData>> s_made = [];

    private readonly Lazy<BpeTokenizer> _tokenizer;
    private readonly Lazy<ILookup<TextLanguage, Lesson>> _questions;
    private readonly MedicalEntity[] _diseases;

    private MedicalData(MedicalDataOptions options)
    {
        options.Validate();
        Corpus = new MedicalCorpus(MedicalKnowledge.Load().Some(options.Diseases, options.Corpus.Seed), options.Corpus);
        _diseases = [.. Corpus.Knowledge.Of(EntityKind.Disease)];
        Test = [.. Enumerable.Range(1, TestVersions).SelectMany(version => Every(Split.HeldOut, version).Where(question => version == 1 || question.Task != MedicalTask.Recall))];
        _tokenizer = new Lazy<BpeTokenizer>(() => BpeTokenizer.Train(
            Corpus.Stream(new MedicalStreamOptions { ArabicShare = options.TokenizerArabicShare, Budget = TokenizerDocuments, Seed = TokenizerSeed }, Test).Select(document => document.Text),
            options.VocabularySize));
        _questions = new Lazy<ILookup<TextLanguage, Lesson>>(() => Enumerable.Range(1, Versions).SelectMany(version => Every(Split.Train, version))
            .ToLookup(question => question.Language, question => LessonOf(question.AsDocument().Text)));
    }

    /// <summary>What is known and told where.</summary>
    public MedicalCorpus Corpus { get; }

    /// <summary>The tokenizer of both languages.</summary>
    public BpeTokenizer Tokenizer => _tokenizer.Value;

    /// <summary>The questions of the test, of all tasks in both languages.</summary>
    public IReadOnlyList<MedicalQuestion> Test { get; }

    /// <summary>
    /// The questions that are put in one way, in the order of the test: as statements all versions, for that is the measure; the other ways
    /// are there to compare, and take the first of each.
    /// </summary>
    public IEnumerable<MedicalQuestion> Asked(Asking asked) =>
        (asked is Asking.AsStatement or Asking.TranslatedStatement ? Test : Test.DistinctBy(question => (question.Id, question.Language)))
            .Where(question => question.Language == TextLanguage.Arabic || asked is not (Asking.Translated or Asking.TranslatedStatement));

    /// <summary>A disease's place among those of the experiment.</summary>
    public int NumberOf(MedicalEntity disease) => Array.IndexOf(_diseases, disease);

    /// <summary>The data of these options.</summary>
    public static MedicalData Of(MedicalDataOptions options) => s_made.GetOrAdd(options, made => new Lazy<MedicalData>(() => new MedicalData(made))).Value;

    /// <summary>Tokens of a text, the one that ends it included.</summary>
    public int CountOf(string text) => Tokenizer.Encode(text).Length + 1;

    /// <summary>Tokens for each word of a language's documents.</summary>
    public double Fertility(TextLanguage language)
    {
        string domain = MedicalCorpus.DomainOf(language);
        Document[] documents = [.. Corpus.Stream(new MedicalStreamOptions { ArabicShare = 0.5, Budget = 1000, Seed = TokenizerSeed + 1 }, Test).Where(document => document.Domain == domain)];
        return documents.Sum(document => (double)Tokenizer.Encode(document.Text).Length) / documents.Sum(document => document.Text.Split(' ').Length);
    }

    /// <summary>The stream as lessons: documents, some of which give way to questions with their answers, in the same language.</summary>
    /// <param name="stream">The documents; its budget is in tokens.</param>
    /// <param name="questions">Share of the documents that give way.</param>
    internal IReadOnlyList<Lesson> Lessons(MedicalStreamOptions stream, double questions)
    {
        var random = new SplitMix64(StableHash.Mix(stream.Seed));
        var lessons = new List<Lesson>();
        Lesson[] english = [.. questions > 0 ? _questions.Value[TextLanguage.English] : []], arabic = [.. questions > 0 ? _questions.Value[TextLanguage.Arabic] : []];
        long left = stream.Budget;
        foreach (Document document in Corpus.Stream(stream, Test, CountOf))
        {
            Lesson[] asked = document.Domain == MedicalCorpus.English ? english : arabic;
            Lesson lesson = random.NextDouble() < questions && asked.Length > 0 ? asked[random.Next(asked.Length)] : LessonOf(document.Text);
            lessons.Add(lesson);
            left -= lesson.Completion.Length;
            if (left <= 0)
            {
                break;
            }
        }

        return lessons;
    }

    private Lesson LessonOf(string text) => new([Tokenizer.EndOfText], [.. Tokenizer.Encode(text), Tokenizer.EndOfText]);

    private IEnumerable<MedicalQuestion> Every(Split side, int version) =>
        Enum.GetValues<MedicalTask>().SelectMany(task => Enum.GetValues<TextLanguage>().SelectMany(language => MedicalQuestions.Build(Corpus, task, language, side, (ulong)version)));
}
