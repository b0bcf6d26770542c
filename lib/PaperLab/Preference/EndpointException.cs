namespace PaperLab.Preference;

/// <summary>A chat endpoint refused, or did not mend in time. The message says where, what the server said, what is saved and what to do; it holds no key.</summary>
public sealed class EndpointException : Exception
{
    // Without the exception behind it: its text may repeat what was sent.
    internal EndpointException(string message, int? status)
        : base(message) => Status = status;

    /// <summary>The HTTP status; null where no answer came.</summary>
    public int? Status { get; }
}
