// Reads one TeX formula by recursive descent and builds MathML from it. A row is a list of atoms; an atom may carry
// scripts; spacing that TeX derives from its neighbours (unary minus, function names) is settled when a row is joined.

using System.Globalization;
using System.Xml.Linq;

namespace PaperLab.Notebooks.Pages.Maths;

internal sealed class TexParser(string source, Action<string> warn)
{
    private const int MaxDepth = 200; // deeper nesting is no formula, and would exhaust the stack
    private const string ThinSpace = "0.1667em";

    private readonly TexLexer _lexer = new(source);
    private MathAlphabet _alphabet = MathAlphabet.Default;
    private int _depth;
    private int _scriptDepth;

    /// <summary>Where an atom's scripts go.</summary>
    private enum Scripts
    {
        Beside,
        UnderAndOver,
    }

    private sealed record Atom(XElement Node, AtomKind Kind = AtomKind.Ordinary, Scripts Scripts = Scripts.Beside);

    /// <summary>The number given by <c>\tag{…}</c>, if the formula has one.</summary>
    public string? Tag { get; private set; }

    public XElement ParseFormula() => ParseRow(token => token.Kind == TexKind.End);

    // ---- Rows -------------------------------------------------------------------------------------------------------

    /// <summary>Atoms up to the token that <paramref name="ends"/> the row; that token is left unread.</summary>
    private XElement ParseRow(Func<TexToken, bool> ends)
    {
        if (++_depth > MaxDepth)
            throw new TexSyntaxException($"groups are nested more than {MaxDepth} deep");
        var atoms = new List<Atom>();
        for (TexToken token = _lexer.Peek(); !ends(token); token = _lexer.Peek())
        {
            if (token.Kind == TexKind.NewRow)
            {
                _lexer.Next(); // outside a table a line break has nothing to align with
                continue;
            }
            AtomKind previous = atoms.LastOrDefault(atom => atom.Kind != AtomKind.Space)?.Kind ?? AtomKind.Open;
            if (ParseAtom(previous) is { } atom)
                atoms.Add(ParseScripts(atom));
        }
        _depth--;
        return Join(atoms);
    }

    private static XElement Join(List<Atom> atoms)
    {
        if (atoms.Count == 1 && atoms[0].Kind != AtomKind.Function)
            return atoms[0].Node;
        var row = new XElement("mrow");
        for (int i = 0; i < atoms.Count; i++)
        {
            bool function = atoms[i].Kind == AtomKind.Function;
            if (function && i > 0 && atoms[i - 1].Kind is AtomKind.Ordinary or AtomKind.Close)
                row.Add(Space(ThinSpace));
            row.Add(atoms[i].Node);
            if (!function)
                continue;
            row.Add(new XElement("mo", "\u2061")); // function application: no ink, but readers and screen readers see a function
            if (i + 1 < atoms.Count && atoms[i + 1].Kind is AtomKind.Ordinary or AtomKind.Function or AtomKind.Large)
                row.Add(Space(ThinSpace));
        }
        return row;
    }

    private Atom ParseScripts(Atom atom)
    {
        XElement? sub = null, sup = null;
        string primes = "";
        while (true)
        {
            TexToken token = _lexer.Peek();
            if (token.Is(TexKind.Char, "'"))
                primes += "′";
            else if (token.Is(TexKind.Command, "limits"))
                atom = atom with { Scripts = Scripts.UnderAndOver };
            else if (token.Is(TexKind.Command, "nolimits"))
                atom = atom with { Scripts = Scripts.Beside };
            else if (token.Kind is TexKind.Sub or TexKind.Sup)
            {
                _lexer.Next();
                ref XElement? slot = ref token.Kind == TexKind.Sub ? ref sub : ref sup;
                if (slot is not null)
                    throw new TexSyntaxException($"two {token.Text} after one symbol; group with braces");
                slot = ParseScript(token.Text);
                continue;
            }
            else
                break;
            _lexer.Next();
        }
        if (primes.Length > 0)
            sup = sup is null ? Element("mo", primes) : new XElement("mrow", Element("mo", primes), sup);
        return sub is null && sup is null ? atom : atom with { Node = Scripted(atom, sub, sup) };
    }

    private XElement ParseScript(string owner)
    {
        _scriptDepth++;
        XElement script = ParseArgument(owner);
        _scriptDepth--;
        return script;
    }

    private static XElement Scripted(Atom atom, XElement? sub, XElement? sup)
    {
        bool beside = atom.Scripts == Scripts.Beside;
        return (sub, sup) switch
        {
            (not null, not null) => new XElement(beside ? "msubsup" : "munderover", atom.Node, sub, sup),
            (not null, null) => new XElement(beside ? "msub" : "munder", atom.Node, sub),
            _ => new XElement(beside ? "msup" : "mover", atom.Node, sup),
        };
    }

    // ---- Atoms ------------------------------------------------------------------------------------------------------

    /// <summary>The next atom without its scripts; null where a command leaves nothing (<c>\displaystyle</c>, <c>\label{…}</c>).</summary>
    private Atom? ParseAtom(AtomKind previous)
    {
        TexToken token = _lexer.Peek();
        switch (token.Kind)
        {
            case TexKind.Sup or TexKind.Sub:
                return new Atom(new XElement("mrow")); // a script with nothing before it
            case TexKind.Open:
                return new Atom(ParseGroup());
            case TexKind.Command:
                _lexer.Next();
                return ParseCommand(token.Text, previous);
            case TexKind.Char when char.IsAsciiDigit(token.Text[0]):
                return new Atom(ParseNumber());
            case TexKind.Char:
                _lexer.Next();
                return ParseCharacter(token.Text, previous);
            case TexKind.End:
                throw new TexSyntaxException("the formula ends inside a group, \\left or \\begin");
            default:
                throw new TexSyntaxException($"'{token.Text}' stands where no group or table is open");
        }
    }

    private XElement ParseGroup()
    {
        _lexer.Next();
        MathAlphabet outer = _alphabet;
        XElement row = ParseRow(token => token.Kind is TexKind.Close or TexKind.End);
        _alphabet = outer;
        if (_lexer.Next().Kind != TexKind.Close)
            throw new TexSyntaxException("a { is never closed");
        if (row.Name == "mo") // TeX: a lone operator in braces is an ordinary symbol, as in 1{,}000
        {
            row.SetAttributeValue("lspace", "0");
            row.SetAttributeValue("rspace", "0");
        }
        return row;
    }

    /// <summary>A group, or else exactly one symbol: <c>\frac12</c> is ½ and <c>x^12</c> is x¹2.</summary>
    private XElement ParseArgument(string owner)
    {
        TexToken token = _lexer.Peek();
        if (token.Kind is TexKind.End or TexKind.Close or TexKind.Align or TexKind.NewRow)
            throw new TexSyntaxException($"{owner} is missing its argument");
        if (++_depth > MaxDepth)
            throw new TexSyntaxException($"groups are nested more than {MaxDepth} deep");
        XElement node;
        if (token.Kind == TexKind.Char && char.IsAsciiDigit(token.Text[0]))
            node = Element("mn", TexSymbols.InAlphabet(_lexer.Next().Text, _alphabet));
        else
            node = ParseAtom(AtomKind.Open)?.Node ?? new XElement("mrow");
        _depth--;
        return node;
    }

    private XElement ParseNumber()
    {
        string number = "";
        while (_lexer.Peek() is { Kind: TexKind.Char } token && (char.IsAsciiDigit(token.Text[0]) || (token.Text == "." && !number.Contains('.'))))
            number += _lexer.Next().Text;
        return Element("mn", TexSymbols.InAlphabet(number, _alphabet));
    }

    private Atom ParseCharacter(string text, AtomKind previous)
    {
        switch (text)
        {
            case "(" or "[":
                return new Atom(Fixed(text), AtomKind.Open);
            case ")" or "]":
                return new Atom(Fixed(text), AtomKind.Close);
            case "|" or "/" or ".":
                return new Atom(Tight(text));
            case "," or ";":
                return new Atom(Operator(text, AtomKind.Punctuation), AtomKind.Punctuation);
            case "-":
                return Sign("−", previous);
            case "+":
                return Sign("+", previous);
            case "*":
                return new Atom(Operator("∗", AtomKind.Binary), AtomKind.Binary);
            case ":" when _lexer.Peek().Is(TexKind.Char, "="):
                _lexer.Next();
                return new Atom(Operator(":=", AtomKind.Relation), AtomKind.Relation);
            case "=" or "<" or ">" or ":":
                return new Atom(Operator(text, AtomKind.Relation), AtomKind.Relation);
            case "!":
                return new Atom(Tight(text), AtomKind.Close);
            case "~":
                return new Atom(Space("0.25em"), AtomKind.Space);
        }
        UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(text, 0);
        return category is UnicodeCategory.MathSymbol ? new Atom(Element("mo", text), AtomKind.Relation)
            : char.IsLetter(text, 0) || category is UnicodeCategory.OtherNotAssigned ? new Atom(Identifier(text))
            : new Atom(Element("mi", text));
    }

    private Atom? ParseCommand(string name, AtomKind previous)
    {
        if (TexSymbols.Letters.TryGetValue(name, out string? symbol))
            return new Atom(Identifier(symbol));
        if (TexSymbols.Upright.TryGetValue(name, out symbol))
            return new Atom(_alphabet is MathAlphabet.Bold or MathAlphabet.BoldItalic ? Identifier(symbol) : UprightSymbol(symbol));
        if (TexSymbols.Binary.TryGetValue(name, out symbol))
            return name is "pm" or "mp" ? Sign(symbol, previous) : new Atom(Operator(symbol, AtomKind.Binary), AtomKind.Binary);
        if (TexSymbols.Relations.TryGetValue(name, out symbol))
            return new Atom(Operator(symbol, AtomKind.Relation), AtomKind.Relation);
        if (TexSymbols.LargeWithLimits.TryGetValue(name, out symbol))
            return new Atom(Element("mo", symbol), AtomKind.Large, Scripts.UnderAndOver);
        if (TexSymbols.Integrals.TryGetValue(name, out symbol))
            return new Atom(Element("mo", symbol), AtomKind.Large);
        if (TexSymbols.Functions.Contains(name))
            return new Atom(Element("mi", name), AtomKind.Function);
        if (TexSymbols.FunctionsWithLimits.Contains(name))
            return new Atom(LimitFunction(name), AtomKind.Function, Scripts.UnderAndOver);
        if (TexSymbols.Alphabets.TryGetValue(name, out MathAlphabet alphabet))
            return new Atom(ParseInAlphabet(name, alphabet));
        if (TexSymbols.Delimiters.TryGetValue(name, out symbol))
            return DelimiterAtom(name, symbol);
        if (TexSymbols.Accents.TryGetValue(name, out symbol))
            return new Atom(Accent("mover", ParseArgument("\\" + name), symbol, stretchy: false));
        if (TexSymbols.StretchyOver.TryGetValue(name, out symbol))
            return new Atom(Accent("mover", ParseArgument("\\" + name), symbol, stretchy: true), Scripts: ScriptsOf(name));
        if (TexSymbols.StretchyUnder.TryGetValue(name, out symbol))
            return new Atom(Accent("munder", ParseArgument("\\" + name), symbol, stretchy: true), Scripts: ScriptsOf(name));
        if (TexSymbols.Spaces.TryGetValue(name, out string? width))
            return new Atom(Space(width + "em"), AtomKind.Space);
        return ParseStructure(name);
    }

    private static Scripts ScriptsOf(string name) => name.EndsWith("brace", StringComparison.Ordinal) ? Scripts.UnderAndOver : Scripts.Beside;

    /// <summary>Commands that take arguments or open a structure.</summary>
    private Atom? ParseStructure(string name)
    {
        string command = "\\" + name;
        switch (name)
        {
            case "frac" or "cfrac":
                return new Atom(Fraction(command));
            case "dfrac" or "tfrac":
                return new Atom(new XElement("mstyle", new XAttribute("displaystyle", name == "dfrac" ? "true" : "false"), Fraction(command)));
            case "binom" or "dbinom" or "tbinom":
                XElement binomial = Fraction(command);
                binomial.SetAttributeValue("linethickness", "0");
                return new Atom(new XElement("mrow", Stretchy("(", "prefix"), binomial, Stretchy(")", "postfix")));
            case "sqrt":
                string? index = _lexer.ReadOptional();
                XElement radicand = ParseArgument(command);
                return new Atom(index is null ? new XElement("msqrt", radicand) : new XElement("mroot", radicand, ParseText(index)));
            case "left":
                return new Atom(ParseFenced());
            case "big" or "bigl" or "bigr" or "bigm" or "Big" or "Bigl" or "Bigr" or "Bigm"
                or "bigg" or "biggl" or "biggr" or "biggm" or "Bigg" or "Biggl" or "Biggr" or "Biggm":
                return ParseBig(name);
            case "begin":
                return new Atom(ParseEnvironment());
            case "text" or "textrm" or "textnormal" or "mbox" or "hbox":
                return new Atom(TextRow(_lexer.ReadRawGroup(command), null));
            case "textbf" or "textit" or "texttt" or "emph":
                string style = name switch { "textbf" => "font-weight:bold", "texttt" => "font-family:monospace", _ => "font-style:italic" };
                return new Atom(TextRow(_lexer.ReadRawGroup(command), style));
            case "operatorname":
                bool limits = _lexer.Peek().Is(TexKind.Char, "*");
                if (limits)
                    _lexer.Next();
                return OperatorName(_lexer.ReadRawGroup(command), limits);
            case "overset" or "stackrel":
                XElement over = ParseScript(command);
                return Stacked(ParseArgument(command), under: null, over);
            case "underset":
                XElement under = ParseScript(command);
                return Stacked(ParseArgument(command), under, over: null);
            case "xrightarrow" or "xleftarrow":
                string? below = _lexer.ReadOptional();
                XElement arrow = Stretchy(name == "xrightarrow" ? "→" : "←", null);
                return Stacked(arrow, below is null ? null : Padded(ParseText(below)), Padded(ParseScript(command)));
            case "substack":
                return new Atom(ParseSubstack());
            case "overline" or "underline":
                string side = name == "overline" ? "top" : "bottom";
                return new Atom(new XElement("mrow", new XAttribute("style", $"border-{side}:0.06em solid;padding-{side}:0.12em"), ParseArgument(command)));
            case "phantom":
                return new Atom(new XElement("mphantom", ParseArgument(command)));
            case "boxed":
                return new Atom(new XElement("mrow", new XAttribute("style", "border:1px solid;padding:0.3em"), ParseArgument(command)));
            case "not":
                return ParseNegation();
            case "bmod":
                return new Atom(Operator("mod", AtomKind.Binary), AtomKind.Binary);
            case "pmod":
                return new Atom(new XElement("mrow", Space("0.5em"), Fixed("("), Element("mi", "mod"), Space("0.3333em"), ParseArgument(command), Fixed(")")));
            case "colon":
                return new Atom(new XElement("mo", new XAttribute("lspace", "0"), new XAttribute("rspace", "0.2222em"), ":"), AtomKind.Punctuation);
            case "hspace" or "mspace":
                return new Atom(Space(_lexer.ReadRawGroup(command)), AtomKind.Space);
            case "mathop":
                return new Atom(ParseArgument(command), AtomKind.Large, Scripts.UnderAndOver);
            case "mathbin":
                return new Atom(ParseArgument(command), AtomKind.Binary);
            case "mathrel":
                return new Atom(ParseArgument(command), AtomKind.Relation);
            case "mathord" or "mathinner" or "ensuremath":
                return new Atom(ParseArgument(command));
            case "displaystyle" or "textstyle" or "scriptstyle" or "limits" or "nolimits" or "nonumber" or "notag":
                return null; // the browser chooses the style; numbers appear only where \tag asks for one
            case "label":
                _lexer.ReadRawGroup(command);
                return null;
            case "tag":
                Tag = _lexer.ReadRawGroup(command);
                return null;
            case "right" or "middle" or "end":
                throw new TexSyntaxException($"{command} has no {(name == "end" ? "\\begin" : "\\left")} before it");
            default:
                warn($"the TeX command {command} is not known here and is shown as it is written");
                return new Atom(new XElement("mtext", new XAttribute("class", "tex-unknown"), command));
        }
    }

    // ---- Structures -------------------------------------------------------------------------------------------------

    private XElement Fraction(string command) => new("mfrac", ParseArgument(command), ParseArgument(command));

    /// <summary>A formula given as text of its own: an optional argument, or what stands between two $ inside \text.</summary>
    private XElement ParseText(string tex)
    {
        if (_depth >= MaxDepth)
            throw new TexSyntaxException($"groups are nested more than {MaxDepth} deep");
        return new TexParser(tex, warn) { _depth = _depth + 1, _scriptDepth = _scriptDepth }.ParseFormula();
    }

    private XElement ParseInAlphabet(string name, MathAlphabet alphabet)
    {
        MathAlphabet outer = _alphabet;
        _alphabet = alphabet;
        XElement node = ParseArgument("\\" + name);
        _alphabet = outer;
        return alphabet == MathAlphabet.Default ? node : MergeLetters(node);
    }

    /// <summary>\mathrm{KL} is one name, not K times L: a row of letters becomes one element.</summary>
    private static XElement MergeLetters(XElement node)
    {
        bool isName = node.Name == "mrow" && node.Elements().Any() && node.Elements().All(child => child.Name == "mi" || child.Name == "mn");
        return isName ? Element("mi", node.Value) : node;
    }

    private XElement ParseFenced()
    {
        var fenced = new XElement("mrow", ReadDelimiter("\\left", "prefix"));
        while (true)
        {
            fenced.Add(ParseRow(token => token.Kind is TexKind.End || token.Is(TexKind.Command, "right") || token.Is(TexKind.Command, "middle")));
            TexToken end = _lexer.Next();
            if (end.Kind == TexKind.End)
                throw new TexSyntaxException("\\left has no \\right after it");
            fenced.Add(ReadDelimiter("\\" + end.Text, end.Text == "right" ? "postfix" : "infix"));
            if (end.Text == "right")
                return fenced;
        }
    }

    private XElement? ReadDelimiter(string owner, string form)
    {
        string symbol = ReadDelimiterSymbol(owner);
        return symbol == "." ? null : Stretchy(symbol, form);
    }

    private string ReadDelimiterSymbol(string owner)
    {
        TexToken token = _lexer.Next();
        string? symbol = token switch
        {
            { Kind: TexKind.Char, Text: "." or "|" } => token.Text,
            { Kind: TexKind.Char, Text: "<" } => "⟨",
            { Kind: TexKind.Char, Text: ">" } => "⟩",
            { Kind: TexKind.Char or TexKind.Command } => TexSymbols.Delimiters.GetValueOrDefault(token.Text),
            _ => null,
        };
        return symbol ?? throw new TexSyntaxException($"{owner} wants a delimiter such as ( [ \\{{ | \\| \\langle or ., not '{token.Text}'");
    }

    private Atom ParseBig(string name)
    {
        string size = name.TrimEnd('l', 'r', 'm') switch { "big" => "1.2em", "Big" => "1.8em", "bigg" => "2.4em", _ => "3em" };
        AtomKind kind = name[^1] switch { 'l' => AtomKind.Open, 'r' => AtomKind.Close, 'm' => AtomKind.Relation, _ => AtomKind.Ordinary };
        XElement? node = ReadDelimiter("\\" + name, kind == AtomKind.Open ? "prefix" : "postfix");
        node?.SetAttributeValue("minsize", size);
        node?.SetAttributeValue("maxsize", size);
        return new Atom(node ?? new XElement("mrow"), kind);
    }

    private XElement ParseEnvironment()
    {
        string name = _lexer.ReadRawGroup("\\begin");
        string columns = name.TrimEnd('*') is "array" or "alignat" or "alignedat" ? _lexer.ReadRawGroup("\\begin{" + name + "}") : "";
        XElement table = ParseTable(name);
        string kind = name.TrimEnd('*');
        switch (kind)
        {
            case "matrix" or "gather" or "gathered" or "equation" or "multline":
                return table;
            case "smallmatrix":
                return new XElement("mstyle", new XAttribute("scriptlevel", "1"), table);
            case "pmatrix" or "bmatrix" or "Bmatrix" or "vmatrix" or "Vmatrix":
                (string left, string right) = kind[0] switch { 'p' => ("(", ")"), 'b' => ("[", "]"), 'B' => ("{", "}"), 'v' => ("|", "|"), _ => ("‖", "‖") };
                return new XElement("mrow", Stretchy(left, "prefix"), table, Stretchy(right, "postfix"));
            case "cases" or "dcases":
                Align(table, _ => "left", gapAfter: _ => "1em");
                return new XElement("mrow", Stretchy("{", "prefix"), table);
            case "rcases":
                Align(table, _ => "left", gapAfter: _ => "1em");
                return new XElement("mrow", table, Stretchy("}", "postfix"));
            case "aligned" or "align" or "split" or "eqnarray" or "alignat" or "alignedat":
                table.SetAttributeValue("displaystyle", "true");
                Align(table, column => column % 2 == 0 ? "right" : "left", gapAfter: column => column % 2 == 0 ? "0" : "2em");
                return table;
            case "array":
                string letters = string.Concat(columns.Where(c => c is 'l' or 'c' or 'r'));
                Align(table, column => column < letters.Length ? letters[column] switch { 'l' => "left", 'r' => "right", _ => "center" } : "center", _ => "1em");
                return table;
            default:
                warn($"the TeX environment {name} is not known here and is set as a plain table");
                return new XElement("mrow", new XElement("mtext", new XAttribute("class", "tex-unknown"), name), table);
        }
    }

    private XElement ParseTable(string name)
    {
        var table = new XElement("mtable");
        var row = new XElement("mtr");
        while (true)
        {
            row.Add(new XElement("mtd", ParseRow(token => token.Kind is TexKind.Align or TexKind.NewRow or TexKind.End || token.Is(TexKind.Command, "end"))));
            TexToken end = _lexer.Next();
            if (end.Kind == TexKind.End)
                throw new TexSyntaxException($"\\begin{{{name}}} has no \\end{{{name}}}");
            if (end.Kind == TexKind.Align)
                continue;
            bool trailing = end.Kind == TexKind.Command && row.Value.Length == 0 && row.Elements().Count() == 1; // a \\ before \end
            if (!trailing)
                table.Add(row);
            row = new XElement("mtr");
            if (end.Kind == TexKind.NewRow)
            {
                if (_lexer.Peek().Is(TexKind.Char, "["))
                    _lexer.ReadOptional(); // extra space between rows
                continue;
            }
            string closed = _lexer.ReadRawGroup("\\end");
            return closed == name ? table : throw new TexSyntaxException($"\\begin{{{name}}} is closed by \\end{{{closed}}}");
        }
    }

    private static void Align(XElement table, Func<int, string> alignment, Func<int, string> gapAfter)
    {
        foreach (XElement row in table.Elements())
        {
            XElement[] cells = [.. row.Elements()];
            for (int column = 0; column < cells.Length; column++)
            {
                string gap = column == cells.Length - 1 ? "0" : gapAfter(column);
                cells[column].SetAttributeValue("style", $"text-align:{alignment(column)};text-align:-webkit-{alignment(column)};padding-left:0;padding-right:{gap}");
            }
        }
    }

    /// <summary>A symbol with something above or below it. What stands on an operator reads as a relation and gets its space.</summary>
    private Atom Stacked(XElement symbol, XElement? under, XElement? over)
    {
        bool relation = symbol.Name == "mo";
        XElement node = Scripted(new Atom(symbol, Scripts: Scripts.UnderAndOver), under, over);
        string space = _scriptDepth > 0 ? "0" : "0.2778em";
        return relation ? new Atom(new XElement("mrow", Space(space), node, Space(space)), AtomKind.Relation) : new Atom(node);
    }

    private XElement ParseSubstack()
    {
        if (_lexer.Next().Kind != TexKind.Open)
            throw new TexSyntaxException("\\substack wants {line \\\\ line}");
        var table = new XElement("mtable", new XAttribute("rowspacing", "0"));
        TexToken end;
        do
        {
            table.Add(new XElement("mtr", new XElement("mtd", new XAttribute("style", "padding:0"),
                ParseRow(token => token.Kind is TexKind.NewRow or TexKind.Close or TexKind.End))));
            end = _lexer.Next();
        }
        while (end.Kind == TexKind.NewRow);
        return end.Kind == TexKind.Close ? table : throw new TexSyntaxException("the { after \\substack is never closed");
    }

    private Atom ParseNegation()
    {
        XElement node = ParseArgument("\\not");
        return new Atom(Operator(node.Value switch { "=" => "≠", "∈" => "∉", "<" => "≮", ">" => "≯", string other => other + "\u0338" }, AtomKind.Relation), AtomKind.Relation);
    }

    /// <summary>Text with its spaces kept; <c>$…$</c> inside it is a formula again.</summary>
    private XElement TextRow(string text, string? style)
    {
        string[] parts = text.Replace("\\$", "\uE000").Split('$');
        if (parts.Length % 2 == 0)
            throw new TexSyntaxException("a $ inside \\text{…} is never closed");
        IEnumerable<XElement> nodes = parts.Select((part, i) => i % 2 == 1 ? ParseText(part) : Text(part, style)).Where(node => node.Value.Length > 0);
        return nodes.ToArray() is [XElement single] ? single : new XElement("mrow", nodes);
    }

    private static XElement Text(string text, string? style)
    {
        string plain = text.Replace('\uE000', '$').Replace("\\ ", " ").Replace("~", " ");
        foreach (string special in new[] { "%", "&", "#", "_", "{", "}" })
            plain = plain.Replace("\\" + special, special);
        // MathML trims white space at the ends of mtext; a no-break space stays.
        return new XElement("mtext", style is null ? null : new XAttribute("style", style), plain.Replace(' ', '\u00A0'));
    }

    private Atom OperatorName(string raw, bool limits)
    {
        string name = string.Concat(raw.Replace("\\,", "\u2009").Replace("\\-", "-").Where(c => c is '\u2009' || !char.IsWhiteSpace(c)));
        if (name.Contains('\\') || name.Contains('{'))
            return new Atom(ParseText(raw), AtomKind.Function, limits ? Scripts.UnderAndOver : Scripts.Beside);
        return limits ? new Atom(LimitFunction(name), AtomKind.Function, Scripts.UnderAndOver) : new Atom(UprightSymbol(name), AtomKind.Function);
    }

    // ---- Leaves -----------------------------------------------------------------------------------------------------

    private XElement Identifier(string text)
    {
        string shown = TexSymbols.InAlphabet(text, _alphabet);
        return _alphabet != MathAlphabet.Default ? UprightSymbol(shown) : Element("mi", shown);
    }

    /// <summary>A single letter in mi is set in italics unless told otherwise.</summary>
    private static XElement UprightSymbol(string text)
    {
        XElement node = Element("mi", text);
        if (new StringInfo(text).LengthInTextElements == 1)
            node.SetAttributeValue("mathvariant", "normal");
        return node;
    }

    private static XElement LimitFunction(string name)
    {
        string shown = name switch
        {
            "argmax" => "arg\u2009max",
            "argmin" => "arg\u2009min",
            "limsup" => "lim\u2009sup",
            "liminf" => "lim\u2009inf",
            _ => name,
        };
        return new XElement("mo", new XAttribute("lspace", "0"), new XAttribute("rspace", "0"), new XAttribute("movablelimits", "true"), shown);
    }

    private static Atom DelimiterAtom(string name, string symbol) =>
        TexSymbols.Opening.Contains(name) ? new Atom(WithForm(symbol, "prefix"), AtomKind.Open)
        : TexSymbols.Closing.Contains(name) ? new Atom(WithForm(symbol, "postfix"), AtomKind.Close)
        : new Atom(Tight(symbol));

    /// <summary>Plus, minus and ± take no space before an operand when nothing stands to their left.</summary>
    private Atom Sign(string symbol, AtomKind previous)
    {
        bool unary = previous is AtomKind.Open or AtomKind.Binary or AtomKind.Relation or AtomKind.Punctuation or AtomKind.Large or AtomKind.Function;
        return unary
            ? new Atom(new XElement("mo", new XAttribute("form", "prefix"), symbol))
            : new Atom(Operator(symbol, AtomKind.Binary), AtomKind.Binary);
    }

    /// <summary>An operator with the spacing of its class; in scripts TeX leaves none.</summary>
    private XElement Operator(string symbol, AtomKind kind)
    {
        (string before, string after) = (kind, _scriptDepth) switch
        {
            (_, > 0) => ("0", "0"),
            (AtomKind.Relation, _) => ("0.2778em", "0.2778em"),
            (AtomKind.Binary, _) => ("0.2222em", "0.2222em"),
            _ => ("0", ThinSpace),
        };
        return new XElement("mo", new XAttribute("lspace", before), new XAttribute("rspace", after), symbol);
    }

    private static XElement Tight(string symbol) =>
        new("mo", new XAttribute("lspace", "0"), new XAttribute("rspace", "0"), new XAttribute("stretchy", "false"), symbol);

    private static XElement Fixed(string symbol) => new("mo", new XAttribute("stretchy", "false"), symbol);

    private static XElement WithForm(string symbol, string form) =>
        new("mo", new XAttribute("form", form), new XAttribute("stretchy", "false"), symbol);

    private static XElement Stretchy(string symbol, string? form) =>
        new("mo", form is null ? null : new XAttribute("form", form), new XAttribute("stretchy", "true"), symbol);

    private static XElement Accent(string element, XElement argument, string symbol, bool stretchy) =>
        new(element, new XAttribute(element == "mover" ? "accent" : "accentunder", "true"), argument,
            new XElement("mo", new XAttribute("stretchy", stretchy ? "true" : "false"), symbol));

    private static XElement Padded(XElement node) => new("mrow", Space("0.3em"), node, Space("0.3em"));

    private static XElement Space(string width) => width.StartsWith('-')
        ? new XElement("mspace", new XAttribute("style", "margin-left:" + width))
        : new XElement("mspace", new XAttribute("width", width));

    private static XElement Element(string name, string text) => new(name, text);
}
