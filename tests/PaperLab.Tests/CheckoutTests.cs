namespace PaperLab.Tests;

public sealed class CheckoutTests
{
    [Fact]
    public void The_tests_run_inside_a_checkout()
    {
        Assert.True(File.Exists(Path.Combine(Checkout.Root!, "PaperLab.sln")));
    }

    [Fact]
    public void The_revision_is_a_commit_or_says_that_it_is_unknown()
    {
        string revision = Checkout.Revision();

        Assert.True(revision == "unknown" || (revision.Length == 40 && revision.All(char.IsAsciiHexDigitLower)), revision);
        Assert.Equal(Path.Exists(Path.Combine(Checkout.Root!, ".git")), revision != "unknown");
    }
}
