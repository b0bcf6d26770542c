// From facts to sentences, by templates, in English and Modern Standard Arabic.
//
// In a template, {D} is the disease, {E} the entity, {S} a list of entities; in Arabic these are definite, {d} {e} {S} indefinite, and a
// preposition that is written with its noun stands inside: {بD}, {لD}. {يصيب|تصيب:D} agrees with the disease, masculine or feminine, and
// {affects|affect:D} singular or plural; {…|…:P} agrees with the patient, of whatever age, in both languages.

using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace PaperLab.Text.Medical;

/// <summary>How a text puts its facts.</summary>
public enum TextForm
{
    /// <summary>A sentence for each fact, in their order.</summary>
    Statements,

    /// <summary>A sentence for each fact, and below it the same facts again in another order, some of them in other words: what is said can be read off.</summary>
    Reading,

    /// <summary>A patient with the symptoms, then the disease, then a sentence for each other fact. All facts are of one disease, its symptoms first.</summary>
    Case,
}

/// <summary>A text with what it says.</summary>
public sealed record MedicalText(TextForm Form, IReadOnlyList<Fact> Facts, TextLanguage Language, string Text);

/// <summary>Writes facts, cases and questions. The generator decides the templates, and whether a patient is a man or a woman.</summary>
public static partial class MedicalWriter
{
    private static readonly FrozenDictionary<(Relation, TextLanguage), string[]> s_statements = new Dictionary<(Relation, TextLanguage), string[]>
    {
        [(Relation.AffectsOrgan, TextLanguage.English)] =
        [
            "{D} {affects|affect:D} the {E}.",
            "{D} mainly {involves|involve:D} the {E}.",
            "{D} {is|are:D} a disease of the {E}.",
            "The {E} {is|are:E} affected in {D}.",
            "The {E} {is|are:E} the main site of {D}.",
            "Patients with {D} have a disorder of the {E}.",
        ],
        [(Relation.AffectsOrgan, TextLanguage.Arabic)] =
        [
            "{يصيب|تصيب:D} {D} {E}.",
            "{D} مرض يصيب {E}.",
            "{يتأثر|تتأثر:E} {E} عند الإصابة {بD}.",
            "العضو الذي {يصيبه|تصيبه:D} {D} هو {E}.",
            "{يؤثر|تؤثر:D} {D} في {E} بصورة رئيسية.",
            "{يعد|تعد:E} {E} الموضع الرئيسي {لD}.",
            "{يعاني المريض المصاب|تعاني المريضة المصابة:P} {بD} من اضطراب في {E}.",
        ],
        [(Relation.HasSymptom, TextLanguage.English)] =
        [
            "{E} {is|are:E} a symptom of {D}.",
            "{D} {causes|cause:D} {E}.",
            "A typical sign of {D} is {E}.",
            "Patients with {D} often have {E}.",
            "{E} {occurs|occur:E} in {D}.",
            "{D} often {presents|present:D} with {E}.",
        ],
        [(Relation.HasSymptom, TextLanguage.Arabic)] =
        [
            "{E} من أعراض {D}.",
            "{يسبب|تسبب:D} {D} {E}.",
            "قد {يؤدي|تؤدي:D} {D} إلى {E}.",
            "{يظهر|تظهر:E} {E} عند المصابين {بD}.",
            "{يصاحب|تصاحب:E} {E} {D} في كثير من الحالات.",
            "{يشكو المريض المصاب|تشكو المريضة المصابة:P} {بD} من {e}.",
        ],
        [(Relation.TreatedBy, TextLanguage.English)] =
        [
            "{E} {treats|treat:E} {D}.",
            "{D} {is|are:D} treated with {E}.",
            "{E} {is|are:E} used against {D}.",
            "Doctors prescribe {E} for {D}.",
            "Patients with {D} are often given {E}.",
            "The treatment of {D} includes {E}.",
        ],
        [(Relation.TreatedBy, TextLanguage.Arabic)] =
        [
            "{يعالج|تعالج:D} {D} {بE}.",
            "{يستخدم|تستخدم:E} {E} لعلاج {D}.",
            "{E} من الأدوية المستخدمة في علاج {D}.",
            "يصف الأطباء {E} للمصابين {بD}.",
            "يشمل علاج {D} استعمال {E}.",
            "{يتلقى المريض المصاب|تتلقى المريضة المصابة:P} {بD} دواء {E}.",
        ],
        [(Relation.RiskFactor, TextLanguage.English)] =
        [
            "{E} {raises|raise:E} the risk of {D}.",
            "{E} {is|are:E} a risk factor for {D}.",
            "{D} {is|are:D} more common with {E}.",
            "The risk of {D} grows with {E}.",
            "{E} {makes|make:E} {D} more likely.",
            "A known risk factor for {D} is {E}.",
        ],
        [(Relation.RiskFactor, TextLanguage.Arabic)] =
        [
            "{يزيد|تزيد:E} {E} من خطر الإصابة {بD}.",
            "{E} من عوامل خطر الإصابة {بD}.",
            "{يعد|تعد:E} {E} عاملا مهما في الإصابة {بD}.",
            "يرتفع خطر الإصابة {بD} مع {E}.",
            "{يكثر|تكثر:D} {D} مع {E}.",
            "تزداد احتمالات الإصابة {بD} بسبب {E}.",
        ],
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<TextLanguage, string[]> s_vignettes = new Dictionary<TextLanguage, string[]>
    {
        [TextLanguage.English] =
        [
            "A patient has {S}.",
            "A patient complains of {S}.",
            "A {male|female:P} patient comes to the clinic with {S}.",
            "A doctor examines a {male|female:P} patient with {S}.",
            "A {male|female:P} patient is admitted to hospital with {S}.",
        ],
        [TextLanguage.Arabic] =
        [
            "{مريض يعاني|مريضة تعاني:P} من {S}.",
            "{يشكو مريض|تشكو مريضة:P} من {S}.",
            "{أصيب مريض|أصيبت مريضة:P} {بS}.",
            "{حضر مريض|حضرت مريضة:P} إلى العيادة بسبب {S}.",
            "فحص الطبيب {مريضا يعاني|مريضة تعاني:P} من {S}.",
        ],
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<TextLanguage, string[]> s_diagnoses = new Dictionary<TextLanguage, string[]>
    {
        [TextLanguage.English] = ["The diagnosis is {D}.", "The cause is {D}.", "The doctor diagnoses {D}.", "The patient has {D}."],
        [TextLanguage.Arabic] = ["التشخيص هو {D}.", "السبب هو {D}.", "أظهر الفحص {إصابته|إصابتها:P} {بD}.", "{المريض مصاب|المريضة مصابة:P} {بD}."],
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<(Relation, TextLanguage), string[]> s_questions = new Dictionary<(Relation, TextLanguage), string[]>
    {
        [(Relation.AffectsOrgan, TextLanguage.English)] = ["Which organ {does|do:D} {D} affect?", "Which organ is the main site of {D}?"],
        [(Relation.AffectsOrgan, TextLanguage.Arabic)] = ["ما العضو الذي {يصيبه|تصيبه:D} {D}؟", "أي عضو يتأثر عند الإصابة {بD}؟"],
        [(Relation.HasSymptom, TextLanguage.English)] = ["Which symptom {does|do:D} {D} cause?", "Which of these is a symptom of {D}?"],
        [(Relation.HasSymptom, TextLanguage.Arabic)] = ["ما العرض الذي {يسببه|تسببه:D} {D}؟", "أي مما يلي من أعراض {D}؟"],
        [(Relation.TreatedBy, TextLanguage.English)] = ["Which drug treats {D}?", "Which drug {is|are:D} {D} treated with?"],
        [(Relation.TreatedBy, TextLanguage.Arabic)] = ["ما الدواء المستخدم لعلاج {D}؟", "بأي دواء {يعالج|تعالج:D} {D}؟"],
        [(Relation.RiskFactor, TextLanguage.English)] = ["What raises the risk of {D}?", "Which of these is a risk factor for {D}?"],
        [(Relation.RiskFactor, TextLanguage.Arabic)] = ["ما الذي يزيد من خطر الإصابة {بD}؟", "أي مما يلي من عوامل خطر الإصابة {بD}؟"],
    }.ToFrozenDictionary();

    // After a case: the disease is not named. Only these two are asked.
    private static readonly FrozenDictionary<(Relation, TextLanguage), string> s_caseQuestions = new Dictionary<(Relation, TextLanguage), string>
    {
        [(Relation.AffectsOrgan, TextLanguage.English)] = "Which organ is affected?",
        [(Relation.AffectsOrgan, TextLanguage.Arabic)] = "ما العضو المصاب؟",
        [(Relation.TreatedBy, TextLanguage.English)] = "Which drug is the treatment?",
        [(Relation.TreatedBy, TextLanguage.Arabic)] = "ما الدواء المناسب للعلاج؟",
    }.ToFrozenDictionary();

    // Words whose first two letters are of the root and not the article.
    private static readonly FrozenSet<string> s_noArticle = ["التهاب", "التهابات", "التواء", "التصاق", "التصاقات", "التحام", "التفاف", "التئام"];

    /// <summary>A text of these facts.</summary>
    public static MedicalText Write(TextForm form, IReadOnlyList<Fact> facts, TextLanguage language, ref SplitMix64 random) =>
        new(form, facts, language, form switch
        {
            TextForm.Case => Case(facts, language, ref random),
            TextForm.Reading => Reading(facts, language, ref random),
            _ => Passage(facts, language, ref random),
        });

    /// <summary>One fact in one sentence.</summary>
    public static string Sentence(Fact fact, TextLanguage language, ref SplitMix64 random) =>
        Fill(Pick(s_statements[(fact.Relation, language)], ref random), language, fact.Disease, [fact.Entity], PatientOf(fact.Disease, ref random));

    /// <summary>Every sentence that <see cref="Sentence"/> can write of a fact.</summary>
    public static IReadOnlyList<string> Sentences(Fact fact, TextLanguage language) =>
        All(s_statements[(fact.Relation, language)], language, fact.Disease, [fact.Entity]);

    /// <summary>Facts in their order, a sentence each.</summary>
    public static string Passage(IReadOnlyList<Fact> facts, TextLanguage language, ref SplitMix64 random)
    {
        string[] sentences = new string[facts.Count];
        for (int i = 0; i < sentences.Length; i++)
        {
            sentences[i] = Sentence(facts[i], language, ref random);
        }

        return string.Join(' ', sentences);
    }

    /// <summary>Facts in their order, and on a second line all of them again, as they come: half of them in the same words.</summary>
    public static string Reading(IReadOnlyList<Fact> facts, TextLanguage language, ref SplitMix64 random)
    {
        string[] sentences = new string[facts.Count], again = new string[facts.Count];
        for (int i = 0; i < facts.Count; i++)
        {
            sentences[i] = Sentence(facts[i], language, ref random);
            again[i] = random.Next(2) == 0 ? sentences[i] : Sentence(facts[i], language, ref random);
        }

        random.Shuffle<string>(again);
        return $"{string.Join(' ', sentences)}\n{string.Join(' ', again)}";
    }

    /// <summary>A patient with these symptoms, in their order; the disease is not named.</summary>
    public static string Vignette(IReadOnlyList<Fact> symptoms, TextLanguage language, ref SplitMix64 random) =>
        Fill(Pick(s_vignettes[language], ref random), language, symptoms[0].Disease, EntitiesOf(symptoms), PatientOf(symptoms[0].Disease, ref random));

    /// <summary>Every sentence that <see cref="Vignette"/> can write of these symptoms.</summary>
    public static IReadOnlyList<string> Vignettes(IReadOnlyList<Fact> symptoms, TextLanguage language) =>
        All(s_vignettes[language], language, symptoms[0].Disease, EntitiesOf(symptoms));

    /// <summary>A patient with a disease's symptoms, the disease, and what else is said of it.</summary>
    public static string Case(IReadOnlyList<Fact> facts, TextLanguage language, ref SplitMix64 random)
    {
        MedicalEntity disease = facts[0].Disease;
        Gender patient = PatientOf(disease, ref random);
        Fact[] symptoms = [.. facts.TakeWhile(fact => fact.Relation == Relation.HasSymptom)];
        string template = $"{Pick(s_vignettes[language], ref random)} {Pick(s_diagnoses[language], ref random)}";
        string text = Fill(template, language, disease, EntitiesOf(symptoms), patient);
        return symptoms.Length == facts.Count ? text : $"{text} {Passage([.. facts.Skip(symptoms.Length)], language, ref random)}";
    }

    /// <summary>What a case comes to: the disease is named.</summary>
    public static string Diagnosis(MedicalEntity disease, TextLanguage language) => Fill(s_diagnoses[language][0], language, disease, [], Gender.Masculine);

    /// <summary>Asks for the entity of a fact.</summary>
    public static string Question(Fact fact, TextLanguage language, ref SplitMix64 random) =>
        Fill(Pick(s_questions[(fact.Relation, language)], ref random), language, fact.Disease, [], Gender.Masculine);

    /// <summary>The same of what a text says, which stands before it.</summary>
    public static string QuestionOnText(Fact fact, TextLanguage language, ref SplitMix64 random)
    {
        string question = Question(fact, language, ref random);
        return language == TextLanguage.English ? $"According to the text, {char.ToLowerInvariant(question[0])}{question[1..]}" : $"وفقا للنص، {question}";
    }

    /// <summary>Asks for the organ or the drug of a case, which stands before it.</summary>
    /// <exception cref="ArgumentException">The relation is another one.</exception>
    public static string QuestionOnCase(Relation relation, TextLanguage language)
    {
        Require.That(s_caseQuestions.TryGetValue((relation, language), out string? question), nameof(relation), relation, $"{Relation.AffectsOrgan} and {Relation.TreatedBy}");
        return question!;
    }

    /// <summary>An entity's names side by side: <c>fever: حمى</c>, or the other way round.</summary>
    public static string Glossary(MedicalEntity entity, ref SplitMix64 random) =>
        random.Next(2) == 0 ? $"{entity.English}: {entity.Arabic}" : $"{entity.Arabic}: {entity.English}";

    /// <summary>Statement templates, for tests.</summary>
    internal static IReadOnlyList<string> TemplatesOf(Relation relation, TextLanguage language) => s_statements[(relation, language)];

    private static string Pick(string[] templates, ref SplitMix64 random) => templates[random.Next(templates.Length)];

    private static Gender PatientOf(MedicalEntity disease, ref SplitMix64 random)
    {
        var drawn = (Gender)random.Next(2); // always drawn: a disease of women must not shift the numbers after it
        return disease.Patient ?? drawn;
    }

    private static MedicalEntity[] EntitiesOf(IReadOnlyList<Fact> facts) => [.. facts.Select(fact => fact.Entity)];

    private static string[] All(string[] templates, TextLanguage language, MedicalEntity disease, MedicalEntity[] entities)
    {
        Gender[] patients = disease.Patient is { } one ? [one] : [Gender.Masculine, Gender.Feminine];
        return [.. templates.SelectMany(template => patients.Select(patient => Fill(template, language, disease, entities, patient))).Distinct()];
    }

    private static string Fill(string template, TextLanguage language, MedicalEntity disease, MedicalEntity[] entities, Gender patient)
    {
        bool Second(char slot) => slot switch // of the two forms
        {
            'P' => patient == Gender.Feminine,
            _ when language == TextLanguage.English => (slot == 'D' ? disease : entities[0]).IsPlural,
            _ => (slot == 'D' ? disease : entities[0]).Gender == Gender.Feminine,
        };

        string text = Slot().Replace(template, match =>
        {
            char slot = match.Groups["slot"].Value[0];
            if (match.Groups["first"].Success)
            {
                return match.Groups[Second(slot) ? "second" : "first"].Value;
            }

            string name = (slot, language) switch
            {
                ('D', _) => disease.Name(language),
                ('E', _) => entities[0].Name(language),
                ('S', TextLanguage.English) => string.Join(" and ", new[] { string.Join(", ", entities[..^1].Select(entity => entity.English)), entities[^1].English }.Where(part => part.Length > 0)),
                ('S', _) => string.Join(" و", entities.Select(entity => entity.Arabic)),
                _ => entities[0].Arabic,
            };
            return WithPreposition(match.Groups["preposition"].Value, name);
        });
        return language == TextLanguage.English ? $"{char.ToUpperInvariant(text[0])}{text[1..]}" : text;
    }

    /// <summary>ب and ل are written with their noun; after ل the article loses its alef, and of three lams two are written.</summary>
    internal static string WithPreposition(string preposition, string phrase)
    {
        return preposition != "ل" || !HasArticle(phrase) ? preposition + phrase
            : phrase.StartsWith("الل", StringComparison.Ordinal) ? $"ل{phrase[2..]}"
            : $"لل{phrase[2..]}";
    }

    /// <summary>Whether a phrase's first word begins with the article.</summary>
    internal static bool HasArticle(string phrase) => phrase.StartsWith("ال", StringComparison.Ordinal) && !s_noArticle.Contains(phrase.Split(' ')[0]);

    [GeneratedRegex(@"\{(?:(?<first>[^{}|]+)\|(?<second>[^{}|]+):(?<slot>[DEP])|(?<preposition>[بل]?)(?<slot>[DEeS]))\}", RegexOptions.CultureInvariant)]
    private static partial Regex Slot();
}
