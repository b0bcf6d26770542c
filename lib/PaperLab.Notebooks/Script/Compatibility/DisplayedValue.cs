// What display() gives back: a handle on something shown, that can be replaced in place.

using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace Microsoft.DotNet.Interactive;

/// <summary>Something shown below a cell.</summary>
public sealed class DisplayedValue
{
    private readonly ICellOutputSink _sink;
    private readonly bool _isText;

    internal DisplayedValue(ICellOutputSink sink, string displayId, IReadOnlyCollection<string> mimeTypes, bool isText)
    {
        (_sink, DisplayId, MimeTypes, _isText) = (sink, displayId, mimeTypes, isText);
    }

    /// <summary>Names what is shown within this run of the notebook.</summary>
    public string DisplayId { get; }

    /// <summary>The MIME types it is shown in; an update uses the same.</summary>
    public IReadOnlyCollection<string> MimeTypes { get; }

    /// <summary>Shows <paramref name="updatedValue"/> (after DisplayAs: text in the same format) in the place of the earlier value, from this cell or any later one, on any thread.</summary>
    public void Update(object? updatedValue)
    {
        MimeBundle bundle = _isText && updatedValue is string text
            ? ValueFormatter.FromText(MimeTypes.First(), text)
            : ValueFormatter.Format(updatedValue, MimeTypes);
        _sink.Update(DisplayId, bundle);
    }
}
