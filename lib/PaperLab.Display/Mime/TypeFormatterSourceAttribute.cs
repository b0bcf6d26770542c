// The notebook hosts' convention for types that know how to show themselves. Hosts look for an attribute class of this simple
// name, so a library needs no reference to any of them: .NET Interactive, its Formatting package and our own engine all read it.

namespace PaperLab.Display.Mime;

/// <summary>Names the class that supplies a type's formatters, and the MIME types it wants shown, richest first.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    /// <summary>A class with a parameterless constructor and <c>IEnumerable&lt;object&gt; CreateTypeFormatters()</c>.</summary>
    public Type FormatterSourceType { get; } = formatterSourceType;

    /// <summary>The MIME types a host should produce for the type, richest first.</summary>
    public string[] PreferredMimeTypes { get; set; } = [];
}
