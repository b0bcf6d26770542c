// The claims of an executed page, as its claims tables tell them to programs: for the comparison of a run with a recorded one, and for
// collections of claims across pages.

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Pages;

/// <summary>One claim of a page.</summary>
/// <param name="Statement">The claim in the page's words. Two claims of a page may have the same.</param>
/// <param name="Paper">The paper's own figure, as the page quotes it.</param>
/// <param name="Setting">The setting here: model size, tokens, seeds.</param>
/// <param name="Verdict">"supported", "contradicted", "inconclusive" or "not testable here".</param>
/// <param name="Estimate">The measured value; null where the claim cannot be tested here.</param>
/// <param name="Low">Lower bound of its interval; null where there is none.</param>
/// <param name="High">Upper bound of its interval; null where there is none.</param>
/// <param name="Observations">How many seeds or items stand behind it; null where the claim cannot be tested here.</param>
/// <param name="Level">Coverage of the interval, such as 0.95; null where the claim cannot be tested here.</param>
/// <param name="Unit">What the value counts; null where the claim cannot be tested here.</param>
/// <param name="Reason">Why the claim cannot be tested here; null where it was.</param>
public sealed record PageClaim(
    [property: JsonRequired, JsonPropertyName("claim")] string Statement,
    [property: JsonRequired] string Paper,
    [property: JsonRequired] string Setting,
    [property: JsonRequired] string Verdict,
    double? Estimate = null,
    double? Low = null,
    double? High = null,
    int? Observations = null,
    double? Level = null,
    string? Unit = null,
    string? Reason = null)
{
    /// <summary>The verdicts that a claim may have.</summary>
    public static IReadOnlyList<string> Verdicts { get; } = ["supported", "contradicted", "inconclusive", "not testable here"];
}

/// <summary>Reads claims from pages.</summary>
public static class PageClaims
{
    /// <summary>The MIME type under which PaperLab.Display's ClaimsTable gives its claims.</summary>
    public const string MimeType = "application/vnd.paperlab.claims+json";

    /// <summary>The claims in the outputs of <paramref name="page"/>, in their order; none where no table is among them.</summary>
    /// <exception cref="JsonException">A table's claims are damaged; the message names the cell.</exception>
    public static IReadOnlyList<PageClaim> Of(Notebook page)
    {
        var claims = new List<PageClaim>();
        foreach (Cell cell in page.Cells)
        {
            try
            {
                claims.AddRange(cell.Outputs.SelectMany(Of));
            }
            catch (JsonException error)
            {
                throw new JsonException($"the claims in the output of cell {cell.Id} cannot be read: {error.Message}", error);
            }
        }

        return claims;
    }

    /// <summary>The claims that an output shows; none where it shows something else than a claims table.</summary>
    /// <exception cref="JsonException">They are damaged.</exception>
    public static IReadOnlyList<PageClaim> Of(CellOutput output)
    {
        if (output.Shown()?[MimeType] is not { } table)
        {
            return [];
        }

        PageClaim[] claims = (table as JsonObject)?["claims"].Deserialize(PageClaimsJson.Default.PageClaimArray) ?? throw new JsonException("there is no list \"claims\".");
        return claims.FirstOrDefault(claim => !PageClaim.Verdicts.Contains(claim.Verdict)) is { } odd
            ? throw new JsonException($"the verdict of \"{odd.Statement}\" is \"{odd.Verdict}\"; it must be one of: {string.Join(", ", PageClaim.Verdicts)}.")
            : claims;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PageClaim[]))]
internal sealed partial class PageClaimsJson : JsonSerializerContext;
