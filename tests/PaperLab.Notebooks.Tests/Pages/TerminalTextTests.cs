using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Tests.Pages;

public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("a\nb\n", "a\nb\n")]
    [InlineData("a\r\nb", "a\nb")]
    [InlineData("10 %\r20 %\r100 %", "100 %")]
    [InlineData("long line\rnew", "newg line")]
    [InlineData("long line\r\e[Knew", "new")]
    [InlineData("ab\bc", "ac")]
    [InlineData("<script>&\"", "&lt;script&gt;&amp;&quot;")]
    [InlineData("\e[31mred\e[0m plain", "<span style=\"color:var(--ansi-1)\">red</span> plain")]
    [InlineData("\e[1;92mok", "<span style=\"color:var(--ansi-10);font-weight:bold\">ok</span>")]
    [InlineData("\e[31ma\nb\e[39mc", "<span style=\"color:var(--ansi-1)\">a</span>\n<span style=\"color:var(--ansi-1)\">b</span>c")]
    [InlineData("\e[38;5;196mx", "<span style=\"color:rgb(255,0,0)\">x</span>")]
    [InlineData("\e[48;2;1;2;300mx", "<span style=\"background:rgb(1,2,255)\">x</span>")]
    [InlineData("\e[7mx", "<span style=\"color:var(--surface);background:var(--text)\">x</span>")]
    [InlineData("\e]0;a title\ax\e[2Jy\e[?25lz", "xyz")]
    [InlineData("\e[38;5mx", "x")]
    [InlineData("x\e", "x")]
    [InlineData("x\e[3", "x")]
    [InlineData("x\0\u0007y", "xy")]
    [InlineData("😀\rab", "ab")]
    public void Text_looks_as_a_terminal_would_leave_it(string text, string expected)
    {
        Assert.Equal(expected, TerminalText.ToHtml(text));
    }
}
