// Multiple-choice items from a user's own copies of four public benchmarks, or of translations with the same fields. Nothing of them is
// kept here. What each format needs, and the release that was followed, is in BenchmarkLayout.cs; what a file may look like in
// BenchmarkFile.cs.
//
// How an item is put, in words of no language but the cue's (as in EleutherAI's lm-evaluation-harness, less its labels):
//
//   the option's text               the option's letter
//   ─────────────────               ───────────────────
//   question                        question
//   Answer:                         A. first option
//                                   B. second option
//                                   Answer:
//   options " first option", …      options " A", " B", …
//
// PubMedQA's abstract stands before its question, a paragraph a line.

namespace PaperLab.Evaluation.Benchmarks;

/// <summary>What the fields of a file are called and what they mean.</summary>
public enum BenchmarkFormat
{
    /// <summary>MedQA (arXiv 2009.13081): questions of the US medical licensing examination.</summary>
    MedQa,

    /// <summary>MedMCQA (arXiv 2203.14371): questions of Indian medical entrance examinations.</summary>
    MedMcqa,

    /// <summary>PubMedQA (arXiv 1909.06146): does an abstract say yes, no or maybe?</summary>
    PubMedQa,

    /// <summary>MMLU (arXiv 2009.03300): 57 subjects, of which some are medical.</summary>
    Mmlu,
}

/// <summary>What is read, and how items are put.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>The format; null to tell it by the fields of each file.</summary>
    public BenchmarkFormat? Format { get; init; }

    /// <summary>Which files of a folder, such as "test-*": a folder with several splits would mix them. Those that end in .jsonl, .json, .csv or .parquet are read, in the order of their names; folders in the folder are not.</summary>
    public string Files { get; init; } = "*";

    /// <summary>The items' <see cref="MultipleChoiceItem.Group"/>, such as a language; null for the subject, or the format's name where it has none.</summary>
    public string? Group { get; init; }

    /// <summary>Whether options are listed after the question and the letter is the answer.</summary>
    public bool Letters { get; init; }

    /// <summary>The line after the question; for Arabic "الإجابة:".</summary>
    public string Cue { get; init; } = "Answer:";

    /// <summary>PubMedQA's options for yes, no and maybe; for Arabic "نعم", "لا" and "ربما". A file may name its decisions so, or in English.</summary>
    public IReadOnlyList<string> Decisions { get; init; } = BenchmarkLayout.EnglishDecisions;

    /// <summary>The number that MedMCQA's "cop" has for option a: 1 in the authors' files, 0 in those of the Hugging Face hub; null to tell it by the numbers that occur.</summary>
    public int? FirstOption { get; init; }

    /// <summary>Throws with the field, its value and what is allowed.</summary>
    /// <exception cref="ArgumentException">A field is not usable.</exception>
    public void Validate()
    {
        Require.That(Format is null || Enum.IsDefined(Format.Value), nameof(Format), Format, string.Join(", ", Enum.GetNames<BenchmarkFormat>()) + ", or null");
        Require.That(Files.Length > 0, nameof(Files), "empty", "a pattern such as * or test-*");
        Require.That(!string.IsNullOrWhiteSpace(Cue), nameof(Cue), "empty", "a text such as Answer:");
        Require.That(Decisions.Count == 3 && Decisions.All(decision => !string.IsNullOrWhiteSpace(decision)), nameof(Decisions), string.Join(", ", Decisions), "three texts, for yes, no and maybe");
        Require.That(FirstOption is null or 0 or 1, nameof(FirstOption), FirstOption, "0, 1, or null");
    }
}

/// <summary>Reads benchmark files.</summary>
public static class BenchmarkReader
{
    /// <summary>All items of a file or of the files of a folder, in their order. Where a row has no id of its own, the item's is FILE:LINE, or FILE:ROW of a parquet file.</summary>
    /// <param name="path">A file that ends in .jsonl, .json, .csv or .parquet, texts in UTF-8; or a folder.</param>
    /// <param name="options">What is read, and how items are put; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is not usable.</exception>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or the folder has no file to read.</exception>
    /// <exception cref="InvalidDataException">A file is not as expected; the message names file, line, what was found and what is needed.</exception>
    public static IReadOnlyList<MultipleChoiceItem> Read(string path, BenchmarkOptions? options = null)
    {
        options ??= new BenchmarkOptions();
        options.Validate();
        return [.. FilesOf(path, options.Files).SelectMany(file => ItemsOf(file, options))];
    }

    private static string[] FilesOf(string path, string pattern)
    {
        if (File.Exists(path))
        {
            return [path];
        }

        if (!Directory.Exists(path))
        {
            throw new FileNotFoundException($"{path} does not exist. Give a file or a folder of files that end in {BenchmarkFile.Endings}.", path);
        }

        string[] files = [.. Directory.EnumerateFiles(path, pattern).Where(BenchmarkFile.HasKnownEnding).Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files : throw new FileNotFoundException($"{path} has no file {pattern} that ends in {BenchmarkFile.Endings}. Folders in it are not looked into.", path);
    }

    private static IEnumerable<MultipleChoiceItem> ItemsOf(string file, BenchmarkOptions options)
    {
        IReadOnlyList<BenchmarkRow> rows = BenchmarkFile.Read(file);
        if (rows.Count == 0)
        {
            throw new InvalidDataException($"{file} holds no question. {BenchmarkLayout.AllNeeds}");
        }

        BenchmarkLayout layout = BenchmarkLayout.Of(rows[0], options.Format);
        Func<string, string, string, IReadOnlyList<string>, int, string, MultipleChoiceItem> put = options.Letters ? MultipleChoiceItem.ByLetter : MultipleChoiceItem.InFull;
        return layout.Questions(rows, options).Zip(rows, (question, row) => put(
            row.Id ?? row.OptionalText("id") ?? row.OptionalText("pubid") ?? row.Place, question.Text, options.Cue, question.Options, question.Answer, options.Group ?? question.Subject ?? layout.Name));
    }
}
