// How a conversation becomes one text. Checkpoints say it as a Jinja program; running any such program would need an interpreter, so
// the formats of the common families are recognised by the marks that their programs write, and what varies between checkpoints of
// one family (a default system message, spaces, trimming, thinking) is read off the program:
//
//   ChatML    <|im_start|>user\n…<|im_end|>\n                        (Qwen)
//   Llama 3   <|start_header_id|>user<|end_header_id|>\n\n…<|eot_id|>
//   Llama 2   <s>[INST] <<SYS>>\n…\n<</SYS>>\n\n… [/INST] … </s>
//   Mistral   <s>[INST] …[/INST] …</s>
//
// Tools and images are not covered.

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PaperLab.Checkpoints;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">system, user or assistant.</param>
/// <param name="Content">Its text.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>The chat format of a checkpoint.</summary>
public sealed partial class ChatTemplate
{
    /// <summary>The file with the template's text, in newer checkpoints.</summary>
    public const string FileName = "chat_template.jinja";

    /// <summary>The file that holds the template and the tokens that begin and end a text.</summary>
    public const string ConfigFileName = "tokenizer_config.json";

    // Llama 3.1 and later put a date before the system message; this is the one that their program has where no clock is given to it.
    private const string Llama3Dates = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";

    private const string Remedy = "Encode the prompt by hand, or take a checkpoint with one of these formats: ChatML, Llama 3, Llama 2, Mistral.";

    private readonly string _program;
    private readonly string _begin, _end;
    private readonly Func<IReadOnlyList<ChatMessage>, bool, bool, IEnumerable<Piece>> _write;

    private ChatTemplate(string path, string program, string begin, string end)
    {
        (_program, _begin, _end) = (program, begin, end);
        bool Has(string mark) => program.Contains(mark, StringComparison.Ordinal);
        (Name, _write) = program switch
        {
            _ when Has("<|im_start|>") && Has("<|im_end|>") => ("ChatML", (Func<IReadOnlyList<ChatMessage>, bool, bool, IEnumerable<Piece>>)ChatMl),
            _ when Has("<|start_header_id|>") && Has("<|eot_id|>") => ("Llama 3", Llama3),
            _ when Has("<<SYS>>") && Has("[INST]") => ("Llama 2", Llama2),
            _ when OpeningMark().IsMatch(program) && ClosingMark().IsMatch(program) && AnswerMark().IsMatch(program) => ("Mistral", Mistral),
            _ => throw new CheckpointException(path, "its chat template is of no format that is known here.", Remedy),
        };
    }

    /// <summary>ChatML, Llama 3, Llama 2 or Mistral.</summary>
    public string Name { get; }

    /// <summary>Recognises the template in a checkpoint's folder.</summary>
    /// <exception cref="CheckpointException">There is none, or none that is known.</exception>
    public static ChatTemplate Read(string folder)
    {
        string configPath = Path.Combine(folder, ConfigFileName), path = Path.Combine(folder, FileName);
        var config = new ConfigFields(configPath, ConfigFields.ReadObject(configPath));
        string program = File.Exists(path) ? File.ReadAllText(path) : ProgramOf(config);
        return new ChatTemplate(File.Exists(path) ? path : configPath, program, TokenOf(config, "bos_token"), TokenOf(config, "eos_token"));
    }

    /// <summary>The conversation as text, with the special tokens spelled out.</summary>
    /// <param name="messages">Perhaps a system message, then user and assistant in turn.</param>
    /// <param name="addGenerationPrompt">Whether the text ends where the assistant's next message begins.</param>
    /// <param name="thinking">Whether a model that thinks first may; a format without thinking ignores it.</param>
    /// <exception cref="ArgumentException">The format has no place for such a conversation.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, bool thinking = true) =>
        string.Concat(Pieces(messages, addGenerationPrompt, thinking).Select(piece => piece.Text));

    /// <summary>The ids of <see cref="Render"/>'s text. A message that spells a special token stays text.</summary>
    /// <inheritdoc cref="Render"/>
    public int[] Encode(HuggingFaceTokenizer tokenizer, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, bool thinking = true) =>
        tokenizer.Encode(Pieces(messages, addGenerationPrompt, thinking).Select(piece => (piece.Text, piece.IsMark)));

    private IEnumerable<Piece> Pieces(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, bool thinking)
    {
        Require.That(messages.Count > 0, nameof(messages), "empty", "one or more");
        for (int i = 0; i < messages.Count; i++)
        {
            string role = messages[i].Role;
            Require.That(role is "user" or "assistant" || (role == "system" && i == 0), $"the role of message {i}", role, "user, assistant, and system for the first");
        }

        return _write(messages, addGenerationPrompt, thinking);
    }

    private IEnumerable<Piece> ChatMl(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, bool thinking)
    {
        if (_program.Contains("bos_token", StringComparison.Ordinal))
        {
            yield return Piece.Mark(_begin);
        }

        if (messages[0].Role != "system" && DefaultSystem().Match(_program) is { Success: true } systemMessage)
        {
            yield return Piece.Mark($"<|im_start|>system\n{systemMessage.Groups[1].Value.Replace(@"\n", "\n", StringComparison.Ordinal)}<|im_end|>\n");
        }

        bool thinks = _program.Contains("enable_thinking", StringComparison.Ordinal), trims = TrimsContent().IsMatch(_program);
        int lastQuestion = messages.Count - 1;
        while (lastQuestion > 0 && messages[lastQuestion].Role != "user")
        {
            lastQuestion--;
        }

        for (int i = 0; i < messages.Count; i++)
        {
            (string role, string content) = messages[i];
            yield return Piece.Mark($"<|im_start|>{role}\n");
            if (thinks && role == "assistant")
            {
                // Thoughts of answered questions are left out; the last message shows that there were none.
                (string thought, string answer) = Thought(content);
                if (i > lastQuestion && (i == messages.Count - 1 || thought.Length > 0))
                {
                    yield return Piece.Mark("<think>\n");
                    yield return Piece.Message(thought.Trim('\n'));
                    yield return Piece.Mark("\n</think>\n\n");
                    answer = answer.TrimStart('\n');
                }

                content = answer;
            }

            yield return Piece.Message(trims ? content.Trim() : content);
            yield return Piece.Mark("<|im_end|>\n");
        }

        if (addGenerationPrompt)
        {
            yield return Piece.Mark($"<|im_start|>assistant\n{(thinks && !thinking ? "<think>\n\n</think>\n\n" : "")}");
        }
    }

    private static (string Thought, string Answer) Thought(string content)
    {
        string[] parts = content.Split("</think>");
        return parts.Length == 1 ? ("", content) : (parts[0].TrimEnd('\n').Split("<think>")[^1].TrimStart('\n'), parts[^1].TrimStart('\n'));
    }

    private IEnumerable<Piece> Llama3(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, bool thinking)
    {
        static Piece Header(string role) => Piece.Mark($"<|start_header_id|>{role}<|end_header_id|>\n\n");
        bool dated = _program.Contains("Cutting Knowledge Date", StringComparison.Ordinal);
        yield return Piece.Mark(_begin);
        if (dated && messages[0].Role != "system")
        {
            messages = [new ChatMessage("system", ""), .. messages];
        }

        foreach ((string role, string content) in messages)
        {
            yield return Header(role);
            yield return Piece.Mark(dated && role == "system" ? Llama3Dates : "");
            yield return Piece.Message(content.Trim());
            yield return Piece.Mark("<|eot_id|>");
        }

        if (addGenerationPrompt)
        {
            yield return Header("assistant");
        }
    }

    private IEnumerable<Piece> Llama2(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, bool thinking)
    {
        (string? system, IReadOnlyList<ChatMessage> turns) = InTurns(messages);
        for (int i = 0; i < turns.Count; i++)
        {
            if (turns[i].Role == "assistant")
            {
                yield return Piece.Mark(" ");
                yield return Piece.Message(turns[i].Content.Trim());
                yield return Piece.Mark($" {_end}");
                continue;
            }

            yield return Piece.Mark($"{_begin}[INST] ");
            if (i == 0 && system is not null)
            {
                yield return Piece.Mark("<<SYS>>\n");
                yield return Piece.Message(system);
                yield return Piece.Mark("\n<</SYS>>\n\n");
                yield return Piece.Message(turns[i].Content.TrimEnd());
            }
            else
            {
                yield return Piece.Message(turns[i].Content.Trim());
            }

            yield return Piece.Mark(" [/INST]");
        }
    }

    private IEnumerable<Piece> Mistral(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, bool thinking)
    {
        (string? system, IReadOnlyList<ChatMessage> turns) = InTurns(messages);
        Require.That(system is null || _program.Contains("system_message", StringComparison.Ordinal), "the role of message 0", "system", "user: this checkpoint's format has no system message");
        (string opening, string closing, Match answer) = (OpeningMark().Match(_program).Groups[1].Value, ClosingMark().Match(_program).Groups[1].Value, AnswerMark().Match(_program));
        bool atTheEnd = _program.Contains("loop.last and system_message", StringComparison.Ordinal);
        int systemTurn = atTheEnd ? turns.Count - 1 : 0;
        yield return Piece.Mark(_begin);
        for (int i = 0; i < turns.Count; i++)
        {
            if (turns[i].Role == "assistant")
            {
                yield return Piece.Mark(answer.Groups["before"].Value);
                yield return Piece.Message(answer.Groups["trim"].Success ? turns[i].Content.Trim() : turns[i].Content);
                yield return Piece.Mark(_end + answer.Groups["after"].Value);
                continue;
            }

            yield return Piece.Mark(opening);
            if (i == systemTurn && system is not null)
            {
                yield return Piece.Message($"{system}\n\n");
            }

            yield return Piece.Message(turns[i].Content);
            yield return Piece.Mark(closing);
        }
    }

    // These formats have no mark for a role, so only the order says who speaks.
    private static (string? System, IReadOnlyList<ChatMessage> Turns) InTurns(IReadOnlyList<ChatMessage> messages)
    {
        bool hasSystem = messages[0].Role == "system";
        IReadOnlyList<ChatMessage> turns = hasSystem ? [.. messages.Skip(1)] : messages;
        for (int i = 0; i < turns.Count; i++)
        {
            string expected = i % 2 == 0 ? "user" : "assistant";
            Require.That(turns[i].Role == expected, $"the role of message {i + (hasSystem ? 1 : 0)}", turns[i].Role, $"{expected}: user and assistant alternate in this format");
        }

        return (hasSystem ? messages[0].Content : null, turns);
    }

    // One program, or several by name.
    private static string ProgramOf(ConfigFields config) => config.Node("chat_template") switch
    {
        JsonArray => config.Objects("chat_template").FirstOrDefault(named => named.Text("name") == "default")?.Text("template")
            ?? throw config.Wrong("chat_template", "a template, or several of which one is named default", Remedy),
        _ => config.Text("chat_template") ?? throw config.Wrong("chat_template", $"a template here or in {FileName}", "This checkpoint is not made for conversations; encode the prompt by hand."),
    };

    // "<s>", or an object with its content.
    private static string TokenOf(ConfigFields config, string name) =>
        (config.Node(name)?.GetValueKind() == JsonValueKind.Object ? config.Object(name)!.Text("content") : config.Text(name)) ?? "";

    // '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' as one literal: what is said where no system message is given.
    [GeneratedRegex(@"<\|im_start\|>system(?:\\n|\n)([^'""{}<]+)<\|im_end\|>")]
    private static partial Regex DefaultSystem();

    [GeneratedRegex(@"content(?:['""]\])?\s*\|\s*trim")]
    private static partial Regex TrimsContent();

    [GeneratedRegex(@"['""](\s*\[INST\]\s*)['""]")]
    private static partial Regex OpeningMark();

    [GeneratedRegex(@"['""](\s*\[/INST\]\s*)['""]")]
    private static partial Regex ClosingMark();

    // ' ' + message['content'] | trim + eos_token + ' ', of which all but the content and the token may be missing.
    [GeneratedRegex(@"\{\{-?\s*(?:['""](?<before>\s*)['""]\s*\+\s*)?message(?:\[['""]content['""]\]|\.content)\s*(?<trim>\|\s*trim\s*)?\+\s*eos_token\s*(?:\+\s*['""](?<after>\s*)['""]\s*)?-?\}\}")]
    private static partial Regex AnswerMark();

    /// <summary>Part of the text: the format's own, in which special tokens are spelled, or a message's.</summary>
    private readonly record struct Piece(string Text, bool IsMark)
    {
        public static Piece Mark(string text) => new(text, true);

        public static Piece Message(string text) => new(text, false);
    }
}
