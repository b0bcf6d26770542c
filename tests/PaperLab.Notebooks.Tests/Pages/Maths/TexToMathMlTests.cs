using System.Xml.Linq;
using PaperLab.Notebooks.Pages.Maths;

namespace PaperLab.Notebooks.Tests.Pages.Maths;

public sealed class TexToMathMlTests
{
    private const string Binary = "lspace=\"0.2222em\" rspace=\"0.2222em\"";
    private const string Relation = "lspace=\"0.2778em\" rspace=\"0.2778em\"";
    private const string Tight = "lspace=\"0\" rspace=\"0\"";

    [Theory]
    [InlineData("x", "<mi>x</mi>")]
    [InlineData("12.5", "<mn>12.5</mn>")]
    [InlineData("ab", "<mi>a</mi><mi>b</mi>")]
    [InlineData(@"\alpha", "<mi>α</mi>")]
    [InlineData(@"\Gamma", "<mi mathvariant=\"normal\">Γ</mi>")]
    [InlineData(@"x^2", "<msup><mi>x</mi><mn>2</mn></msup>")]
    [InlineData(@"x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>")]
    [InlineData(@"x^2_i", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>")]
    [InlineData(@"x^12", "<msup><mi>x</mi><mn>1</mn></msup><mn>2</mn>")]
    [InlineData(@"f'", "<msup><mi>f</mi><mo>′</mo></msup>")]
    [InlineData(@"f''^2", "<msup><mi>f</mi><mrow><mo>′′</mo><mn>2</mn></mrow></msup>")]
    [InlineData(@"{}^2", "<msup><mrow /><mn>2</mn></msup>")]
    [InlineData(@"\frac{a}{b}", "<mfrac><mi>a</mi><mi>b</mi></mfrac>")]
    [InlineData(@"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>")]
    [InlineData(@"\tfrac12", "<mstyle displaystyle=\"false\"><mfrac><mn>1</mn><mn>2</mn></mfrac></mstyle>")]
    [InlineData(@"\sqrt{x}", "<msqrt><mi>x</mi></msqrt>")]
    [InlineData(@"\sqrt[3]{x}", "<mroot><mi>x</mi><mn>3</mn></mroot>")]
    [InlineData(@"\sum_{i}^n", "<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover>")]
    [InlineData(@"\prod_k", "<munder><mo>∏</mo><mi>k</mi></munder>")]
    [InlineData(@"\int_0^1", "<msubsup><mo>∫</mo><mn>0</mn><mn>1</mn></msubsup>")]
    [InlineData(@"\int\limits_0", "<munder><mo>∫</mo><mn>0</mn></munder>")]
    [InlineData(@"\hat x", "<mover accent=\"true\"><mi>x</mi><mo stretchy=\"false\">^</mo></mover>")]
    [InlineData(@"\widetilde{x}", "<mover accent=\"true\"><mi>x</mi><mo stretchy=\"true\">~</mo></mover>")]
    [InlineData(@"\lVert x\rVert", "<mo form=\"prefix\" stretchy=\"false\">‖</mo><mi>x</mi><mo form=\"postfix\" stretchy=\"false\">‖</mo>")]
    [InlineData(@"\|", "<mo lspace=\"0\" rspace=\"0\" stretchy=\"false\">‖</mo>")]
    [InlineData(@"\left(x\right]", "<mo form=\"prefix\" stretchy=\"true\">(</mo><mi>x</mi><mo form=\"postfix\" stretchy=\"true\">]</mo>")]
    [InlineData(@"\left.x\right|", "<mi>x</mi><mo form=\"postfix\" stretchy=\"true\">|</mo>")]
    [InlineData(@"\mathbb{R}", "<mi mathvariant=\"normal\">ℝ</mi>")]
    [InlineData(@"\mathbb{E}", "<mi mathvariant=\"normal\">𝔼</mi>")]
    [InlineData(@"\mathcal{L}", "<mi mathvariant=\"normal\">ℒ</mi>")]
    [InlineData(@"\mathbf{W}", "<mi mathvariant=\"normal\">𝐖</mi>")]
    [InlineData(@"\boldsymbol{\theta}", "<mi mathvariant=\"normal\">𝜽</mi>")]
    [InlineData(@"\mathrm{KL}", "<mi>KL</mi>")]
    [InlineData(@"\operatorname{clip}(x)", "<mi>clip</mi><mo>\u2061</mo><mo stretchy=\"false\">(</mo><mi>x</mi><mo stretchy=\"false\">)</mo>")]
    [InlineData(@"\log x", "<mi>log</mi><mo>\u2061</mo><mspace width=\"0.1667em\" /><mi>x</mi>")]
    [InlineData(@"2\log x", "<mn>2</mn><mspace width=\"0.1667em\" /><mi>log</mi><mo>\u2061</mo><mspace width=\"0.1667em\" /><mi>x</mi>")]
    [InlineData(@"\max_a Q", "<munder><mo lspace=\"0\" rspace=\"0\" movablelimits=\"true\">max</mo><mi>a</mi></munder><mo>\u2061</mo><mspace width=\"0.1667em\" /><mi>Q</mi>")]
    [InlineData(@"\text{if } x", "<mtext>if\u00A0</mtext><mi>x</mi>")]
    [InlineData(@"\text{at $t$}", "<mtext>at\u00A0</mtext><mi>t</mi>")]
    [InlineData(@"a\,b", "<mi>a</mi><mspace width=\"0.1667em\" /><mi>b</mi>")]
    [InlineData(@"a\!b", "<mi>a</mi><mspace style=\"margin-left:-0.1667em\" /><mi>b</mi>")]
    [InlineData(@"\infty % a comment", "<mi mathvariant=\"normal\">∞</mi>")]
    [InlineData(@"50\%", "<mn>50</mn><mi mathvariant=\"normal\">%</mi>")]
    [InlineData(@"\binom nk", "<mo form=\"prefix\" stretchy=\"true\">(</mo><mfrac linethickness=\"0\"><mi>n</mi><mi>k</mi></mfrac><mo form=\"postfix\" stretchy=\"true\">)</mo>")]
    [InlineData(@"\underbrace{x}_{n}", "<munder><munder accentunder=\"true\"><mi>x</mi><mo stretchy=\"true\">⏟</mo></munder><mi>n</mi></munder>")]
    [InlineData(@"\overbrace{x}^{n}", "<mover><mover accent=\"true\"><mi>x</mi><mo stretchy=\"true\">⏞</mo></mover><mi>n</mi></mover>")]
    [InlineData(@"\overline{x}", "<mrow style=\"border-top:0.06em solid;padding-top:0.12em\"><mi>x</mi></mrow>")]
    [InlineData(@"1{,}000", "<mn>1</mn><mo lspace=\"0\" rspace=\"0\">,</mo><mn>000</mn>")]
    public void A_construct_becomes_the_element_that_MathML_has_for_it(string tex, string expected)
    {
        Assert.Equal(expected, Body(tex));
    }

    [Theory]
    [InlineData(@"a-b", $"<mi>a</mi><mo {Binary}>−</mo><mi>b</mi>")]
    [InlineData(@"-b", "<mo form=\"prefix\">−</mo><mi>b</mi>")]
    [InlineData(@"a=-b", $"<mi>a</mi><mo {Relation}>=</mo><mo form=\"prefix\">−</mo><mi>b</mi>")]
    [InlineData(@"(-b", "<mo stretchy=\"false\">(</mo><mo form=\"prefix\">−</mo><mi>b</mi>")]
    [InlineData(@"a\odot b", $"<mi>a</mi><mo {Binary}>⊙</mo><mi>b</mi>")]
    [InlineData(@"a\in A", $"<mi>a</mi><mo {Relation}>∈</mo><mi>A</mi>")]
    [InlineData(@"a\le b", $"<mi>a</mi><mo {Relation}>≤</mo><mi>b</mi>")]
    [InlineData(@"a:=b", $"<mi>a</mi><mo {Relation}>:=</mo><mi>b</mi>")]
    [InlineData(@"x\not\in A", $"<mi>x</mi><mo {Relation}>∉</mo><mi>A</mi>")]
    [InlineData(@"x_{i-1}", $"<msub><mi>x</mi><mrow><mi>i</mi><mo {Tight}>−</mo><mn>1</mn></mrow></msub>")]
    public void Operators_take_the_space_of_their_class_and_none_in_scripts(string tex, string expected)
    {
        Assert.Equal(expected, Body(tex));
    }

    [Fact]
    public void A_matrix_has_its_brackets_around_a_table_of_rows()
    {
        Assert.Equal(
            "<mo form=\"prefix\" stretchy=\"true\">[</mo><mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr>"
            + "<mtr><mtd><mi>c</mi></mtd><mtd><mi>d</mi></mtd></mtr></mtable><mo form=\"postfix\" stretchy=\"true\">]</mo>",
            Body(@"\begin{bmatrix} a & b \\ c & d \\ \end{bmatrix}"));
    }

    [Fact]
    public void Aligned_lines_meet_at_the_ampersand()
    {
        XElement table = XElement.Parse(Body(@"\begin{aligned} a &= b \\ &= c \end{aligned}"));

        string?[] styles = [.. table.Elements("mtr").First().Elements("mtd").Select(cell => cell.Attribute("style")?.Value)];

        Assert.StartsWith("text-align:right", styles[0]);
        Assert.StartsWith("text-align:left", styles[1]);
        Assert.Equal(2, table.Elements("mtr").Count());
    }

    [Fact]
    public void Cases_open_with_a_brace_and_close_with_nothing()
    {
        XElement cases = XElement.Parse($"<row>{Body(@"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}")}</row>");

        Assert.Equal(["mo", "mtable"], cases.Elements().Select(element => element.Name.LocalName));
        Assert.Equal("{", cases.Elements().First().Value);
    }

    [Fact]
    public void An_unknown_command_stays_visible_and_is_reported()
    {
        var warnings = new List<string>();

        MathMl math = TexToMathMl.Convert(@"\mystery{x} + 1", display: false, warnings.Add);

        Assert.Contains(">\\mystery</mtext><mi>x</mi>", math.Html);
        Assert.Contains("\\mystery", Assert.Single(warnings));
    }

    [Theory]
    [InlineData(@"\frac{a}{b", "never closed")]
    [InlineData(@"\frac{a}", "missing its argument")]
    [InlineData(@"a}", "no group")]
    [InlineData(@"\left( x", "no \\right")]
    [InlineData(@"x \right)", "no \\left")]
    [InlineData(@"\left q x \right)", "wants a delimiter")]
    [InlineData(@"a & b", "no group or table")]
    [InlineData(@"x^1^2", "two ^")]
    [InlineData(@"\begin{matrix} a", "no \\end{matrix}")]
    [InlineData(@"\begin{matrix} a \end{cases}", "closed by \\end{cases}")]
    [InlineData(@"\text{if", "never closed")]
    [InlineData(@"x\", "lone backslash")]
    public void A_formula_that_cannot_be_read_is_shown_as_its_source_with_the_reason(string tex, string reason)
    {
        var warnings = new List<string>();

        MathMl math = TexToMathMl.Convert(tex, display: true, warnings.Add);

        Assert.StartsWith("<code class=\"tex-error\"", math.Html);
        Assert.Equal(tex, XElement.Parse(math.Html).Value);
        Assert.Contains(reason, Assert.Single(warnings));
    }

    [Fact]
    public void Nesting_without_end_is_refused_and_not_a_stack_overflow()
    {
        string tex = new string('{', 100_000) + new string('}', 100_000);
        string scripts = string.Concat(Enumerable.Repeat("x^", 100_000)) + "x";
        string roots = string.Concat(Enumerable.Repeat(@"\sqrt", 100_000)) + "x";

        Assert.All(new[] { tex, roots, scripts.Replace("x^", "^{") }, bad =>
            Assert.StartsWith("<code class=\"tex-error\"", TexToMathMl.Convert(bad, display: false, _ => { }).Html));
    }

    [Fact]
    public void The_source_is_kept_as_an_annotation_and_markup_in_it_is_inert()
    {
        MathMl math = TexToMathMl.Convert("a < b \\text{<script>}", display: true, _ => { });

        XElement parsed = XElement.Parse(math.Html);

        Assert.Equal("a < b \\text{<script>}", parsed.Descendants("annotation").Single().Value);
        Assert.DoesNotContain("<script", math.Html);
        Assert.Equal("block", parsed.Attribute("display")!.Value);
    }

    [Fact]
    public void A_tag_is_the_number_of_the_formula_and_not_part_of_it()
    {
        MathMl math = TexToMathMl.Convert(@"E = mc^2 \tag{3}", display: true, _ => { });

        Assert.Equal("3", math.Tag);
        Assert.DoesNotContain("<mn>3</mn>", math.Html);
    }

    [Theory]
    [InlineData("\u0000\u0001x")]
    [InlineData("\uD800x")]
    [InlineData("\uFFFFx")]
    [InlineData("𝔼x")]
    public void Characters_that_markup_has_no_place_for_do_no_harm(string tex)
    {
        XElement parsed = XElement.Parse(TexToMathMl.Convert(tex, display: false, _ => { }).Html);

        Assert.Contains("x", parsed.Value);
    }

    [Fact]
    public void Any_text_is_well_formed_markup_and_nothing_is_lost_in_silence()
    {
        string[] pieces =
        [
            "x", "1", "{", "}", "^", "_", "&", @"\\", @"\frac", @"\left(", @"\right)", @"\begin{cases}", @"\end{cases}", @"\sqrt[", "]", @"\text{a $", "$", "}",
            @"\hat", @"\mathbf", @"\operatorname*", @"\substack", @"\big", @"\not", @"\limits", "'", "%", "\n", @"\underbrace", @"\tag{1}", @"\mystery", "<", "é", "\uD800", @"\",
        ];
        var random = new Random(7);
        for (int i = 0; i < 3000; i++)
        {
            string tex = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => pieces[random.Next(pieces.Length)]));
            var warnings = new List<string>();

            XElement shown = XElement.Parse(TexToMathMl.Convert(tex, display: false, warnings.Add).Html);

            Assert.True(shown.Name == "math" || (shown.Name == "code" && warnings.Count > 0), tex);
            Assert.True(!tex.Contains(@"\mystery") || shown.Value.Contains(@"\mystery"), tex);
        }
    }

    [Fact]
    public void The_formulas_of_the_papers_are_read_without_a_warning()
    {
        string[] formulas =
        [
            @"\mathcal{J}_{\mathrm{GRPO}}(\theta) = \mathbb{E}\left[\frac{1}{G}\sum_{i=1}^{G} \min\left(\frac{\pi_\theta(o_i \mid q)}{\pi_{\theta_{\text{old}}}(o_i \mid q)} A_i,\; \operatorname{clip}\Big(r_i, 1-\varepsilon, 1+\varepsilon\Big) A_i\right) - \beta\, D_{\mathrm{KL}}\left[\pi_\theta \,\|\, \pi_{\text{ref}}\right]\right]",
            @"\operatorname{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right) V, \qquad A_i = \frac{r_i - \operatorname{mean}(\{r_1, \dots, r_G\})}{\operatorname{std}(\{r_1, \ldots, r_G\})}",
            @"\hat{\theta} = \operatorname*{arg\,min}_{\theta \in \mathbb{R}^d} \frac{1}{N}\sum_{n=1}^{N} \ell(f_\theta(x_n), y_n) + \lambda \lVert \theta \rVert_2^2",
            @"\begin{align} m_t &= \beta_1 m_{t-1} + (1-\beta_1) g_t \\ v_t &= \beta_2 v_{t-1} + (1-\beta_2) g_t^2 \end{align}",
            @"y = x + \mathrm{Attn}(\mathrm{RMSNorm}(x)), \quad \overline{x} \approx \tilde{\mu} \pm 1.96\,\hat{\sigma}/\sqrt{n}",
            @"\nabla_\theta \log p_\theta(x) \odot \mathbf{1}\{x \ge 0\}, \quad \Pr[X \leq t] \xrightarrow[n\to\infty]{d} \Phi(t)",
        ];
        var warnings = new List<string>();

        foreach (string formula in formulas)
            TexToMathMl.Convert(formula, display: true, warnings.Add);

        Assert.Empty(warnings);
    }

    /// <summary>What stands inside the outermost row, beside the annotation.</summary>
    private static string Body(string tex)
    {
        string html = TexToMathMl.Convert(tex, display: true, message => Assert.Fail(message)).Html;
        XElement row = XElement.Parse(html).Element("semantics")!.Element("mrow")!;
        IEnumerable<XNode> shown = row.HasAttributes ? [row] : row.Nodes();
        return string.Concat(shown.Select(node => node.ToString(SaveOptions.DisableFormatting)));
    }
}
