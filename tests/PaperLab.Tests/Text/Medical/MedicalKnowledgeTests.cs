using System.Text.Json.Nodes;
using PaperLab.Text.Medical;

namespace PaperLab.Tests.Text.Medical;

public sealed class MedicalKnowledgeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Some_diseases_are_a_knowledge_base_with_just_what_they_are_linked_to()
    {
        MedicalKnowledge all = MedicalKnowledge.Load(), some = all.Some(20, seed: 3);

        Assert.Equal(20, some.Of(EntityKind.Disease).Count());
        Assert.Equal(all.Facts.Where(fact => some.Entities.Contains(fact.Disease)), some.Facts);
        Assert.All(some.Entities.Where(entity => entity.Kind != EntityKind.Disease), entity => Assert.Contains(some.Facts, fact => fact.Entity == entity));
        Assert.Equal(some.Entities, all.Some(20, seed: 3).Entities);
        Assert.NotEqual(some.Entities, all.Some(20, seed: 4).Entities);
        Assert.Equal(all.Facts, all.Some(10_000, seed: 3).Facts);
        Assert.Contains("diseases is 0", Assert.Throws<ArgumentException>(() => all.Some(0, seed: 1)).Message);
    }

    [Fact]
    public void Facts_are_the_links_of_the_file()
    {
        MedicalKnowledge knowledge = MedicalFixture.Knowledge;
        MedicalEntity pneumonia = MedicalFixture.Entity("pneumonia");

        Assert.Equal(
            [
                "pneumonia AffectsOrgan lung", "pneumonia HasSymptom cough", "pneumonia HasSymptom fever", "pneumonia HasSymptom chest-pain",
                "pneumonia TreatedBy amoxicillin", "pneumonia TreatedBy ceftriaxone", "pneumonia RiskFactor smoking", "pneumonia RiskFactor old-age",
            ],
            knowledge.About(pneumonia).Select(fact => fact.ToString()));
        Assert.Equal(["pneumonia", "asthma", "tuberculosis"], knowledge.DiseasesWith(Relation.HasSymptom, MedicalFixture.Entity("cough")).Select(disease => disease.Id));
        Assert.True(knowledge.Holds(MedicalFixture.FactOf("asthma", Relation.TreatedBy, "salbutamol")));
        Assert.False(knowledge.Holds(MedicalFixture.FactOf("pneumonia", Relation.TreatedBy, "salbutamol")));
        Assert.Equal(4, knowledge.Shared(pneumonia, MedicalFixture.Entity("tuberculosis"))); // lung, cough, fever, smoking
        Assert.Equal(0, knowledge.Shared(pneumonia, MedicalFixture.Entity("gastritis")));
        Assert.Equal(13, knowledge.Of(EntityKind.Disease).Count());
    }

    [Fact]
    public void The_library_carries_a_knowledge_base_that_is_large_and_can_be_written()
    {
        var knowledge = MedicalKnowledge.Load();

        Assert.InRange(knowledge.Of(EntityKind.Disease).Count(), 160, int.MaxValue);
        Assert.All(knowledge.Facts, fact =>
        {
            Assert.All(MedicalWriter.Sentences(fact, TextLanguage.English), sentence => Assert.Matches("^[A-Z0-9][^{}|:]*[^{}|: ]\\.$", sentence));
            Assert.All(MedicalWriter.Sentences(fact, TextLanguage.Arabic), sentence => Assert.Matches("^[\u0621-\u063A\u0641-\u0651 0-9-]+\\.$", sentence));
        });
    }

    [Theory]
    [InlineData("kidney stones", true)]
    [InlineData("chills", true)]
    [InlineData("episodes of dizziness", true)]
    [InlineData("petechiae", true)]
    [InlineData("shortness of breath", false)]
    [InlineData("loss of teeth and nails", false)]
    [InlineData("diabetes", false)]
    [InlineData("measles", false)]
    [InlineData("gastritis", false)]
    [InlineData("lupus", false)]
    [InlineData("weakness", false)]
    [InlineData("cough", false)]
    public void An_English_phrase_is_plural_where_its_head_is(string english, bool plural) =>
        Assert.Equal(plural, new MedicalEntity(EntityKind.Symptom, "x", english, "x", "x", Gender.Masculine).IsPlural);

    [Fact]
    public void A_disease_of_women_has_no_men_for_patients()
    {
        Assert.Equal(Gender.Feminine, MedicalFixture.Entity("ovarian-cancer").Patient);
        Assert.Null(MedicalFixture.Entity("pneumonia").Patient);
    }

    [Fact]
    public void A_file_is_read_and_a_missing_one_named()
    {
        string path = Path.Combine(_folder.Path, "knowledge.json");
        string missing = Assert.Throws<FileNotFoundException>(() => MedicalKnowledge.Read(path)).Message;
        File.WriteAllText(path, MedicalFixture.Json);

        Assert.Equal($"{path} does not exist. Give a file in the form of data/medical/knowledge.json, or call Load for the one that is built in.", missing);
        Assert.Equal(MedicalFixture.Knowledge.Facts, MedicalKnowledge.Read(path).Facts);
    }

    [Theory]
    [InlineData("organs", 0, "id", "\"Lung\"", "organ 'Lung': the field 'id' is Lung; expected lower-case ASCII letters and digits, with hyphens between them.")]
    [InlineData("symptoms", 0, "id", "\"lung\"", "symptom 'lung': the field 'id' is lung; expected an id that nothing else has; one of the kind Organ has it.")]
    [InlineData("symptoms", 1, "id", null, "entry 2 of 'symptoms': the field 'id' is missing.")]
    [InlineData("symptoms", 1, "en", null, "symptom 'fever': the field 'en' is missing.")]
    [InlineData("symptoms", 1, "en", "7", "symptom 'fever': the field 'en' is 7; expected a text.")]
    [InlineData("symptoms", 1, "en", "\"\"", "symptom 'fever': the field 'en' is ''; expected a text that is not empty, with single spaces between words only.")]
    [InlineData("symptoms", 1, "en", "\"high  fever\"", "symptom 'fever': the field 'en' is 'high  fever'; expected a text that is not empty, with single spaces between words only.")]
    [InlineData("symptoms", 1, "en", "\"حمى\"", "symptom 'fever': the field 'en' is حمى; expected no Arabic letters.")]
    [InlineData("symptoms", 1, "en", "\"a fever\"", "symptom 'fever': the field 'en' is a fever; expected a phrase without article.")]
    [InlineData("symptoms", 1, "en", "\"cough\"", "symptom 'fever': the field 'en' is cough; expected a name that 'cough' does not have.")]
    [InlineData("symptoms", 1, "arDef", "\"السعال\"", "symptom 'fever': the field 'arDef' is السعال; expected a name that 'cough' does not have.")]
    [InlineData("symptoms", 1, "ar", "\"fever\"", "symptom 'fever': the field 'ar' is fever; expected Arabic letters, digits, spaces and hyphens; no vowel signs but shadda, no stretching.")]
    [InlineData("symptoms", 1, "ar", "\"حُمى\"", "symptom 'fever': the field 'ar' is حُمى; expected Arabic letters, digits, spaces and hyphens; no vowel signs but shadda, no stretching.")]
    [InlineData("symptoms", 1, "gender", "\"n\"", "symptom 'fever': the field 'gender' is n; expected m or f.")]
    [InlineData("symptoms", 1, "", "7", "entry 2 of 'symptoms' is 7; expected an object.")]
    [InlineData("symptoms", -1, "", "7", "fixture.json: the field 'symptoms' is 7; expected a list.")]
    [InlineData("symptoms", -1, "", null, "fixture.json: the field 'symptoms' is missing.")]
    [InlineData("diseases", 0, "organ", "\"cough\"", "disease 'pneumonia': the field 'organ' is cough; expected an id of the list 'organs'.")]
    [InlineData("diseases", 0, "drugs", "[\"none\"]", "disease 'pneumonia': the field 'drugs' is none; expected an id of the list 'drugs'.")]
    [InlineData("diseases", 0, "drugs", "[]", "disease 'pneumonia': the field 'drugs' is 0 ids; expected 1 to 3.")]
    [InlineData("diseases", 0, "symptoms", "[\"cough\",\"fever\"]", "disease 'pneumonia': the field 'symptoms' is 2 ids; expected 3 to 5.")]
    [InlineData("diseases", 0, "symptoms", "[\"cough\",\"fever\",\"cough\"]", "disease 'pneumonia': the field 'symptoms' is cough, fever, cough; expected each id once.")]
    [InlineData("diseases", 1, "symptoms", "[\"chest-pain\",\"fever\",\"cough\"]", "disease 'asthma': the field 'symptoms' is chest-pain, cough, fever; expected other symptoms than those of 'pneumonia', so that a case tells the two apart.")]
    public void A_fault_is_named_with_its_entity_and_field(string list, int entry, string field, string? value, string message)
    {
        JsonNode root = JsonNode.Parse(MedicalFixture.Json)!;
        JsonNode? replacement = value is null ? null : JsonNode.Parse(value);
        switch (entry, field)
        {
            case (-1, _) when value is null:
                root.AsObject().Remove(list);
                break;
            case (-1, _):
                root[list] = replacement;
                break;
            case (_, ""):
                root[list]![entry] = replacement;
                break;
            case var _ when value is null:
                root[list]![entry]!.AsObject().Remove(field);
                break;
            default:
                root[list]![entry]![field] = replacement;
                break;
        }

        string found = Assert.Throws<InvalidDataException>(() => MedicalKnowledge.Parse(root.ToJsonString(), "fixture.json")).Message;

        Assert.StartsWith("fixture.json: ", found);
        Assert.EndsWith(message, found);
    }

    [Theory]
    [InlineData("{", "fixture.json is no JSON: ")]
    [InlineData("{\"organs\": [], \"organs\": []}", "fixture.json is no JSON: ")]
    [InlineData("[]", "fixture.json is []; expected an object.")]
    public void What_is_no_object_says_so(string json, string message) =>
        Assert.StartsWith(message, Assert.Throws<InvalidDataException>(() => MedicalKnowledge.Parse(json, "fixture.json")).Message);
}
