// Training as it happens. Where the host can replace what a cell shows, a table that fills in place; elsewhere, a line every few
// seconds. Either way the last state stays on the page when the training is over.

using PaperLab.Display.Mime;
using PaperLab.Training;

namespace PaperLab.Display;

/// <summary>Shows the progress of one or more training runs. Safe to report to from several threads.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed class LiveTraining : IProgress<TrainingProgress>, IHtmlView
{
    /// <summary>Where a host leaves its display function: it shows a value in the running cell and returns an action that replaces it.</summary>
    public const string DisplayHook = "PaperLab.Notebooks.Display";

    private static readonly TimeSpan s_betweenUpdates = TimeSpan.FromSeconds(0.25);
    private static readonly TimeSpan s_betweenLines = TimeSpan.FromSeconds(3);

    // Monitors, not Locks: an interrupted cell aborts its thread, and that may leave a Lock taken.
    private readonly object _state = new();
    private readonly object _output = new();
    private readonly List<TrainingRow> _rows = [];
    private readonly string _title;
    private readonly TimeProvider _clock;
    private readonly TextWriter _lines;
    private readonly Action<object>? _replace;
    private long _lastShown;
    private bool _shown;
    private bool _finished;

    internal LiveTraining(string title, Func<object, Action<object>>? display, TextWriter lines, TimeProvider clock)
    {
        (_title, _lines, _clock) = (title, lines, clock);
        _replace = display?.Invoke(this);
    }

    /// <summary>Begins a progress view in the running cell.</summary>
    /// <param name="title">What is being trained.</param>
    public static LiveTraining Start(string title) =>
        new(title, AppContext.GetData(DisplayHook) as Func<object, Action<object>>, Console.Out, TimeProvider.System);

    /// <summary>Takes one report. A run appears with its first report and is done when its last step is.</summary>
    public void Report(TrainingProgress value)
    {
        bool due;
        lock (_state)
        {
            TrainingRow? row = _rows.Find(known => known.Run == value.Run);
            bool isNew = row is null;
            if (row is null)
            {
                _rows.Add(row = new TrainingRow(value.Run));
            }

            bool wasDone = row.IsDone;
            row.Take(value);
            due = IsDue(urgent: (isNew && _replace is not null) || (row.IsDone && !wasDone));
        }

        if (due)
        {
            Show(value);
        }
    }

    /// <summary>Shows the last state once more; call it after the training, so that nothing between two updates is missing.</summary>
    public void Finish()
    {
        lock (_state)
        {
            _finished = true;
        }

        lock (_output)
        {
            _replace?.Invoke(this);
        }
    }

    /// <inheritdoc/>
    public string ToHtml()
    {
        lock (_state)
        {
            return TrainingView.ToHtml(_title, _rows, _finished);
        }
    }

    /// <summary>The state of every run as aligned text.</summary>
    public override string ToString()
    {
        lock (_state)
        {
            return TrainingView.ToText(_title, _rows, _finished);
        }
    }

    private bool IsDue(bool urgent)
    {
        long now = _clock.GetTimestamp();
        if (_shown && !urgent && _clock.GetElapsedTime(_lastShown, now) < (_replace is null ? s_betweenLines : s_betweenUpdates))
        {
            return false;
        }

        (_shown, _lastShown) = (true, now);
        return true;
    }

    // One at a time and outside the state's lock: a host formats the view, which takes that lock, on a thread of its choice.
    private void Show(TrainingProgress value)
    {
        lock (_output)
        {
            if (_replace is not null)
            {
                _replace(this);
            }
            else
            {
                _lines.WriteLine(TrainingView.ToLine(value));
            }
        }
    }
}
