// Figures cross into the renderer's own load context as text, so that no type has to be shared between the two.

using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaperLab.Display.Rendering;

internal static class FigureJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };
}
