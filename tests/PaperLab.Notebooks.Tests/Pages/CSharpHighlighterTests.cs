using System.Net;
using System.Text.RegularExpressions;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Tests.Pages;

public sealed class CSharpHighlighterTests
{
    [Theory]
    [InlineData("var x = 1;", "<span class=\"k\">var</span> x = <span class=\"n\">1</span>;")]
    [InlineData("int var = 2;", "<span class=\"k\">int</span> var = <span class=\"n\">2</span>;")]
    [InlineData("Console.WriteLine(\"a<b\");", "<span class=\"t\">Console</span>.<span class=\"m\">WriteLine</span>(<span class=\"s\">&quot;a&lt;b&quot;</span>);")]
    [InlineData("List<Layer> layers = new();", "<span class=\"t\">List</span>&lt;<span class=\"t\">Layer</span>&gt; layers = <span class=\"k\">new</span>();")]
    [InlineData("// why", "<span class=\"c\">// why</span>")]
    [InlineData("x /* y */ ;", "x <span class=\"c\">/* y */</span> ;")]
    [InlineData("$\"{p:0.0} of\"", "<span class=\"s\">$&quot;</span>{p:<span class=\"s\">0.0</span>}<span class=\"s\"> of</span><span class=\"s\">&quot;</span>")]
    [InlineData("#r \"../lib/out/A.dll\"", "<span class=\"d\">#r &quot;../lib/out/A.dll&quot;</span>")]
    [InlineData("#!time\nF();", "<span class=\"d\">#!time</span>\n<span class=\"m\">F</span>();")]
    [InlineData("#!html\n<b>new</b>", "<span class=\"d\">#!html</span>\n&lt;b&gt;new&lt;/b&gt;")]
    [InlineData("model?.Forward(x)", "model?.<span class=\"m\">Forward</span>(x)")]
    [InlineData("record Point(int X);", "<span class=\"k\">record</span> <span class=\"t\">Point</span>(<span class=\"k\">int</span> X);")]
    public void Code_is_coloured_by_what_it_is(string code, string expected)
    {
        Assert.Equal(expected, CSharpHighlighter.ToHtml(code));
    }

    [Theory]
    [InlineData("")]
    [InlineData("class {{{ ) \"never closed")]
    [InlineData("var s = \"\"\"\n#!html\nnew <b>\n\"\"\"; // #r \"x\"\n")]
    [InlineData("#r\n#i\n#!\n#! \n")]
    [InlineData("#if DEBUG\nint x;\n#endif\n#region a\n#endregion")]
    [InlineData("int? x = a ? b : c; new .Foo(); Foo.();\r\n#!javascript\r\nlet x = `${y}`;\r\n#!csharp\r\nint z;")]
    [InlineData("await foreach (var (a, b) in pairs.Where(p => p is { X: > 0 } and not Q)) yield return nameof(a);")]
    [InlineData("string 日本 = \"😀\"; \uD800 é")]
    public void Not_a_character_is_lost_or_added_even_in_broken_code(string code)
    {
        string text = WebUtility.HtmlDecode(Regex.Replace(CSharpHighlighter.ToHtml(code), "<[^>]*>", ""));

        Assert.Equal(code, text);
    }
}
