// What the four formats need of a row. Field names are compared without regard to case.
//
// MedQA     as in the authors' US/4_options/phrases_no_exclude_*.jsonl, which the hub's GBaker/MedQA-USMLE-4-options repeats: question,
//           options {"A": …}, answer_idx a letter, answer its text. Five options, and the hub's bigbio/med_qa with options
//           [{"key": "A", "value": …}], are read too. A few options of the release end in a line break and a quotation mark
//           (github.com/jind11/MedQA, issue 5): both are cut off.
// MedMCQA   as in the authors' train.json and dev.json, where cop is 1 to 4, and the hub's openlifescienceai/medmcqa, where it is 0 to 3:
//           question, opa to opd, cop, subject_name. The test split has no answers: cop is missing or −1.
// PubMedQA  as in the authors' ori_pqal.json and ori_pqaa.json, keyed by PMID: QUESTION, CONTEXTS, final_decision; and the hub's
//           qiaojin/PubMedQA: pubid, question, context {contexts}, final_decision. The authors' 500 test questions are those whose ids
//           stand in their test_ground_truth.json.
// MMLU      as in the authors' data/test/SUBJECT_test.csv: question, A, B, C, D, answer without a header; the hub's cais/mmlu: question,
//           subject, choices, answer 0 to 3; and openai/MMMLU, its translation into Arabic and others: Question, A to D, Answer, Subject.

using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaperLab.Evaluation.Benchmarks;

/// <summary>What a row asks.</summary>
internal sealed record BenchmarkQuestion(string Text, IReadOnlyList<string> Options, int Answer, string? Subject = null);

/// <summary>One format.</summary>
internal sealed partial class BenchmarkLayout
{
    public static readonly IReadOnlyList<string> EnglishDecisions = ["yes", "no", "maybe"];

    private static readonly string[] s_medMcqaOptions = ["opa", "opb", "opc", "opd"];
    private static readonly string[] s_mmluOptions = ["A", "B", "C", "D"];

    private static readonly BenchmarkLayout[] s_all =
    [
        new(BenchmarkFormat.MedQa, "MedQA", "question, options, and answer_idx or answer",
            row => row.HasAll("question", "options") && (row.Has("answer_idx") || row.Has("answer")),
            (rows, _) => rows.Select(MedQa)),
        new(BenchmarkFormat.MedMcqa, "MedMCQA", "question, opa, opb, opc, opd and cop, which its test split lacks",
            row => row.HasAll(["question", "cop", .. s_medMcqaOptions]),
            MedMcqa),
        new(BenchmarkFormat.PubMedQa, "PubMedQA", "question, contexts or context, and final_decision, which its unlabelled part lacks",
            row => row.HasAll("question", "final_decision") && (row.Has("contexts") || row.Has("context")),
            (rows, options) => rows.Select(row => PubMedQa(row, options.Decisions))),
        new(BenchmarkFormat.Mmlu, "MMLU", "question, answer, and choices or A, B, C, D",
            row => row.HasAll("question", "answer") && (row.Has("choices") || row.HasAll(s_mmluOptions)),
            (rows, _) => rows.Select(Mmlu)),
    ];

    private readonly BenchmarkFormat _format;
    private readonly string _needs;
    private readonly Func<BenchmarkRow, bool> _fits;

    private BenchmarkLayout(
        BenchmarkFormat format, string name, string needs, Func<BenchmarkRow, bool> fits, Func<IReadOnlyList<BenchmarkRow>, BenchmarkOptions, IEnumerable<BenchmarkQuestion>> questions) =>
        (_format, Name, _needs, _fits, Questions) = (format, name, needs, fits, questions);

    public static string AllNeeds { get; } = string.Join(' ', s_all.Select(layout => layout.Needs));

    /// <summary>As its authors write it.</summary>
    public string Name { get; }

    /// <summary>The questions of a file's rows, one for each.</summary>
    public Func<IReadOnlyList<BenchmarkRow>, BenchmarkOptions, IEnumerable<BenchmarkQuestion>> Questions { get; }

    private string Needs => $"{Name} needs {_needs}.";

    /// <summary>The format of a file, by its first row.</summary>
    public static BenchmarkLayout Of(BenchmarkRow first, BenchmarkFormat? format)
    {
        if (format is null)
        {
            return Array.Find(s_all, layout => layout._fits(first)) ?? throw first.Error($"{first.Found}. That fits no format. {AllNeeds}");
        }

        BenchmarkLayout named = s_all.First(layout => layout._format == format);
        return named._fits(first) ? named : throw first.Error($"{first.Found}. {named.Needs}");
    }

    private static BenchmarkQuestion MedQa(BenchmarkRow row)
    {
        JsonElement field = row.Field("options");
        (string Key, JsonElement Value)[] options = field.ValueKind switch
        {
            JsonValueKind.Object => [.. field.EnumerateObject().Select(option => (option.Name, option.Value))],
            JsonValueKind.Array => [.. field.EnumerateArray().Select(option =>
                option.ValueKind == JsonValueKind.Object && option.TryGetProperty("key", out JsonElement key) && option.TryGetProperty("value", out JsonElement value)
                    ? (row.TextOf(key, "options"), value)
                    : throw row.Error($"the field 'options' holds {BenchmarkRow.Shown(option)}; expected {{\"key\": \"A\", \"value\": \"…\"}}."))],
            _ => throw row.Error($"the field 'options' is {BenchmarkRow.Shown(field)}; expected {{\"A\": \"…\", \"B\": \"…\"}}."),
        };
        options = [.. options.Where(option => option.Value.ValueKind != JsonValueKind.Null)]; // columns of a parquet file that this question does not use
        string[] keys = [.. options.Select(option => option.Key)];
        string[] texts = [.. options.Select(option => StrayEnd().Replace(row.TextOf(option.Value, $"options.{option.Key}"), ""))];
        string named = row.Has("answer_idx") ? "answer_idx" : "answer";
        string answer = row.Text(named);
        int index = Array.IndexOf(keys, answer);
        index = index < 0 && named == "answer" ? Array.IndexOf(texts, StrayEnd().Replace(answer, "")) : index;
        return index >= 0 ? new BenchmarkQuestion(row.Text("question"), texts, index) : throw row.Error($"the field '{named}' is '{answer}'; expected one of {string.Join(", ", keys)}{(named == "answer" ? ", or the text of one" : "")}.");
    }

    // Numbers from 0 and numbers from 1 look alike in one row, so the file decides.
    private static IEnumerable<BenchmarkQuestion> MedMcqa(IReadOnlyList<BenchmarkRow> rows, BenchmarkOptions options)
    {
        int[] numbers = [.. rows.Select(row => row.Has("cop") ? row.Integer("cop") : -1)];
        int hidden = Array.IndexOf(numbers, -1);
        if (hidden >= 0)
        {
            throw rows[hidden].Error("the field 'cop' is missing or -1: MedMCQA's test split keeps its answers hidden. Take the development split.");
        }

        int last = s_medMcqaOptions.Length - 1;
        int first = options.FirstOption ?? (numbers.Contains(0), numbers.Contains(last + 1)) switch
        {
            (true, _) => 0,
            (false, true) => 1,
            _ => throw rows[0].Error($"the numbers 'cop' of this file are {string.Join(", ", numbers.Distinct().Order())}, which leaves open whether they begin at 0 or at 1. Set {nameof(BenchmarkOptions.FirstOption)}."),
        };
        return rows.Zip(numbers, (row, number) => number >= first && number <= first + last
            ? new BenchmarkQuestion(row.Text("question"), [.. s_medMcqaOptions.Select(row.Text)], number - first, row.OptionalText("subject_name"))
            : throw row.Error($"the field 'cop' is {number}; expected {first} to {first + last}."));
    }

    private static BenchmarkQuestion PubMedQa(BenchmarkRow row, IReadOnlyList<string> decisions)
    {
        JsonElement contexts = row.Has("contexts") ? row.Field("contexts") : row.Field("context");
        if (contexts.ValueKind == JsonValueKind.Object && contexts.TryGetProperty("contexts", out JsonElement inner))
        {
            contexts = inner;
        }

        string[] paragraphs = contexts.ValueKind switch
        {
            JsonValueKind.Array => [.. contexts.EnumerateArray().Select(paragraph => row.TextOf(paragraph, "contexts"))],
            JsonValueKind.String => [row.TextOf(contexts, "context")], // joined, as some translations have it
            _ => throw row.Error($"the contexts are {BenchmarkRow.Shown(contexts)}; expected [\"…\", \"…\"]."),
        };
        string decision = row.Text("final_decision");
        int answer = Enumerable.Range(0, decisions.Count).FirstOrDefault(i => decision.Equals(decisions[i], StringComparison.OrdinalIgnoreCase) || decision.Equals(EnglishDecisions[i], StringComparison.OrdinalIgnoreCase), -1);
        return answer >= 0
            ? new BenchmarkQuestion(string.Join('\n', [.. paragraphs, row.Text("question")]), decisions, answer)
            : throw row.Error($"the field 'final_decision' is '{decision}'; expected one of {string.Join(", ", EnglishDecisions.Union(decisions))}.");
    }

    private static BenchmarkQuestion Mmlu(BenchmarkRow row)
    {
        string[] choices = row.Has("choices") ? row.Texts("choices") : [.. s_mmluOptions.Select(row.Text)];
        string answer = row.Text("answer");
        int index = answer.Length == 1 && char.IsAsciiLetterUpper(answer[0]) ? answer[0] - 'A' : int.TryParse(answer, out int number) ? number : -1;
        return index >= 0 && index < choices.Length
            ? new BenchmarkQuestion(row.Text("question"), choices, index, row.OptionalText("subject"))
            : throw row.Error($"the field 'answer' is '{answer}'; expected A to {(char)('A' + choices.Length - 1)}, or 0 to {choices.Length - 1}.");
    }

    [GeneratedRegex(@"\s*\n\s*""$", RegexOptions.CultureInvariant)]
    private static partial Regex StrayEnd();
}
