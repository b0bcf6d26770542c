using PaperLab.Evaluation;
using PaperLab.Evaluation.Benchmarks;

namespace PaperLab.Tests.Evaluation;

public sealed class BenchmarkReaderTests : IDisposable
{
    private const string MedQa = """{"question": "Scurvy is a lack of", "answer": "Vitamin C", "options": {"A": "Vitamin A", "B": "Vitamin B", "C": "Vitamin C\n\"", "D": "Vitamin D"}, "meta_info": "step1", "answer_idx": "C"}""";
    private const string MedMcqa = """{"id": "a1", "question": "Rickets is a lack of", "opa": "Vitamin D", "opb": "Vitamin B", "opc": "Vitamin C", "opd": "Vitamin A", "cop": 1, "subject_name": "Pediatrics", "choice_type": "single", "exp": null}""";
    private const string MedMcqaLast = """{"id": "a2", "question": "Scurvy is a lack of", "opa": "A", "opb": "B", "opc": "D", "opd": "C", "cop": 4, "subject_name": "Medicine"}""";
    private const string PubMedQa = """
        {
            "21645374": {
                "QUESTION": "Does tea help?",
                "CONTEXTS": ["We gave tea.", "They slept."],
                "LABELS": ["METHODS", "RESULTS"],
                "final_decision": "maybe",
                "LONG_ANSWER": "It may."
            },
            "16418930": {
                "QUESTION": "Does rest help?", "CONTEXTS": ["We let them rest."], "final_decision": "yes"
            }
        }
        """;

    private static readonly string s_fixtures = Path.Combine(AppContext.BaseDirectory, "Evaluation", "Fixtures");
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void MedQA_is_read_and_put_with_whole_options()
    {
        MultipleChoiceItem item = Assert.Single(BenchmarkReader.Read(Write("phrases_test.jsonl", MedQa + "\n\n")));

        Assert.Equal("phrases_test.jsonl:1", item.Id);
        Assert.Equal("Scurvy is a lack of\nAnswer:", item.Question);
        Assert.Equal([" Vitamin A", " Vitamin B", " Vitamin C", " Vitamin D"], item.Options);
        Assert.Equal(2, item.Answer);
        Assert.Equal("MedQA", item.Group);
    }

    [Fact]
    public void Letters_put_the_options_into_the_question()
    {
        var options = new BenchmarkOptions { Letters = true, Cue = "الإجابة:", Group = "ar" };
        MultipleChoiceItem item = Assert.Single(BenchmarkReader.Read(Write("a.jsonl", MedQa), options));

        Assert.Equal("Scurvy is a lack of\nA. Vitamin A\nB. Vitamin B\nC. Vitamin C\nD. Vitamin D\nالإجابة:", item.Question);
        Assert.Equal([" A", " B", " C", " D"], item.Options);
        Assert.Equal(2, item.Answer);
        Assert.Equal("ar", item.Group);
    }

    [Theory]
    [InlineData("""{"question": "q", "options": {"A": "x", "B": "y"}, "answer": "y"}""")] // the answer's text alone
    [InlineData("""{"question": "q", "options": {"A": "x", "B": "y"}, "answer": "B"}""")]
    [InlineData("""{"question": "q", "options": [{"key": "A", "value": "x"}, {"key": "B", "value": "y"}], "answer_idx": "B", "answer": "y"}""")]
    public void MedQA_names_its_answer_in_several_ways(string line)
    {
        MultipleChoiceItem item = Assert.Single(BenchmarkReader.Read(Write("a.jsonl", line)));

        Assert.Equal([" x", " y"], item.Options);
        Assert.Equal(1, item.Answer);
    }

    [Fact]
    public void MedMCQA_numbers_are_told_by_the_whole_file()
    {
        // The authors' dev.json is an object a line.
        IReadOnlyList<MultipleChoiceItem> fromOne = BenchmarkReader.Read(Write("dev.json", $"{MedMcqa}\n{MedMcqaLast}"));
        IReadOnlyList<MultipleChoiceItem> fromZero = BenchmarkReader.Read(Write("hub.jsonl", $"{MedMcqa}\n{MedMcqaLast.Replace("\"cop\": 4", "\"cop\": 0")}"));
        IReadOnlyList<MultipleChoiceItem> told = BenchmarkReader.Read(Write("few.jsonl", MedMcqa), new BenchmarkOptions { FirstOption = 1 });

        Assert.Equal([0, 3], fromOne.Select(item => item.Answer));
        Assert.Equal([1, 0], fromZero.Select(item => item.Answer));
        Assert.Equal([0], told.Select(item => item.Answer));
        Assert.Equal(["a1", "a2"], fromOne.Select(item => item.Id));
        Assert.Equal(["Pediatrics", "Medicine"], fromOne.Select(item => item.Group));
    }

    [Fact]
    public void PubMedQA_puts_the_abstract_before_the_question()
    {
        IReadOnlyList<MultipleChoiceItem> items = BenchmarkReader.Read(Write("ori_pqal.json", PubMedQa));

        Assert.Equal(["21645374", "16418930"], items.Select(item => item.Id));
        Assert.Equal("We gave tea.\nThey slept.\nDoes tea help?\nAnswer:", items[0].Question);
        Assert.Equal([" yes", " no", " maybe"], items[0].Options);
        Assert.Equal([2, 0], items.Select(item => item.Answer));
    }

    [Theory]
    [InlineData("no")]
    [InlineData("لا")]
    public void PubMedQA_in_Arabic_names_its_decisions_in_either_language(string decision)
    {
        string line = $$"""{"pubid": 7, "question": "هل ينفع الشاي؟", "context": {"contexts": ["أعطينا الشاي."]}, "final_decision": "{{decision}}"}""";
        MultipleChoiceItem item = Assert.Single(BenchmarkReader.Read(Write("ar.jsonl", line), new BenchmarkOptions { Decisions = ["نعم", "لا", "ربما"] }));

        Assert.Equal("7", item.Id);
        Assert.Equal([" نعم", " لا", " ربما"], item.Options);
        Assert.Equal(1, item.Answer);
    }

    [Fact]
    public void MMLU_without_a_header_takes_its_subject_from_the_file()
    {
        string csv = "Which of these is \"whole\"?,one,two,three,four,B\n\"A gland, in the\nneck, called \"\"butterfly\"\"\",thyroid,adrenal,pineal,\"none, of these\",A\n";
        IReadOnlyList<MultipleChoiceItem> items = BenchmarkReader.Read(Write("college_medicine_test.csv", csv));

        Assert.Equal(["college_medicine_test.csv:1", "college_medicine_test.csv:2"], items.Select(item => item.Id));
        Assert.Equal("A gland, in the\nneck, called \"butterfly\"\nAnswer:", items[1].Question);
        Assert.Equal([" thyroid", " adrenal", " pineal", " none, of these"], items[1].Options);
        Assert.Equal([1, 0], items.Select(item => item.Answer));
        Assert.All(items, item => Assert.Equal("college_medicine", item.Group));
    }

    [Fact]
    public void MMMLU_in_Arabic_names_its_columns()
    {
        MultipleChoiceItem item = Assert.Single(BenchmarkReader.Read(Write("mmlu_AR-XY.csv", "\uFEFF,Question,A,B,C,D,Answer,Subject\n0,أي غدة تقع في الرقبة؟,الكظرية,الدرقية,النخامية,الصنوبرية,B,anatomy\n")));

        Assert.Equal("أي غدة تقع في الرقبة؟\nAnswer:", item.Question);
        Assert.Equal(" الدرقية", item.Options[item.Answer]);
        Assert.Equal("anatomy", item.Group);
    }

    [Fact]
    public void Parquet_files_of_the_hub_are_read()
    {
        IReadOnlyList<MultipleChoiceItem> medQa = BenchmarkReader.Read(Path.Combine(s_fixtures, "medqa.parquet"));
        IReadOnlyList<MultipleChoiceItem> medMcqa = BenchmarkReader.Read(Path.Combine(s_fixtures, "medmcqa.parquet"));
        IReadOnlyList<MultipleChoiceItem> pubMedQa = BenchmarkReader.Read(Path.Combine(s_fixtures, "pubmedqa.parquet"));
        IReadOnlyList<MultipleChoiceItem> mmlu = BenchmarkReader.Read(Path.Combine(s_fixtures, "mmlu.parquet"));

        Assert.Equal(4, Assert.Single(medQa).Options.Count); // E is null
        Assert.Equal(" Vitamin C", medQa[0].Options[medQa[0].Answer]);
        Assert.Equal([" Vitamin C", " Vitamin D"], medMcqa.Select(item => item.Options[item.Answer]));
        Assert.Equal(["a1", "a2"], medMcqa.Select(item => item.Id));
        Assert.Equal(["Medicine", "Pediatrics"], medMcqa.Select(item => item.Group));
        Assert.Equal(["11", "12"], pubMedQa.Select(item => item.Id));
        Assert.Equal("We gave tea.\nThey slept.\nDoes tea help?\nAnswer:", pubMedQa[0].Question);
        Assert.Equal([2, 0], pubMedQa.Select(item => item.Answer));
        Assert.Equal([" thyroid", " الدرقية"], mmlu.Select(item => item.Options[item.Answer]));
        Assert.Equal(["mmlu.parquet:1", "mmlu.parquet:2"], mmlu.Select(item => item.Id));
    }

    [Fact]
    public void A_folder_is_read_in_the_order_of_names_and_by_pattern()
    {
        Write("test-b.jsonl", MedQa);
        Write("test-a.json", $"[{MedQa}, {MedQa}]");
        Write("train-a.jsonl", MedQa);
        Write("README.md", "not a benchmark");

        Assert.Equal(["test-a.json:1", "test-a.json:2", "test-b.jsonl:1", "train-a.jsonl:1"], BenchmarkReader.Read(_folder.Path).Select(item => item.Id));
        Assert.Equal(["test-a.json:1", "test-a.json:2", "test-b.jsonl:1"], BenchmarkReader.Read(_folder.Path, new BenchmarkOptions { Files = "test-*" }).Select(item => item.Id));
        Assert.Contains("no file dev-*", Assert.Throws<FileNotFoundException>(() => BenchmarkReader.Read(_folder.Path, new BenchmarkOptions { Files = "dev-*" })).Message);
        Assert.Contains("does not exist", Assert.Throws<FileNotFoundException>(() => BenchmarkReader.Read(_folder.File("none.jsonl"))).Message);
    }

    [Theory]
    [InlineData("a.jsonl", "{\"question\": \"q\", \"text\": \"t\"}", "a.jsonl, line 1: the fields are question, text. That fits no format. MedQA needs question, options, and answer_idx or answer.", "MedMCQA needs", "PubMedQA needs", "MMLU needs")]
    [InlineData("a.jsonl", MedQa + "\n{\"question\": \"q\"}", "line 2: the field 'options' is missing; the fields are question.")]
    [InlineData("a.jsonl", MedQa + "\n\n{\"question\": ", "line 3 is no JSON")]
    [InlineData("a.jsonl", "[1]", "line 1: found [1]; expected an object")]
    [InlineData("a.jsonl", "\n", "holds no question", "MedQA needs")]
    [InlineData("a.json", "{\n\"1\": {\n\"QUESTION\" 1}}", "line 3 is no JSON")]
    [InlineData("a.json", "{\"1\": {\"QUESTION\": \"q\", \"CONTEXTS\": [], \"final_decision\": \"perhaps\"}}", "entry '1': the field 'final_decision' is 'perhaps'; expected one of yes, no, maybe.")]
    [InlineData("a.json", "{\"1\": {\"QUESTION\": \"q\", \"CONTEXTS\": 3, \"final_decision\": \"yes\"}}", "the contexts are 3")]
    [InlineData("a.jsonl", "{\"question\": \"q\", \"options\": {\"A\": \"x\", \"B\": \"y\"}, \"answer_idx\": \"C\"}", "the field 'answer_idx' is 'C'; expected one of A, B.")]
    [InlineData("a.jsonl", "{\"question\": \"q\", \"options\": {\"A\": \"x\", \"B\": \" \"}, \"answer_idx\": \"A\"}", "the field 'options.B' is \" \"; expected a text")]
    [InlineData("a.jsonl", "{\"question\": \"q\", \"options\": \"x\", \"answer_idx\": \"A\"}", "the field 'options' is \"x\"")]
    [InlineData("a.jsonl", "{\"question\": \"q\", \"options\": [1], \"answer_idx\": \"A\"}", "the field 'options' holds 1")]
    [InlineData("a.jsonl", MedMcqa, "the numbers 'cop' of this file are 1, which leaves open", "FirstOption")]
    [InlineData("a.jsonl", MedMcqaLast + "\n{\"question\": \"q\", \"opa\": \"a\", \"opb\": \"b\", \"opc\": \"c\", \"opd\": \"d\", \"cop\": 0}", "line 1: the field 'cop' is 4; expected 0 to 3.")]
    [InlineData("a.jsonl", MedMcqaLast + "\n{\"question\": \"q\", \"opa\": \"a\", \"opb\": \"b\", \"opc\": \"c\", \"opd\": \"d\", \"cop\": -1}", "line 2", "keeps its answers hidden")]
    [InlineData("a.csv", "q,a,b,c,A\n", "line 1: there are 5 fields; expected 6: question, A, B, C, D, answer, or a first line that names the columns.")]
    [InlineData("a.csv", "q,a,b,c,d,A\nq,a,b,c,d,E\n", "line 2: the field 'answer' is 'E'; expected A to D, or 0 to 3.")]
    [InlineData("a.csv", "q,a,b,,d,A\n", "line 1: the fields are question, A, B, D, answer, subject. That fits no format.")]
    [InlineData("a.csv", "question,A,B,C,D,answer\nq,a,b,c,d\n", "line 2: there are 5 fields; expected 6: question, A, B, C, D, answer.")]
    [InlineData("a.jsonl", "{\"question\": \"q\", \"choices\": [\"x\"], \"answer\": 0}", "the field 'choices' is [\"x\"]")]
    [InlineData("a.parquet", "PAR1 and no more", "a.parquet cannot be read as a parquet file")]
    [InlineData("a.txt", MedQa, "ends in '.txt'; expected one of .jsonl, .json, .csv, .parquet.")]
    public void An_error_names_the_place_and_what_was_found(string file, string text, params string[] message)
    {
        string error = Assert.Throws<InvalidDataException>(() => BenchmarkReader.Read(Write(file, text))).Message;

        Assert.All(message, part => Assert.Contains(part, error));
        Assert.StartsWith(_folder.Path, error);
    }

    [Fact]
    public void A_named_format_says_what_it_lacks()
    {
        string error = Assert.Throws<InvalidDataException>(() => BenchmarkReader.Read(Write("a.jsonl", MedQa), new BenchmarkOptions { Format = BenchmarkFormat.Mmlu })).Message;

        Assert.EndsWith("line 1: the fields are question, answer, options, meta_info, answer_idx. MMLU needs question, answer, and choices or A, B, C, D.", error);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_an_error_and_not_other_letters()
    {
        File.WriteAllBytes(_folder.File("a.jsonl"), [.. "{\"question\": \""u8, 0xC7, 0xE1, .. "\"}"u8]);

        Assert.Contains("line 1 is not UTF-8", Assert.Throws<InvalidDataException>(() => BenchmarkReader.Read(_folder.File("a.jsonl"))).Message);
    }

    [Fact]
    public void An_option_out_of_range_is_named()
    {
        string file = Write("a.jsonl", MedQa);

        Assert.Contains("Decisions is yes, no; allowed: three texts", Assert.Throws<ArgumentException>(() => BenchmarkReader.Read(file, new BenchmarkOptions { Decisions = ["yes", "no"] })).Message);
        Assert.Contains("FirstOption is 2", Assert.Throws<ArgumentException>(() => BenchmarkReader.Read(file, new BenchmarkOptions { FirstOption = 2 })).Message);
        Assert.Contains("Cue is empty", Assert.Throws<ArgumentException>(() => BenchmarkReader.Read(file, new BenchmarkOptions { Cue = " " })).Message);
        Assert.Contains("Files is empty", Assert.Throws<ArgumentException>(() => BenchmarkReader.Read(file, new BenchmarkOptions { Files = "" })).Message);
        Assert.Contains("Format is 9", Assert.Throws<ArgumentException>(() => BenchmarkReader.Read(file, new BenchmarkOptions { Format = (BenchmarkFormat)9 })).Message);
    }

    public void Dispose() => _folder.Dispose();

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }
}
