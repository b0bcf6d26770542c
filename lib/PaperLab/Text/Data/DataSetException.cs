// Why a data set could not be had.

namespace PaperLab.Text.Data;

/// <summary>What kind of trouble it is.</summary>
public enum DataSetProblem
{
    /// <summary>The client that fetches it (npm, apt-get) is not on this machine.</summary>
    ClientMissing,

    /// <summary>The client ran and failed.</summary>
    FetchFailed,

    /// <summary>A file came, or is there, that is not the recorded one.</summary>
    WrongContent,

    /// <summary>It was never fetched.</summary>
    NotFetched,
}

/// <summary>A data set could not be fetched or read; the message says what to do.</summary>
public sealed class DataSetException(DataSetProblem problem, string message) : Exception(message)
{
    /// <summary>What kind of trouble it is.</summary>
    public DataSetProblem Problem { get; } = problem;
}
