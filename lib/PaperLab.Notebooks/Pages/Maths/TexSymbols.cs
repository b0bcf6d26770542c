// What each TeX command stands for: characters by class, function names, delimiters, accents, spaces, alphabets.

using System.Collections.Frozen;
using System.Text;

namespace PaperLab.Notebooks.Pages.Maths;

/// <summary>How an atom meets its neighbours; it decides spacing and whether a minus is unary.</summary>
internal enum AtomKind
{
    Ordinary,
    Function,
    Large,
    Binary,
    Relation,
    Open,
    Close,
    Punctuation,
    Space,
}

internal enum MathAlphabet
{
    Default,
    Upright,
    Bold,
    BoldItalic,
    Script,
    Fraktur,
    DoubleStruck,
    SansSerif,
    Monospace,
}

internal static class TexSymbols
{
    /// <summary>Lower-case Greek and other letters that are set in italics.</summary>
    public static readonly FrozenDictionary<string, string> Letters = Table("""
        alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ nu ν
        xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω
        imath ı jmath ȷ
        """);

    /// <summary>Upper-case Greek and letter-like signs that are set upright and take no space.</summary>
    public static readonly FrozenDictionary<string, string> Upright = Table("""
        Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
        infty ∞ partial ∂ nabla ∇ emptyset ∅ varnothing ∅ forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ top ⊤ bot ⊥ angle ∠ triangle △
        ell ℓ hbar ℏ Re ℜ Im ℑ wp ℘ aleph ℵ prime ′ dagger † ddagger ‡ S § P ¶ degree ° checkmark ✓ square □ Box □ blacksquare ■
        clubsuit ♣ diamondsuit ♢ heartsuit ♡ spadesuit ♠ flat ♭ sharp ♯ natural ♮ surd √
        # # % % $ $ _ _ & & ldots … dots … dotsc … cdots ⋯ dotsb ⋯ vdots ⋮ ddots ⋱ backslash \
        """);

    public static readonly FrozenDictionary<string, string> Binary = Table("""
        pm ± mp ∓ times × div ÷ cdot ⋅ ast ∗ star ⋆ circ ∘ bullet ∙ oplus ⊕ ominus ⊖ otimes ⊗ oslash ⊘ odot ⊙ cap ∩ cup ∪
        sqcap ⊓ sqcup ⊔ uplus ⊎ wedge ∧ land ∧ vee ∨ lor ∨ setminus ∖ smallsetminus ∖ amalg ⨿ diamond ⋄ wr ≀ bigcirc ◯ boxplus ⊞
        boxtimes ⊠ ltimes ⋉ rtimes ⋊
        """);

    public static readonly FrozenDictionary<string, string> Relations = Table("""
        le ≤ leq ≤ leqslant ⩽ ge ≥ geq ≥ geqslant ⩾ lt < gt > ne ≠ neq ≠ ll ≪ gg ≫ equiv ≡ sim ∼ simeq ≃ approx ≈ cong ≅ propto ∝
        doteq ≐ triangleq ≜ coloneqq ≔ coloneq ≔ asymp ≍ prec ≺ succ ≻ preceq ⪯ succeq ⪰ lesssim ≲ gtrsim ≳ in ∈ notin ∉ ni ∋
        subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ subsetneq ⊊ supsetneq ⊋ nsubseteq ⊈ mid ∣ nmid ∤ parallel ∥ perp ⊥ models ⊨ vdash ⊢
        dashv ⊣ vDash ⊨ bowtie ⋈ therefore ∴ because ∵ to → rightarrow → leftarrow ← gets ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐
        Leftrightarrow ⇔ implies ⟹ impliedby ⟸ iff ⟺ longrightarrow ⟶ longleftarrow ⟵ Longrightarrow ⟹ Longleftarrow ⟸
        longleftrightarrow ⟷ mapsto ↦ longmapsto ⟼ hookrightarrow ↪ hookleftarrow ↩ uparrow ↑ downarrow ↓ updownarrow ↕ Uparrow ⇑
        Downarrow ⇓ nearrow ↗ searrow ↘ swarrow ↙ nwarrow ↖ rightharpoonup ⇀ leftharpoonup ↼ rightleftharpoons ⇌ leadsto ⇝
        rightsquigarrow ⇝
        """);

    /// <summary>Operators whose limits stand above and below in displayed formulas.</summary>
    public static readonly FrozenDictionary<string, string> LargeWithLimits = Table("""
        sum ∑ prod ∏ coprod ∐ bigcup ⋃ bigcap ⋂ bigvee ⋁ bigwedge ⋀ bigoplus ⨁ bigotimes ⨂ bigodot ⨀ biguplus ⨄ bigsqcup ⨆
        """);

    /// <summary>Operators whose limits stand at the side.</summary>
    public static readonly FrozenDictionary<string, string> Integrals = Table("int ∫ iint ∬ iiint ∭ oint ∮");

    public static readonly FrozenSet<string> Functions = Words("""
        log ln lg exp sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arg deg dim hom ker
        """);

    /// <summary>Function names that take their subscript below in displayed formulas.</summary>
    public static readonly FrozenSet<string> FunctionsWithLimits = Words("""
        lim max min sup inf det gcd Pr argmax argmin limsup liminf
        """);

    public static readonly FrozenDictionary<string, string> Delimiters = Table("""
        ( ( ) ) [ [ ] ] { { } } lbrace { rbrace } lbrack [ rbrack ] | ‖ vert | Vert ‖ lvert | rvert | lVert ‖ rVert ‖
        langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ lgroup ⟮ rgroup ⟯ uparrow ↑ downarrow ↓ backslash \ / /
        """);

    public static readonly FrozenSet<string> Opening = Words("( [ { lbrace lbrack lvert lVert langle lfloor lceil lgroup");

    public static readonly FrozenSet<string> Closing = Words(") ] } rbrace rbrack rvert rVert rangle rfloor rceil rgroup");

    /// <summary>Accents that keep their size over their argument.</summary>
    public static readonly FrozenDictionary<string, string> Accents = Table("""
        hat ^ bar ¯ tilde ~ vec → dot ˙ ddot ¨ check ˇ breve ˘ acute ´ grave ` mathring ˚
        """);

    /// <summary>What grows with its argument, above it and below it.</summary>
    public static readonly FrozenDictionary<string, string> StretchyOver = Table("""
        widehat ^ widetilde ~ overbrace ⏞ overrightarrow → overleftarrow ←
        """);

    public static readonly FrozenDictionary<string, string> StretchyUnder = Table("underbrace ⏟");

    /// <summary>Horizontal space in em.</summary>
    public static readonly FrozenDictionary<string, string> Spaces = new Dictionary<string, string>
    {
        [","] = "0.1667",
        ["thinspace"] = "0.1667",
        [":"] = "0.2222",
        [">"] = "0.2222",
        ["medspace"] = "0.2222",
        [";"] = "0.2778",
        ["thickspace"] = "0.2778",
        ["!"] = "-0.1667",
        ["negthinspace"] = "-0.1667",
        [" "] = "0.25",
        ["\n"] = "0.25",
        ["enspace"] = "0.5",
        ["quad"] = "1",
        ["qquad"] = "2",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, MathAlphabet> Alphabets = new Dictionary<string, MathAlphabet>
    {
        ["mathrm"] = MathAlphabet.Upright,
        ["mathup"] = MathAlphabet.Upright,
        ["mathit"] = MathAlphabet.Default,
        ["mathnormal"] = MathAlphabet.Default,
        ["mathbf"] = MathAlphabet.Bold,
        ["boldsymbol"] = MathAlphabet.BoldItalic,
        ["bm"] = MathAlphabet.BoldItalic,
        ["mathcal"] = MathAlphabet.Script,
        ["mathscr"] = MathAlphabet.Script,
        ["mathfrak"] = MathAlphabet.Fraktur,
        ["mathbb"] = MathAlphabet.DoubleStruck,
        ["mathbbm"] = MathAlphabet.DoubleStruck,
        ["mathds"] = MathAlphabet.DoubleStruck,
        ["mathsf"] = MathAlphabet.SansSerif,
        ["mathtt"] = MathAlphabet.Monospace,
    }.ToFrozenDictionary();

    /// <summary>Letters that Unicode had before the mathematical alphabets were added, so that their places there are empty.</summary>
    private static readonly FrozenDictionary<(MathAlphabet, char), string> EarlierLetters = new Dictionary<MathAlphabet, string>
    {
        [MathAlphabet.Script] = "Bℬ Eℰ Fℱ Hℋ Iℐ Lℒ Mℳ Rℛ eℯ gℊ oℴ",
        [MathAlphabet.Fraktur] = "Cℭ Hℌ Iℑ Rℜ Zℨ",
        [MathAlphabet.DoubleStruck] = "Cℂ Hℍ Nℕ Pℙ Qℚ Rℝ Zℤ",
    }.SelectMany(row => row.Value.Split(' ').Select(pair => KeyValuePair.Create((row.Key, pair[0]), pair[1..]))).ToFrozenDictionary();

    /// <summary>The text in another alphabet (a → 𝐚); a character the alphabet lacks stays as it is.</summary>
    public static string InAlphabet(string text, MathAlphabet alphabet) =>
        alphabet is MathAlphabet.Default or MathAlphabet.Upright ? text : string.Concat(text.Select(c => InAlphabet(c, alphabet)));

    private static string InAlphabet(char c, MathAlphabet alphabet)
    {
        if (EarlierLetters.TryGetValue((alphabet, c), out string? earlier))
            return earlier;
        (int upper, int lower, int digit, int greekUpper, int greekLower) = alphabet switch
        {
            MathAlphabet.Bold => (0x1D400, 0x1D41A, 0x1D7CE, 0x1D6A8, 0x1D6C2),
            MathAlphabet.BoldItalic => (0x1D468, 0x1D482, 0x1D7CE, 0x1D71C, 0x1D736),
            MathAlphabet.Script => (0x1D49C, 0x1D4B6, 0, 0, 0),
            MathAlphabet.Fraktur => (0x1D504, 0x1D51E, 0, 0, 0),
            MathAlphabet.DoubleStruck => (0x1D538, 0x1D552, 0x1D7D8, 0, 0),
            MathAlphabet.SansSerif => (0x1D5A0, 0x1D5BA, 0x1D7E2, 0, 0),
            MathAlphabet.Monospace => (0x1D670, 0x1D68A, 0x1D7F6, 0, 0),
            _ => (0, 0, 0, 0, 0),
        };
        (int start, char first) = c switch
        {
            >= 'A' and <= 'Z' => (upper, 'A'),
            >= 'a' and <= 'z' => (lower, 'a'),
            >= '0' and <= '9' => (digit, '0'),
            >= 'Α' and <= 'Ω' => (greekUpper, 'Α'),
            >= 'α' and <= 'ω' => (greekLower, 'α'),
            _ => (0, c),
        };
        return start == 0 ? c.ToString() : new Rune(start + (c - first)).ToString();
    }

    private static FrozenDictionary<string, string> Table(string pairs) =>
        Split(pairs).Chunk(2).ToFrozenDictionary(pair => pair[0], pair => pair[1]);

    private static FrozenSet<string> Words(string words) => Split(words).ToFrozenSet();

    private static string[] Split(string text) =>
        text.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);
}
