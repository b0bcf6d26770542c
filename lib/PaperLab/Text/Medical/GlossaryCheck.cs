// The knowledge base's Arabic beside that of a dictionary which somebody else wrote. That the two differ is no error: a dictionary gives a
// word's everyday sense (breast: chest), another name (pneumonia: ذات الرئة), another spelling of a foreign one. It is where to look.

using PaperLab.Text.Sources;

namespace PaperLab.Text.Medical;

/// <summary>How a name compares with a dictionary's.</summary>
public enum GlossaryAgreement
{
    /// <summary>The dictionary has the same, but for article, vowel signs, and how hamza, ta marbuta and alef maqsura are written.</summary>
    Same,

    /// <summary>It has one with a word in common: داء الكزاز for الكزاز.</summary>
    Partly,

    /// <summary>It has others.</summary>
    Different,
}

/// <summary>An entity that the dictionary has.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Dictionary">The dictionary's Arabic for its English name.</param>
/// <param name="Agreement">How the two compare.</param>
public sealed record GlossaryEntry(MedicalEntity Entity, IReadOnlyList<string> Dictionary, GlossaryAgreement Agreement);

/// <summary>The names of a knowledge base beside a dictionary's.</summary>
/// <param name="Entities">How many entities there are.</param>
/// <param name="Found">Those whose English name the dictionary has, in the order of the knowledge base.</param>
public sealed record GlossaryCheck(int Entities, IReadOnlyList<GlossaryEntry> Found)
{
    /// <summary>Those whose Arabic name is none of the dictionary's.</summary>
    public IEnumerable<GlossaryEntry> Disagreements => Found.Where(entry => entry.Agreement != GlossaryAgreement.Same);

    /// <summary>How many agree so.</summary>
    public int Count(GlossaryAgreement agreement) => Found.Count(entry => entry.Agreement == agreement);

    /// <summary>Compares the entities by their English names, whatever their case.</summary>
    /// <param name="knowledge">The entities.</param>
    /// <param name="dictionary">Such as <see cref="ParallelText.ReadMedicalTerms"/> or <see cref="ParallelText.ReadDictionary"/>.</param>
    public static GlossaryCheck Of(MedicalKnowledge knowledge, IEnumerable<ParallelPair> dictionary)
    {
        ILookup<string, string> arabic = dictionary.ToLookup(pair => pair.English, pair => pair.Arabic, StringComparer.OrdinalIgnoreCase);
        return new GlossaryCheck(
            knowledge.Entities.Count,
            [.. knowledge.Entities.Where(entity => arabic.Contains(entity.English)).Select(entity => new GlossaryEntry(entity, [.. arabic[entity.English]], Compare(entity, arabic[entity.English])))]);
    }

    private static GlossaryAgreement Compare(MedicalEntity entity, IEnumerable<string> dictionary)
    {
        string[][] own = [ArabicSpelling.WordsOf(entity.Arabic), ArabicSpelling.WordsOf(entity.ArabicDefinite)], others = [.. dictionary.Select(ArabicSpelling.WordsOf)];
        return others.Any(other => own.Any(other.SequenceEqual)) ? GlossaryAgreement.Same
            : others.Any(other => own.Any(name => name.Intersect(other).Any())) ? GlossaryAgreement.Partly
            : GlossaryAgreement.Different;
    }
}
