namespace PaperLab.Preference;

/// <summary>What an endpoint was asked and what that cost, up to now.</summary>
/// <param name="Model">The model.</param>
/// <param name="Host">Where it runs.</param>
/// <param name="Calls">Calls that brought a reply.</param>
/// <param name="Retries">Tries that were repeated.</param>
/// <param name="Reused">Replies that were found saved, so that no call was made.</param>
/// <param name="Unusable">Replies, called for or reused, that were empty, cut off or not of the form that was asked for.</param>
/// <param name="PromptTokens">Tokens that the calls' models read.</param>
/// <param name="GeneratedTokens">Tokens that they wrote.</param>
/// <param name="Estimated">Calls whose tokens the server did not report: they count as a quarter of the characters.</param>
public sealed record ChatAccount(string Model, string Host, int Calls, int Retries, int Reused, int Unusable, long PromptTokens, long GeneratedTokens, int Estimated)
{
    /// <summary>One line for a person.</summary>
    public override string ToString() =>
        $"{Model} at {Host}: {Calls} calls ({Retries} retries), {Reused} replies reused, {Unusable} unusable; {PromptTokens:N0} tokens read, {GeneratedTokens:N0} written"
        + (Estimated == 0 ? "" : $" (estimated for {Estimated} calls)");
}
