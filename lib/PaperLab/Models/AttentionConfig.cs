// What can differ in attention: how many heads keys and values have, how wide they are, and what happens to queries.

using System.Text.Json.Serialization;

namespace PaperLab.Models;

/// <summary>
/// Departures from plain multi-head attention. Grouped-query attention has fewer key and value heads than query heads, multi-query
/// one of each; DiffQKV (SIGMA, arXiv 2501.13629, section 2) chooses keys and values apart. Head i of H uses key head ⌊i·Hk/H⌋ and
/// value head ⌊i·Hv/H⌋.
/// </summary>
public sealed record AttentionConfig
{
    /// <summary>Hk: key heads; null for as many as query heads.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? KeyHeads { get; init; }

    /// <summary>Hv: value heads; null for as many as query heads.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ValueHeads { get; init; }

    /// <summary>D: width of a query and of a key; null for Width / Heads.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? KeyWidth { get; init; }

    /// <summary>Dv: width of a value; null for Width / Heads.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ValueWidth { get; init; }

    /// <summary>Augmented queries (SIGMA): inner width of the gated layer q ← Wdown(SiLU(Wgate·q) ⊙ Wup·q) after the query projection; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? QueryHidden { get; init; }

    /// <summary>Selective values (SIGMA): only the values of this many highest-scored positions are read; null reads all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SelectedValues { get; init; }

    /// <summary>A position sees itself and at most this many positions less one before it (Mistral); null sees all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SlidingWindow { get; init; }

    /// <summary>Whether the query, key and value projections add a bias (Qwen2).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool QkvBias { get; init; }

    /// <summary>Whether the output projection adds a bias (Llama's attention_bias).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool OutputBias { get; init; }

    /// <summary>Whether each head's query and key pass an RMSNorm before they are turned (Qwen3).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool QkNorm { get; init; }
}

/// <summary>An attention layer's sizes with every default filled in.</summary>
/// <param name="Heads">H: query heads.</param>
/// <param name="KeyHeads">Hk: key heads.</param>
/// <param name="ValueHeads">Hv: value heads.</param>
/// <param name="KeyWidth">D: width of a query and a key.</param>
/// <param name="ValueWidth">Dv: width of a value.</param>
public readonly record struct AttentionShape(int Heads, int KeyHeads, int ValueHeads, int KeyWidth, int ValueWidth)
{
    /// <summary>Elements that a layer caches for one token.</summary>
    public int CacheElements => (KeyHeads * KeyWidth) + (ValueHeads * ValueWidth);

    /// <summary>Weights of one attention layer of <paramref name="config"/>: C·(H·D + Hk·D + Hv·Dv) + H·Dv·C, and 3·H·D·F of an augmented query.</summary>
    public static long WeightsOf(TransformerConfig config)
    {
        AttentionShape shape = Of(config);
        long queryWidth = shape.Heads * shape.KeyWidth;
        return (config.Width * (queryWidth + shape.CacheElements + (shape.Heads * shape.ValueWidth))) + (3 * queryWidth * (config.Attention?.QueryHidden ?? 0));
    }

    /// <summary>The sizes that <paramref name="config"/> describes.</summary>
    /// <exception cref="ArgumentException">They do not fit together; the message names the field.</exception>
    public static AttentionShape Of(TransformerConfig config)
    {
        AttentionConfig attention = config.Attention ?? new AttentionConfig();
        int headWidth = config.Width / config.Heads;
        bool divides = config.Width % config.Heads == 0;
        Require.That(
            divides || (attention.KeyWidth is not null && attention.ValueWidth is not null),
            nameof(config.Heads),
            config.Heads,
            $"a number that divides Width = {config.Width}, unless Attention gives KeyWidth and ValueWidth");
        var shape = new AttentionShape(
            config.Heads,
            attention.KeyHeads ?? config.Heads,
            attention.ValueHeads ?? config.Heads,
            attention.KeyWidth ?? headWidth,
            attention.ValueWidth ?? headWidth);
        RequireSharedHeads(nameof(attention.KeyHeads), shape.KeyHeads, config.Heads);
        RequireSharedHeads(nameof(attention.ValueHeads), shape.ValueHeads, config.Heads);
        (int most, int fewest) = (Math.Max(shape.KeyHeads, shape.ValueHeads), Math.Min(shape.KeyHeads, shape.ValueHeads));
        Require.That(most % fewest == 0, nameof(attention.ValueHeads), shape.ValueHeads, $"a multiple or a divisor of KeyHeads = {shape.KeyHeads}");
        Require.That(
            shape.KeyWidth >= 2 && shape.KeyWidth % 2 == 0,
            attention.KeyWidth is null ? nameof(config.Heads) : nameof(attention.KeyWidth),
            attention.KeyWidth ?? config.Heads,
            $"a number that makes queries and keys of even width, because rotary positions turn pairs (here {shape.KeyWidth})");
        Require.AtLeast(shape.ValueWidth, 1, nameof(attention.ValueWidth));
        Require.AtLeast(attention.QueryHidden ?? 1, 1, nameof(attention.QueryHidden));
        Require.AtLeast(attention.SelectedValues ?? 1, 1, nameof(attention.SelectedValues));
        Require.AtLeast(attention.SlidingWindow ?? 1, 1, nameof(attention.SlidingWindow));
        return shape;
    }

    private static void RequireSharedHeads(string field, int heads, int queryHeads) =>
        Require.That(heads >= 1 && queryHeads % heads == 0, field, heads, $"a divisor of Heads = {queryHeads}");
}
