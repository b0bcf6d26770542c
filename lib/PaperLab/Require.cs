namespace PaperLab;

/// <summary>Checks of configuration fields; every message names the field, its value and what is allowed.</summary>
internal static class Require
{
    public static void AtLeast(int value, int minimum, string field) => That(value >= minimum, field, value, $"{minimum} or more");

    public static void That(bool holds, string field, object? value, string allowed)
    {
        if (!holds)
        {
            throw new ArgumentException($"{field} is {value}; allowed: {allowed}.", field);
        }
    }
}
