// Console.In of a notebook that has somebody to ask: every line that a cell reads is asked for.

namespace PaperLab.Notebooks.Script;

/// <summary>A text reader in front of an <see cref="IInputSource"/>.</summary>
internal sealed class InputReader(IInputSource input) : TextReader
{
    private string _line = "";
    private int _next;

    /// <summary>Asks, unless characters of the last answer are left.</summary>
    public override string ReadLine()
    {
        if (_next >= _line.Length)
        {
            return input.AskAsync("", hidden: false).GetAwaiter().GetResult();
        }

        string rest = _line[_next..].TrimEnd('\n');
        _next = _line.Length;
        return rest;
    }

    public override int Read()
    {
        int next = Peek();
        _next++;
        return next;
    }

    public override int Peek()
    {
        if (_next >= _line.Length)
        {
            (_line, _next) = (input.AskAsync("", hidden: false).GetAwaiter().GetResult() + "\n", 0);
        }

        return _line[_next];
    }
}
