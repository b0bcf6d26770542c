// Questions from a file in the format of GSM8K (arXiv 2110.14168): a JSON object a line, {"question": "…", "answer": "… #### 42"}.
// The file is the reader's own; nothing of it is kept here.

using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using PaperLab.Text;

namespace PaperLab.Reinforcement;

/// <summary>Draws questions of a file. They have one difficulty.</summary>
public sealed partial class WordProblemTask : ITask
{
    private const string Expected = """{"question": "…", "answer": "… #### 42"}""";
    private const string Marker = "####";
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _path;
    private readonly Entry[] _train;
    private readonly Entry[] _heldOut;

    private WordProblemTask(string path, IReadOnlyList<Entry> entries, double heldOutShare)
    {
        _path = path;
        ILookup<Split, Entry> sides = entries.ToLookup(entry => TaskSplit.Of(entry.Question, heldOutShare));
        (_train, _heldOut) = ([.. sides[Split.Train]], [.. sides[Split.HeldOut]]);
    }

    /// <inheritdoc/>
    public string Name => Path.GetFileName(_path);

    /// <inheritdoc/>
    public IReadOnlyList<int> Difficulties { get; } = [1];

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file, in UTF-8. Empty lines are passed over.</param>
    /// <param name="heldOutShare">About this share of the questions is held out, 0 to 1: 0 for a file to train on, 1 for one to test on. A question that stands there twice is on one side.</param>
    /// <param name="template">Makes a prompt of a question; <see cref="PromptTemplate.Reasoning"/> by default.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A line is not as expected; the message names file, line, field, what was found and what is expected.</exception>
    public static WordProblemTask Read(string path, double heldOutShare = 0.1, Func<string, string>? template = null)
    {
        Require.That(heldOutShare is >= 0 and <= 1, nameof(heldOutShare), heldOutShare, "0 to 1");
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path} does not exist. Give a file of lines {Expected}.", path);
        }

        template ??= PromptTemplate.Reasoning;
        ReadOnlySpan<byte> bytes = File.ReadAllBytes(path);
        bytes = bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
        var entries = new List<Entry>();
        int number = 0;
        foreach (Range range in bytes.Split((byte)'\n'))
        {
            string where = $"{path}, line {++number}";
            string line = TextOf(bytes[range], where);
            if (!string.IsNullOrWhiteSpace(line))
            {
                entries.Add(EntryOf(line, where, template));
            }
        }

        return entries.Count > 0 ? new WordProblemTask(path, entries, heldOutShare) : throw new InvalidDataException($"{path} holds no problem; expected lines {Expected}.");
    }

    /// <summary>All problems of one side, in the file's order.</summary>
    public IReadOnlyList<NumberProblem> All(Split split) => [.. Side(split).Select(entry => entry.Problem)];

    /// <inheritdoc/>
    public Problem Draw(Split split, int difficulty, ulong seed) => Pick(split, difficulty, seed).Problem;

    /// <summary>A question of the train side with the file's own solution as its chain.</summary>
    public Demonstration Demonstrate(int difficulty, ulong seed)
    {
        Entry entry = Pick(Split.Train, difficulty, seed);
        return new Demonstration(entry.Problem, ResponseFormat.Write(entry.Solution, entry.Answer));
    }

    private Entry[] Side(Split split) => split == Split.Train ? _train : _heldOut;

    private Entry Pick(Split split, int difficulty, ulong seed)
    {
        this.RequireDifficulty(difficulty);
        Require.That(Side(split).Length > 0, $"the number of {split} problems of {_path}", 0, "1 or more; take another share to hold out, or a longer file");
        return Side(split)[TaskSplit.Random(difficulty, seed).Next(Side(split).Length)];
    }

    private static string TextOf(ReadOnlySpan<byte> line, string where)
    {
        try
        {
            return s_utf8.GetString(line);
        }
        catch (DecoderFallbackException error)
        {
            throw new InvalidDataException($"{where} is not UTF-8 ({error.Message}). Save the file as UTF-8.", error);
        }
    }

    private static Entry EntryOf(string line, string where, Func<string, string> template)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, new JsonDocumentOptions { AllowDuplicateProperties = false });
            string question = FieldOf(document.RootElement, "question", where);
            string answer = FieldOf(document.RootElement, "answer", where);
            int marker = answer.LastIndexOf(Marker, StringComparison.Ordinal);
            string number = marker < 0 ? "" : answer[(marker + Marker.Length)..].Trim();
            Rational value = NumberText.Read(number)
                ?? throw new InvalidDataException($"{where}: the field 'answer' ends in {Shown(marker < 0 ? answer : answer[marker..])}; expected '{Marker}' and a number, such as {Marker} 1,234 or {Marker} -2.50.");
            string solution = Calculation().Replace(answer[..marker], "").Trim();
            return new Entry(question, new NumberProblem(template(question), value), solution, number);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{where} is no JSON object: {error.Message} Found {Shown(line)}; expected {Expected}.", error);
        }
    }

    private static string FieldOf(JsonElement entry, string field, string where)
    {
        if (entry.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"{where} is no JSON object. Found {Shown(entry.GetRawText())}; expected {Expected}.");
        }

        if (!entry.TryGetProperty(field, out JsonElement value))
        {
            string found = string.Join(", ", entry.EnumerateObject().Select(property => property.Name));
            throw new InvalidDataException($"{where}: the field '{field}' is missing. Found {(found.Length > 0 ? found : "no field")}; expected {Expected}.");
        }

        return value.ValueKind == JsonValueKind.String && !string.IsNullOrWhiteSpace(value.GetString())
            ? value.GetString()!
            : throw new InvalidDataException($"{where}: the field '{field}' is {Shown(value.GetRawText())}; expected a text that is not empty.");
    }

    private static string Shown(string text) => text.Length <= 60 ? text : $"…{text[^60..]}";

    // GSM8K's notes for a calculator, <<6*7=42>>.
    [GeneratedRegex("<<[^<>]*>>", RegexOptions.CultureInvariant)]
    private static partial Regex Calculation();

    private sealed record Entry(string Question, NumberProblem Problem, string Solution, string Answer);
}
