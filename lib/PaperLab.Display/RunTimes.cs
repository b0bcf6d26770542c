// How long a page takes: from the records of its runs, never typed by hand.

using PaperLab.Display.Mime;
using PaperLab.Training;

namespace PaperLab.Display;

/// <summary>What is recorded of a preset, what training it took, and so what opening the page or training again costs.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed class RunTimes : IHtmlView
{
    private readonly string _preset;
    private readonly IReadOnlyList<IRecordedRun> _records;
    private readonly bool _fresh;

    private RunTimes(string preset, IReadOnlyList<IRecordedRun> records, bool fresh) => (_preset, _records, _fresh) = (preset, records, fresh);

    /// <summary>Looks up what is recorded.</summary>
    /// <param name="store">Where.</param>
    /// <param name="paper">The notebook's name.</param>
    /// <param name="preset">The preset that this page runs.</param>
    /// <param name="fresh">Whether it trains anew whatever is recorded.</param>
    public static RunTimes Of(RunStore store, string paper, string preset, bool fresh = false) => new(preset, store.RecordsOf(paper, preset), fresh);

    /// <inheritdoc/>
    public string ToHtml() => (_records.Count == 0 || _fresh ? Note.Info(ToString(), "How long it takes") : Note.Recorded(ToString())).ToHtml();

    /// <summary>The same in words.</summary>
    public override string ToString()
    {
        if (_records.Count == 0)
        {
            return $"Nothing is recorded of the preset {_preset} yet: its runs are trained now, and the live view below tells how long each takes. They are kept; stop whenever you like.";
        }

        string recorded = $"{RunText.Count(_records.Count, "run")} of the preset {_preset} recorded {RunText.When(_records)} on {RunText.Where(_records)}";
        string longest = $"{RunText.Time(_records)} of training in all, {_records.Max(record => record.TrainingSeconds):0} s for the longest run";
        return _fresh
            ? $"fresh is true: everything is trained anew. The {recorded} took {longest}."
            : $"{char.ToUpperInvariant(recorded[0])}{recorded[1..]}: {longest}. They are read now, which takes seconds; fresh = true trains them again.";
    }
}
