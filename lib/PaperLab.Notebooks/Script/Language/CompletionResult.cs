// What an editor is offered at the cursor.

namespace PaperLab.Notebooks.Script.Language;

/// <summary>Texts that could stand in the place of a stretch of the source, best first.</summary>
/// <param name="Start">Where the stretch begins.</param>
/// <param name="End">Where it ends, exclusive.</param>
/// <param name="Items">The texts; each once.</param>
public sealed record CompletionResult(int Start, int End, IReadOnlyList<CompletionText> Items);

/// <summary>One text.</summary>
/// <param name="Text">What is inserted.</param>
/// <param name="Kind">What it names, in lower case: method, property, class, namespace, keyword, local, magic, …</param>
public sealed record CompletionText(string Text, string Kind);
