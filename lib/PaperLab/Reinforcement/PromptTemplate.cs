// How a question is put to a model that was trained on text rather than on a task's symbols: the answer format, then the question, in
// the manner of the paper's template (arXiv 2501.12948, Table 1).
// Differs from the paper: our own wording, shorter, for models far smaller than the paper's.

namespace PaperLab.Reinforcement;

/// <summary>Templates for prompts.</summary>
public static class PromptTemplate
{
    /// <summary>For base models: asks for chain and answer in the answer format.</summary>
    public static string Reasoning(string question) =>
        $"The assistant answers the user's question. It thinks step by step between {ResponseFormat.ThinkBegin} and {ResponseFormat.ThinkEnd}, "
        + $"then gives the final answer, and nothing else, between {ResponseFormat.AnswerBegin} and {ResponseFormat.AnswerEnd}.\nUser: {question}\nAssistant: ";
}
