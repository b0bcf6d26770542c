namespace PaperLab.Checkpoints;

/// <summary>A checkpoint cannot be read or written as it is. The message names the file, the tensor or field, what was found, what is allowed, and what to do.</summary>
public sealed class CheckpointException(string file, string problem, string remedy, Exception? innerException = null)
    : Exception($"{file}: {problem} {remedy}", innerException)
{
    /// <summary>The file that the trouble is in.</summary>
    public string File { get; } = file;
}
