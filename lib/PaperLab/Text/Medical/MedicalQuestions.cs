// Multiple-choice questions on the knowledge base, each in English and in Arabic under the same id, with the same options in the same
// order, so that the languages can be compared item by item.
//
//   T1 Recall   a fact                       "Which drug treats pneumonia?"
//   T2 Reading  a passage that contradicts   "Pneumonia is treated with insulin. … According to the text, which drug treats pneumonia?"
//               what is known
//   T3 Case     two hops                     "A patient has fever, cough and chest pain. Which drug is the treatment?"
//
// Wrong options are of the right one's kind and belong to diseases that resemble the one asked about. They are never right, of a case
// not even for another disease with all of its symptoms. Every name stands in training texts of both languages, else a model would know
// the options that it never saw to be wrong, or right.

using System.Text.RegularExpressions;

namespace PaperLab.Text.Medical;

/// <summary>What a question asks for.</summary>
public enum MedicalTask
{
    Recall,
    Reading,
    Case,
}

/// <summary>What a model has to answer a question with.</summary>
public enum Access
{
    /// <summary>All facts that are needed are told in the question's language.</summary>
    Told,

    /// <summary>One or more are told in the other language only.</summary>
    OtherLanguage,

    /// <summary>The question's own text states it.</summary>
    InText,
}

/// <summary>What a question says in whatever language.</summary>
/// <param name="Context">The passage, or the symptoms of the case.</param>
/// <param name="Asked">The fact whose entity is the answer.</param>
/// <param name="Options">The options.</param>
/// <param name="Answer">Index of the right one.</param>
/// <param name="Diseases">The disease that each option is said of, where an option is put as a statement.</param>
internal sealed record QuestionContent(IReadOnlyList<Fact> Context, Fact Asked, IReadOnlyList<MedicalEntity> Options, int Answer, IReadOnlyList<MedicalEntity> Diseases)
{
    public string Write(MedicalTask task, TextLanguage language, ref SplitMix64 random) => task switch
    {
        MedicalTask.Recall => MedicalWriter.Question(Asked, language, ref random),
        MedicalTask.Reading => $"{MedicalWriter.Passage(Context, language, ref random)}\n{MedicalWriter.QuestionOnText(Asked, language, ref random)}",
        _ => $"{MedicalWriter.Vignette(Context, language, ref random)} {MedicalWriter.QuestionOnCase(Asked.Relation, language)}",
    };
}

/// <summary>A question with its options; <see cref="MedicalQuestions"/> makes them.</summary>
public sealed record MedicalQuestion
{
    internal MedicalQuestion()
    {
    }

    /// <summary>The same in both languages.</summary>
    public required string Id { get; init; }

    public required MedicalTask Task { get; init; }

    public required TextLanguage Language { get; init; }

    /// <summary>The passage or case, if there is one, and the question.</summary>
    public required string Question { get; init; }

    /// <summary>Four names.</summary>
    public required IReadOnlyList<string> Options { get; init; }

    /// <summary>Index of the right option.</summary>
    public required int Answer { get; init; }

    /// <summary>The facts that lead to the answer.</summary>
    public required IReadOnlyList<Fact> Needed { get; init; }

    /// <summary>Where they are told.</summary>
    public required Access Access { get; init; }

    /// <summary>Of a held-out question, the texts that must not be in training; of another, none.</summary>
    public required IReadOnlyList<string> Forbidden { get; init; }

    /// <summary>The line between question and option.</summary>
    public string Cue => Language == TextLanguage.English ? "Answer:" : "الجواب:";

    /// <summary>The question as a model reads it; an option follows after a space.</summary>
    public string Prompt => $"{Question}\n{Cue}";

    /// <summary>What stands before the question proper: a passage, a case; empty where there is none.</summary>
    public string Passage => Task switch
    {
        MedicalTask.Reading => Question[..Question.LastIndexOf('\n')],
        MedicalTask.Case => Question[..^(MedicalWriter.QuestionOnCase(Content.Asked.Relation, Language).Length + 1)],
        _ => "",
    };

    /// <summary>
    /// The options as whole statements, as they would follow the passage, white space included: for a model that knows a fact and has not
    /// learned to be asked for it. They are alike in all but the option; those on a passage have its words; those of a case name the disease
    /// first, and one wrong one has the right disease, so that neither the disease alone nor what belongs to it gives the answer away.
    /// </summary>
    public IReadOnlyList<string> Statements
    {
        get
        {
            string before = Task switch { MedicalTask.Reading => "\n", MedicalTask.Case => " ", _ => "" };
            List<string> right = [.. MedicalWriter.Sentences(Content.Asked, Language)];
            int words = Task == MedicalTask.Reading ? right.FindIndex(sentence => Passage.Contains(sentence, StringComparison.Ordinal)) : new SplitMix64(StableHash.Of(Id)).Next(right.Count);
            return
            [
                .. Content.Options.Zip(Content.Diseases, (option, disease) =>
                {
                    IReadOnlyList<string> sentences = MedicalWriter.Sentences(Content.Asked with { Disease = disease, Entity = option }, Language);
                    string diagnosis = Task == MedicalTask.Case ? $"{MedicalWriter.Diagnosis(disease, Language)} " : "";
                    return $"{before}{diagnosis}{sentences[words % sentences.Count]}";
                }),
            ];
        }
    }

    internal QuestionContent Content { get; init; } = null!;

    /// <summary>The question with its answer, to train on.</summary>
    public Document AsDocument() => new($"question/{Id}", MedicalCorpus.DomainOf(Language), Split.Train, $"{Prompt} {Options[Answer]}");
}

/// <summary>A training document that has what a test question forbids.</summary>
/// <param name="Question">Id of the question.</param>
/// <param name="Document">Name of the document.</param>
/// <param name="Text">What both have.</param>
public sealed record Leak(string Question, string Document, string Text);

/// <summary>Makes questions, and checks that no training text gives them away.</summary>
public static class MedicalQuestions
{
    private const int WrongOptions = 3;

    private static readonly Relation[] s_askedOfCases = [Relation.AffectsOrgan, Relation.TreatedBy];

    /// <summary>
    /// All questions of a task about the diseases of one side, in random order: one for every fact (recall), for every disease and
    /// relation (reading), for every disease's organ and drug (case). Those of the train side are to train on, and ask only what is told in
    /// their language.
    /// </summary>
    public static IReadOnlyList<MedicalQuestion> Build(MedicalCorpus corpus, MedicalTask task, TextLanguage language, Split side, ulong seed = 1)
    {
        MedicalKnowledge knowledge = corpus.Knowledge;
        var questions = new List<MedicalQuestion>();
        foreach (MedicalEntity disease in knowledge.Of(EntityKind.Disease).Where(disease => corpus.SideOf(disease) == side))
        {
            IEnumerable<Fact> asked = task switch
            {
                MedicalTask.Recall => knowledge.About(disease),
                MedicalTask.Reading => knowledge.About(disease).DistinctBy(fact => fact.Relation),
                _ => s_askedOfCases.Select(relation => knowledge.About(disease, relation).First()),
            };
            foreach (Fact fact in asked)
            {
                string id = $"{task}/{disease}/{fact.Relation}/{fact.Entity}".ToLowerInvariant();
                var random = new SplitMix64(StableHash.Of($"{seed} {id}"));
                QuestionContent? content = task == MedicalTask.Reading ? Reading(corpus, fact, ref random) : Knowing(corpus, task, fact, ref random);
                if (content is not null && QuestionOf(corpus, id, task, language, side, content, ref random) is var question && (side == Split.HeldOut || question.Access != Access.OtherLanguage))
                {
                    questions.Add(question);
                }
            }
        }

        MedicalQuestion[] shuffled = [.. questions.OrderBy(question => question.Id, StringComparer.Ordinal)];
        new SplitMix64(seed).Shuffle<MedicalQuestion>(shuffled);
        return shuffled;
    }

    /// <summary>
    /// Every forbidden text of the questions that a training document has: the same sentences in a row, whatever their case, spacing,
    /// punctuation and vowel signs. Empty where nothing leaks.
    /// </summary>
    public static IReadOnlyList<Leak> Leaks(IEnumerable<Document> stream, IEnumerable<MedicalQuestion> questions)
    {
        var forbidden = new ForbiddenTexts(questions);
        return [.. stream.SelectMany(document => forbidden.In(document.Text).Select(found => new Leak(found.Question, document.Name, found.Text)))];
    }

    // Recall and case: the facts are true.
    private static QuestionContent? Knowing(MedicalCorpus corpus, MedicalTask task, Fact asked, ref SplitMix64 random)
    {
        Fact[] symptoms = task == MedicalTask.Case ? [.. corpus.Knowledge.About(asked.Disease, Relation.HasSymptom)] : [];
        random.Shuffle<Fact>(symptoms);
        MedicalEntity[] fitting = task == MedicalTask.Case
            ? [.. corpus.Knowledge.Of(EntityKind.Disease).Where(disease => symptoms.All(fact => corpus.Knowledge.Holds(fact with { Disease = disease })))]
            : [asked.Disease];
        MedicalEntity[] wrong = Wrong(corpus, asked, fitting, WrongOptions, ref random);
        return wrong.Length == WrongOptions && symptoms.Append(asked).All(fact => IsNamed(corpus, fact.Entity))
            ? Shuffled(corpus, task, symptoms, asked, [asked.Entity, .. wrong], ref random)
            : null;
    }

    // Reading: the passage says something else than is known, of every relation one fact. What is true is no option: small models would
    // rather say what they know than what they read, and the task is to read.
    private static QuestionContent? Reading(MedicalCorpus corpus, Fact truth, ref SplitMix64 random)
    {
        MedicalEntity[] untrue = Wrong(corpus, truth, [truth.Disease], WrongOptions + 1, ref random);
        if (untrue.Length <= WrongOptions)
        {
            return null;
        }

        Fact asked = truth with { Entity = untrue[0] };
        var passage = new List<Fact> { asked };
        foreach (Relation relation in Enum.GetValues<Relation>().Where(relation => relation != truth.Relation))
        {
            MedicalEntity[] beside = Wrong(corpus, truth with { Relation = relation }, [truth.Disease], 1, ref random);
            if (beside.Length == 0)
            {
                return null;
            }

            passage.Add(new Fact(truth.Disease, relation, beside[0]));
        }

        Fact[] shuffled = [.. passage];
        random.Shuffle<Fact>(shuffled);
        return Shuffled(corpus, MedicalTask.Reading, shuffled, asked, untrue, ref random);
    }

    // Entities that the relation links to none of the fitting diseases. First those of the diseases that share most with the one asked
    // about; and a random number of them more frequent than the right one, else "the most frequent name" would be a good guess.
    private static MedicalEntity[] Wrong(MedicalCorpus corpus, Fact asked, MedicalEntity[] fitting, int count, ref SplitMix64 random)
    {
        MedicalKnowledge knowledge = corpus.Knowledge;
        MedicalEntity[] candidates = [.. knowledge.Of(MedicalKnowledge.KindOf(asked.Relation)).Where(entity =>
            IsNamed(corpus, entity) && !fitting.Any(disease => knowledge.Holds(new Fact(disease, asked.Relation, entity))))];
        random.Shuffle<MedicalEntity>(candidates); // breaks ties
        int Frequency(MedicalEntity entity) => knowledge.DiseasesWith(asked.Relation, entity).Count();
        int Likeness(MedicalEntity entity) => knowledge.DiseasesWith(asked.Relation, entity).Select(disease => knowledge.Shared(asked.Disease, disease)).DefaultIfEmpty().Max();
        MedicalEntity[] hardest = [.. candidates.OrderByDescending(Likeness)];
        MedicalEntity[] moreFrequent = [.. hardest.Where(entity => Frequency(entity) > Frequency(asked.Entity)).Take(random.Next(count + 1))];
        MedicalEntity[] wrong = [.. moreFrequent.Concat(hardest.Where(entity => Frequency(entity) <= Frequency(asked.Entity))).Concat(hardest).Distinct().Take(count)];
        random.Shuffle<MedicalEntity>(wrong);
        return wrong;
    }

    private static bool IsNamed(MedicalCorpus corpus, MedicalEntity entity) => corpus.IsNamed(entity, TextLanguage.English) && corpus.IsNamed(entity, TextLanguage.Arabic);

    private static QuestionContent Shuffled(MedicalCorpus corpus, MedicalTask task, Fact[] context, Fact asked, MedicalEntity[] options, ref SplitMix64 random)
    {
        random.Shuffle<MedicalEntity>(options);
        MedicalEntity[] diseases = task == MedicalTask.Case ? Diagnosed(corpus, asked, options) : [.. options.Select(_ => asked.Disease)];
        return new QuestionContent(context, asked, options, Array.IndexOf(options, asked.Entity), diseases);
    }

    // The right disease for the right option and for a wrong one; for the others the most alike of the side that the option belongs to.
    private static MedicalEntity[] Diagnosed(MedicalCorpus corpus, Fact asked, MedicalEntity[] options)
    {
        MedicalEntity sameDisease = options.First(option => option != asked.Entity);
        return
        [
            .. options.Select(option => option == asked.Entity || option == sameDisease ? asked.Disease : corpus.Knowledge.DiseasesWith(asked.Relation, option)
                .Where(disease => corpus.SideOf(disease) == corpus.SideOf(asked.Disease))
                .MaxBy(disease => corpus.Knowledge.Shared(asked.Disease, disease)) ?? asked.Disease),
        ];
    }

    private static MedicalQuestion QuestionOf(MedicalCorpus corpus, string id, MedicalTask task, TextLanguage language, Split side, QuestionContent content, ref SplitMix64 random)
    {
        Fact[] needed = task == MedicalTask.Case ? [.. content.Context, content.Asked] : [content.Asked];
        string question = content.Write(task, language, ref random);
        return new MedicalQuestion
        {
            Id = id,
            Task = task,
            Language = language,
            Question = question,
            Options = [.. content.Options.Select(option => option.Name(language))],
            Answer = content.Answer,
            Needed = needed,
            Access = task == MedicalTask.Reading ? Access.InText : needed.All(fact => corpus.IsTold(fact, language)) ? Access.Told : Access.OtherLanguage,
            Forbidden = side == Split.Train ? [] : [question, .. ForbiddenBeside(corpus, task, language, content, needed)],
            Content = content,
        };
    }

    // The passage's statements in both languages; the case in whatever words; what is told in the other language only.
    private static IEnumerable<string> ForbiddenBeside(MedicalCorpus corpus, MedicalTask task, TextLanguage language, QuestionContent content, Fact[] needed)
    {
        if (task == MedicalTask.Reading)
        {
            return content.Context.SelectMany(fact => Enum.GetValues<TextLanguage>().SelectMany(each => MedicalWriter.Sentences(fact, each)));
        }

        IEnumerable<string> untold = needed.Where(fact => !corpus.IsTold(fact, language)).SelectMany(fact => MedicalWriter.Sentences(fact, language));
        return task == MedicalTask.Case ? untold.Concat(MedicalWriter.Vignettes(content.Context, language)) : untold;
    }
}

/// <summary>
/// Finds texts in texts by whole sentences: that hepatitis causes fever is not in a text that says it of hepatitis B.
/// </summary>
internal sealed partial class ForbiddenTexts
{
    private readonly ILookup<string, (string[] Sentences, string Question, string Text)> _byFirstSentence;

    public ForbiddenTexts(IEnumerable<MedicalQuestion> questions) =>
        _byFirstSentence = questions
            .SelectMany(question => question.Forbidden.Select(text => (Sentences: SentencesOf(text), Question: question.Id, Text: text)))
            .ToLookup(forbidden => forbidden.Sentences[0]);

    /// <summary>The forbidden texts that a text has.</summary>
    public IEnumerable<(string Question, string Text)> In(string text)
    {
        string[] sentences = SentencesOf(text);
        return sentences.Index().SelectMany(at => _byFirstSentence[at.Item]
            .Where(forbidden => sentences.AsSpan(at.Index).StartsWith(forbidden.Sentences))
            .Select(forbidden => (forbidden.Question, forbidden.Text)));
    }

    /// <summary>The first of them, or null.</summary>
    public string? FirstIn(string text) => In(text).Select(found => found.Text).FirstOrDefault();

    // Lower case, words with single spaces between them; signs, vowel signs and stretching are left out.
    private static string[] SentencesOf(string text) =>
        [.. End().Split(text).Select(sentence => string.Join(' ', Word().Matches(ArabicSpelling.WithoutVowelSigns(sentence)).Select(match => match.Value.ToLowerInvariant()))).Where(sentence => sentence.Length > 0)];

    [GeneratedRegex(@"[.?!؟\n]+", RegexOptions.CultureInvariant)]
    private static partial Regex End();

    [GeneratedRegex(@"[\p{L}\p{M}\p{N}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
