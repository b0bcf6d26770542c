// A document as a source gives it, and as a corpus keeps it.

namespace PaperLab.Text;

/// <summary>Which side of the split a document is on.</summary>
public enum Split
{
    /// <summary>Seen in training; the tokenizer too is trained on this side only.</summary>
    Train,

    /// <summary>Never seen in training.</summary>
    HeldOut,
}

/// <summary>One document of a corpus.</summary>
/// <param name="Name">Where it comes from: a type, a resource file and chunk, a source file.</param>
/// <param name="Domain">Its domain, for example <c>prose</c> or <c>messages-de</c>.</param>
/// <param name="Split">Train or held out.</param>
/// <param name="Text">The cleaned text: valid UTF-16, lines end in \n.</param>
public sealed record Document(string Name, string Domain, Split Split, string Text);

/// <summary>One document before deduplication.</summary>
/// <param name="Name">Where it comes from.</param>
/// <param name="Group">Documents of one group, in whatever domain, always land on the same side of the split.</param>
/// <param name="Sections">Its parts in order; may be made as they are enumerated, since most documents of a large source are not taken.</param>
public sealed record SourceDocument(string Name, string Group, IEnumerable<Section> Sections);

/// <summary>A part of a document: a heading (kept only when a line under it is kept) and its lines.</summary>
/// <param name="Heading">A heading, or an empty string.</param>
/// <param name="Lines">The lines under it.</param>
public sealed record Section(string Heading, IReadOnlyList<string> Lines);

/// <summary>A source of the documents of one domain.</summary>
public interface ITextSource
{
    /// <summary>The domain that its documents belong to.</summary>
    string Domain { get; }

    /// <summary>True where a line that occurred earlier in the domain says nothing new (prose); false where it does (code).</summary>
    bool DropRepeatedLines { get; }

    /// <summary>Changes whenever the documents change; cheap to compute (file names and sizes, or contents where they are small).</summary>
    string Fingerprint();

    /// <summary>The documents, in any order.</summary>
    IEnumerable<SourceDocument> Read();
}
