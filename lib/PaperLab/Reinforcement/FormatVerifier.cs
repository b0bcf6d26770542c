// Does the completion have the answer format? (arXiv 2501.12948, section 2.2: "format rewards".)

namespace PaperLab.Reinforcement;

/// <summary>1 for a completion in <see cref="ResponseFormat"/> that ended by itself, 0 otherwise.</summary>
public sealed class FormatVerifier : IVerifier
{
    /// <inheritdoc/>
    public string Name => "format";

    /// <inheritdoc/>
    public VerifierRole Role => VerifierRole.Format;

    /// <inheritdoc/>
    public Score Judge(Sample sample) =>
        ResponseFormat.Read(sample.Completion.Text, out string fault) is null ? Score.Wrong(fault)
        : sample.Completion.Truncated ? Score.Wrong("truncated: something was to follow the answer")
        : Score.Right("as asked");
}
