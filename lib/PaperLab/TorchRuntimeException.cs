namespace PaperLab;

/// <summary>Torch cannot run here as asked: natives missing, of another version, or no such device. The message says what was looked for, where, and what to do.</summary>
public sealed class TorchRuntimeException : Exception
{
    public TorchRuntimeException()
    {
    }

    public TorchRuntimeException(string message)
        : base(message)
    {
    }

    public TorchRuntimeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
