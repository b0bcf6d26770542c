// One formatter as the convention wants it: a public MimeType and a public Format(object, TextWriter), found by name.

namespace PaperLab.Display.Mime;

/// <summary>Writes one MIME representation of values of <typeparamref name="T"/>.</summary>
public sealed class ConventionFormatter<T>(string mimeType, Func<T, string> write)
{
    /// <summary>The MIME type this formatter writes.</summary>
    public string MimeType { get; } = mimeType;

    /// <summary>The type it writes.</summary>
    public Type Type { get; } = typeof(T);

    /// <summary>Writes <paramref name="instance"/>; false when it is of another type.</summary>
    public bool Format(object instance, TextWriter writer)
    {
        if (instance is not T value)
        {
            return false;
        }

        writer.Write(write(value));
        return true;
    }
}
