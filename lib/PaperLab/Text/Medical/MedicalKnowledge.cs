// A medical knowledge base in English and Arabic: diseases, and what they are linked to. The links are the facts that a model learns;
// names are given in both languages, with what a sentence needs to know of them. A study of language models, not medical advice.
//
// The file (data/medical/knowledge.json) has five lists. "organs", "symptoms", "drugs" and "risks" hold entities:
//   {"id": "lung", "en": "lung", "ar": "رئة", "arDef": "الرئة", "gender": "f"}
// "diseases" hold, beside these fields, what they are linked to, by id:
//   "organ": "lung", "symptoms": ["cough", …], "drugs": ["amoxicillin", …], "risks": ["smoking", …]

using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaperLab.Text.Medical;

/// <summary>A language of the knowledge base.</summary>
public enum TextLanguage
{
    English,
    Arabic,
}

/// <summary>What an entity is.</summary>
public enum EntityKind
{
    Organ,
    Symptom,
    Drug,
    Risk,
    Disease,
}

/// <summary>The gender of an Arabic noun, or of a patient.</summary>
public enum Gender
{
    Masculine,
    Feminine,
}

/// <summary>What a fact says of its disease.</summary>
public enum Relation
{
    AffectsOrgan,
    HasSymptom,
    TreatedBy,
    RiskFactor,
}

/// <summary>A disease, or something that diseases are linked to.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">Its name in the file, unlike any other.</param>
/// <param name="English">A noun phrase without article, in lower case but for names.</param>
/// <param name="Arabic">The indefinite phrase, without vowel signs.</param>
/// <param name="ArabicDefinite">The definite phrase.</param>
/// <param name="Gender">Of the Arabic phrase's head.</param>
public sealed partial record MedicalEntity(EntityKind Kind, string Id, string English, string Arabic, string ArabicDefinite, Gender Gender)
{
    // End in s as plurals do; -ss, -us and -is never mark a plural here.
    private static readonly FrozenSet<string> s_singular = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "AIDS", "ascites", "caries", "diabetes", "herpes", "measles", "mumps", "pancreas", "rabies", "rickets", "scabies", "shingles");

    /// <summary>Whether the English phrase takes a plural verb.</summary>
    public bool IsPlural { get; } = PluralOf(English);

    /// <summary>The patients' gender, of a disease that only men or only women have as it stands here; else null.</summary>
    public Gender? Patient { get; init; }

    /// <summary>Its name where it stands alone, such as an answer.</summary>
    public string Name(TextLanguage language) => language == TextLanguage.English ? English : ArabicDefinite;

    /// <summary>Entities are the same where their ids are.</summary>
    public bool Equals(MedicalEntity? other) => other?.Id == Id;

    /// <inheritdoc/>
    public override int GetHashCode() => Id.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Id;

    private static bool PluralOf(string english)
    {
        string head = Complement().Split(english)[0].Split(' ')[^1];
        return head.EndsWith("ae", StringComparison.Ordinal)
            || (head.EndsWith('s') && !s_singular.Contains(head) && head[..^1] is { Length: > 0 } stem && stem[^1] is not ('s' or 'u' or 'i'));
    }

    // "shortness of breath": the head stands before the preposition.
    [GeneratedRegex(" (?:of|in|with|on|after|from|to|at|for|during) ", RegexOptions.CultureInvariant)]
    private static partial Regex Complement();
}

/// <summary>One statement about a disease.</summary>
/// <param name="Disease">The disease.</param>
/// <param name="Relation">What is said of it.</param>
/// <param name="Entity">An organ, symptom, drug or risk, as the relation asks for.</param>
public sealed record Fact(MedicalEntity Disease, Relation Relation, MedicalEntity Entity)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Disease} {Relation} {Entity}";
}

/// <summary>The knowledge base.</summary>
public sealed partial class MedicalKnowledge
{
    private const string Resource = "medical/knowledge.json";

    private static readonly (string List, EntityKind Kind)[] s_lists =
        [("organs", EntityKind.Organ), ("symptoms", EntityKind.Symptom), ("drugs", EntityKind.Drug), ("risks", EntityKind.Risk), ("diseases", EntityKind.Disease)];

    private static readonly (string Field, Relation Relation, int Fewest, int Most)[] s_links =
        [("symptoms", Relation.HasSymptom, 3, 5), ("drugs", Relation.TreatedBy, 1, 3), ("risks", Relation.RiskFactor, 1, 3)];

    private readonly ILookup<EntityKind, MedicalEntity> _byKind;
    private readonly ILookup<MedicalEntity, Fact> _byDisease;
    private readonly ILookup<(Relation, MedicalEntity), MedicalEntity> _diseases;
    private readonly HashSet<Fact> _facts;
    private readonly Dictionary<(MedicalEntity, MedicalEntity), int> _shared;

    private MedicalKnowledge(IReadOnlyList<MedicalEntity> entities, IReadOnlyList<Fact> facts)
    {
        (Entities, Facts) = (entities, facts);
        _byKind = entities.ToLookup(entity => entity.Kind);
        _byDisease = facts.ToLookup(fact => fact.Disease);
        _diseases = facts.ToLookup(fact => (fact.Relation, fact.Entity), fact => fact.Disease);
        _facts = [.. facts];
        _shared = _diseases.SelectMany(linked => linked.SelectMany(a => linked.Select(b => (a, b)))).CountBy(pair => pair).ToDictionary();
    }

    /// <summary>All entities, in the file's order.</summary>
    public IReadOnlyList<MedicalEntity> Entities { get; }

    /// <summary>All facts, disease by disease.</summary>
    public IReadOnlyList<Fact> Facts { get; }

    /// <summary>The kind of entity that a relation links a disease to.</summary>
    public static EntityKind KindOf(Relation relation) => relation switch
    {
        Relation.AffectsOrgan => EntityKind.Organ,
        Relation.HasSymptom => EntityKind.Symptom,
        Relation.TreatedBy => EntityKind.Drug,
        _ => EntityKind.Risk,
    };

    /// <summary>The entities of one kind.</summary>
    public IEnumerable<MedicalEntity> Of(EntityKind kind) => _byKind[kind];

    /// <summary>The facts about a disease.</summary>
    public IEnumerable<Fact> About(MedicalEntity disease) => _byDisease[disease];

    /// <summary>The facts of one relation about a disease.</summary>
    public IEnumerable<Fact> About(MedicalEntity disease, Relation relation) => _byDisease[disease].Where(fact => fact.Relation == relation);

    /// <summary>The diseases that a relation links to an entity.</summary>
    public IEnumerable<MedicalEntity> DiseasesWith(Relation relation, MedicalEntity entity) => _diseases[(relation, entity)];

    /// <summary>Whether a statement is one of the facts.</summary>
    public bool Holds(Fact fact) => _facts.Contains(fact);

    /// <summary>How many organs, symptoms, drugs and risks two diseases have in common.</summary>
    public int Shared(MedicalEntity a, MedicalEntity b) => _shared.GetValueOrDefault((a, b));

    /// <summary>A knowledge base of some of the diseases, and of what they are linked to.</summary>
    /// <param name="diseases">How many; all where there are no more.</param>
    /// <param name="seed">Which.</param>
    public MedicalKnowledge Some(int diseases, ulong seed)
    {
        Require.AtLeast(diseases, 1, nameof(diseases));
        MedicalEntity[] all = [.. Of(EntityKind.Disease)];
        new SplitMix64(seed).Shuffle<MedicalEntity>(all);
        HashSet<MedicalEntity> kept = [.. all.Take(diseases)];
        Fact[] facts = [.. Facts.Where(fact => kept.Contains(fact.Disease))];
        kept.UnionWith(facts.Select(fact => fact.Entity));
        return new MedicalKnowledge([.. Entities.Where(kept.Contains)], facts);
    }

    /// <summary>The knowledge base that this library carries.</summary>
    public static MedicalKnowledge Load()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)!);
        return Parse(reader.ReadToEnd(), Resource);
    }

    /// <summary>Reads a file of the same form.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not as expected; the message names file, entity, field, what was found and what is expected.</exception>
    public static MedicalKnowledge Read(string path) => File.Exists(path)
        ? Parse(File.ReadAllText(path), path)
        : throw new FileNotFoundException($"{path} does not exist. Give a file in the form of data/medical/knowledge.json, or call {nameof(Load)} for the one that is built in.", path);

    internal static MedicalKnowledge Parse(string json, string source)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return new Reader(source).Read(document.RootElement);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{source} is no JSON: {error.Message}", error);
        }
    }

    // Reads and checks; every error names the file and, where there is one, the entity and its field.
    private sealed partial class Reader(string source)
    {
        private readonly Dictionary<string, MedicalEntity> _byId = [];
        private readonly Dictionary<(EntityKind, string Field, string Name), string> _idByName = [];
        private readonly Dictionary<string, string> _diseaseBySymptoms = [];
        private readonly List<Fact> _facts = [];

        public MedicalKnowledge Read(JsonElement root)
        {
            foreach ((string list, EntityKind kind) in s_lists)
            {
                JsonElement[] entries = ListOf(root, list, source);
                for (int i = 0; i < entries.Length; i++)
                {
                    AddEntity(entries[i], kind, $"{source}: entry {i + 1} of '{list}'");
                }
            }

            return new MedicalKnowledge([.. _byId.Values], _facts);
        }

        private void AddEntity(JsonElement entry, EntityKind kind, string place)
        {
            string id = TextOf(entry, "id", place);
            string where = $"{source}: {kind.ToString().ToLowerInvariant()} '{id}'";
            Check(IdForm().IsMatch(id), where, "id", id, "lower-case ASCII letters and digits, with hyphens between them");
            Check(!_byId.ContainsKey(id), where, "id", id, $"an id that nothing else has; one of the kind {_byId.GetValueOrDefault(id)?.Kind} has it");
            string english = TextOf(entry, "en", where);
            Check(!english.Any(letter => letter is >= '\u0600' and <= '\u06FF'), where, "en", english, "no Arabic letters");
            Check(!Article().IsMatch(english), where, "en", english, "a phrase without article");
            string arabic = ArabicOf(entry, "ar", where);
            string definite = ArabicOf(entry, "arDef", where);
            foreach ((string field, string name) in new[] { ("en", english), ("ar", arabic), ("arDef", definite) })
            {
                Check(_idByName.TryAdd((kind, field, name), id), where, field, name, $"a name that '{_idByName[(kind, field, name)]}' does not have");
            }

            string letter = TextOf(entry, "gender", where);
            Check(letter is "m" or "f", where, "gender", letter, "m or f");
            var entity = new MedicalEntity(kind, id, english, arabic, definite, letter == "m" ? Gender.Masculine : Gender.Feminine);
            if (kind == EntityKind.Disease)
            {
                entity = AddFacts(entry, entity, where);
            }

            _byId.Add(id, entity);
        }

        private MedicalEntity AddFacts(JsonElement entry, MedicalEntity disease, string where)
        {
            var links = new List<(Relation Relation, MedicalEntity Entity)> { (Relation.AffectsOrgan, Linked(TextOf(entry, "organ", where), EntityKind.Organ, where, "organ")) };
            foreach ((string field, Relation relation, int fewest, int most) in s_links)
            {
                string[] ids = [.. ListOf(entry, field, where).Select(id => id.ValueKind == JsonValueKind.String ? id.GetString()! : id.GetRawText())];
                Check(ids.Length >= fewest && ids.Length <= most, where, field, $"{ids.Length} ids", $"{fewest} to {most}");
                Check(ids.Distinct().Count() == ids.Length, where, field, string.Join(", ", ids), "each id once");
                links.AddRange(ids.Select(id => (relation, Linked(id, KindOf(relation), where, field))));
            }

            string symptoms = string.Join(", ", links.Where(link => link.Relation == Relation.HasSymptom).Select(link => link.Entity.Id).Order(StringComparer.Ordinal));
            Check(_diseaseBySymptoms.TryAdd(symptoms, disease.Id), where, "symptoms", symptoms, $"other symptoms than those of '{_diseaseBySymptoms[symptoms]}', so that a case tells the two apart");
            string described = string.Join(", ", links.Where(link => link.Relation is Relation.AffectsOrgan or Relation.HasSymptom).Select(link => link.Entity.English).Append(disease.English));
            disease = disease with { Patient = OfWomen().IsMatch(described) ? Gender.Feminine : OfMen().IsMatch(described) ? Gender.Masculine : null };
            _facts.AddRange(links.Select(link => new Fact(disease, link.Relation, link.Entity)));
            return disease;
        }

        private MedicalEntity Linked(string id, EntityKind kind, string where, string field)
        {
            MedicalEntity? entity = _byId.GetValueOrDefault(id);
            Check(entity?.Kind == kind, where, field, id, $"an id of the list '{s_lists.First(list => list.Kind == kind).List}'");
            return entity!;
        }

        private static JsonElement[] ListOf(JsonElement parent, string field, string where)
        {
            JsonElement value = FieldOf(parent, field, where);
            Check(value.ValueKind == JsonValueKind.Array, where, field, Shown(value), "a list");
            return [.. value.EnumerateArray()];
        }

        private static string TextOf(JsonElement parent, string field, string where)
        {
            JsonElement value = FieldOf(parent, field, where);
            Check(value.ValueKind == JsonValueKind.String, where, field, Shown(value), "a text");
            string text = value.GetString()!;
            Check(text.Length > 0 && string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) == text, where, field, $"'{text}'", "a text that is not empty, with single spaces between words only");
            return text;
        }

        private static string ArabicOf(JsonElement parent, string field, string where)
        {
            string text = TextOf(parent, field, where);
            Check(ArabicForm().IsMatch(text), where, field, text, "Arabic letters, digits, spaces and hyphens; no vowel signs but shadda, no stretching");
            return text;
        }

        private static JsonElement FieldOf(JsonElement parent, string field, string where)
        {
            if (parent.ValueKind != JsonValueKind.Object)
            {
                throw new InvalidDataException($"{where} is {Shown(parent)}; expected an object.");
            }

            return parent.TryGetProperty(field, out JsonElement value) ? value : throw new InvalidDataException($"{where}: the field '{field}' is missing.");
        }

        private static void Check(bool holds, string where, string field, string found, string expected)
        {
            if (!holds)
            {
                throw new InvalidDataException($"{where}: the field '{field}' is {found}; expected {expected}.");
            }
        }

        private static string Shown(JsonElement value) => value.GetRawText() is { Length: > 60 } text ? $"{text[..60]}…" : value.GetRawText();

        [GeneratedRegex("^[a-z0-9]+(?:-[a-z0-9]+)*$", RegexOptions.CultureInvariant)]
        private static partial Regex IdForm();

        [GeneratedRegex("^(?:a|an|the) ", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
        private static partial Regex Article();

        // Letters, shadda; tatweel (0640) and the vowel signs (064B on) are left out.
        [GeneratedRegex("^(?=.*[\u0621-\u063A\u0641-\u064A])[\u0621-\u063A\u0641-\u064A\u06510-9 -]+$", RegexOptions.CultureInvariant)]
        private static partial Regex ArabicForm();

        [GeneratedRegex("uter(?:us|ine)|ovar|cervix|cervical cancer|vagin|endometri|menstr|menopaus|pregnan|gestational|eclampsia|breast|mastitis|periods", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
        private static partial Regex OfWomen();

        [GeneratedRegex("prostat|testic|testis|testes|erectile|penis|penile|scrot", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
        private static partial Regex OfMen();
    }
}
