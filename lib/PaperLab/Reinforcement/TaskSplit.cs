// Which side of the split a problem is on: decided by a hash of what makes it the problem that it is, so that no draw can put it on both.

using PaperLab.Text;

namespace PaperLab.Reinforcement;

internal static class TaskSplit
{
    /// <summary>Draws that are tried before a task is said to have no such problem.</summary>
    public const int MostAttempts = 20_000;

    public static Split Of(string key, double heldOutShare) => StableHash.Fraction(key) < heldOutShare ? Split.HeldOut : Split.Train;

    public static void RequireShare(double share, string field) => Require.That(share is >= 0.05 and <= 0.5, field, share, "0.05 to 0.5");

    /// <summary>The generator of a draw: other seeds and other difficulties give unrelated numbers.</summary>
    public static SplitMix64 Random(int difficulty, ulong seed) => new(StableHash.Mix(seed) + StableHash.Mix((ulong)difficulty));
}
