using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Format;

public sealed class MimeBundleTests
{
    [Fact]
    public void A_bundle_without_plain_text_reads_as_empty_text()
    {
        Assert.Equal("", new MimeBundle([]).PlainText);
    }
}
