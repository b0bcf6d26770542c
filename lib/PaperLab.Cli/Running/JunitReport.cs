// A JUnit report: one suite per notebook, one test case per code cell. The XML that CI systems read.

using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using PaperLab.Notebooks.Batch;

namespace PaperLab.Cli.Running;

/// <summary>Writes <c>--report junit=FILE</c>.</summary>
internal static class JunitReport
{
    private static readonly string s_skipped = RunStatuses.NameOf(RunStatus.Skipped), s_failed = RunStatuses.NameOf(RunStatus.Failed);

    /// <summary>Writes the report, all of it or nothing.</summary>
    /// <exception cref="EnvironmentException">The file cannot be written.</exception>
    public static void Write(string path, RunSummary summary)
    {
        XElement[] suites = [.. summary.Notebooks.Select(Suite)];
        var document = new XDocument(new XElement(
            "testsuites",
            new XAttribute("name", "paperlab run"),
            Total(suites, "tests"),
            Total(suites, "failures"),
            Total(suites, "errors"),
            Time(summary.Notebooks.Sum(notebook => notebook.Seconds)),
            suites));
        using var text = new Utf8Text();
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { Indent = true }))
        {
            document.Save(writer);
        }

        ReportFile.Write(path, text.ToString());
    }

    private static XElement Suite(NotebookReport notebook)
    {
        List<XElement> cases = [.. notebook.Cells.Select((cell, index) => Case(
            notebook,
            cell.Number > 0 ? cell.Label : $"code cell {index + 1} (not run): {cell.Label}",
            cell.Seconds,
            cell.Status switch
            {
                _ when cell.Status == NotebookReport.Passed => null,
                _ when cell.Status == s_skipped => new XElement("skipped"),
                _ => Fault(cell.Status == s_failed ? "failure" : "error", cell.Error ?? new ErrorSummary(cell.Status, "", [])),
            }))];
        XElement? whole = notebook.Status switch
        {
            NotebookReport.Unreadable => Case(notebook, "read", 0, Fault("error", notebook.Error!)),
            NotebookReport.NotRun => Case(notebook, "run", 0, new XElement("skipped")),
            _ when notebook.SaveError is { } problem => Case(notebook, "save", 0, Fault("error", new ErrorSummary("NotSaved", problem, []))),
            _ when notebook.Compared is not null => Case(notebook, "claims", 0, notebook.Status == NotebookReport.ClaimsDiffer ? Fault("failure", notebook.Error!) : null),
            _ => null,
        };
        if (whole is not null)
        {
            cases.Add(whole);
        }

        return new XElement(
            "testsuite",
            new XAttribute("name", notebook.Name),
            new XAttribute("tests", cases.Count),
            Count(cases, "failures", "failure"),
            Count(cases, "errors", "error"),
            Count(cases, "skipped", "skipped"),
            Time(notebook.Seconds),
            notebook.Started is { } started ? new XAttribute("timestamp", started.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture)) : null,
            cases);
    }

    private static XElement Case(NotebookReport notebook, string name, double seconds, XElement? outcome) =>
        new("testcase", new XAttribute("name", Clean(name)), new XAttribute("classname", notebook.Name), Time(seconds), outcome);

    private static XElement Fault(string kind, ErrorSummary error) =>
        new(kind, new XAttribute("type", Clean(error.Name)), new XAttribute("message", Clean(error.Message)), Clean(string.Join('\n', error.Traceback)));

    private static XAttribute Count(List<XElement> cases, string attribute, string element) =>
        new(attribute, cases.Count(testCase => testCase.Element(element) is not null));

    private static XAttribute Total(XElement[] suites, string attribute) => new(attribute, suites.Sum(suite => (int)suite.Attribute(attribute)!));

    private static XAttribute Time(double seconds) => new("time", seconds.ToString("0.000", CultureInfo.InvariantCulture));

    /// <summary>XML has no way to write most control characters.</summary>
    private static string Clean(string text) => string.Concat(text.Where(c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c)));

    // A StringWriter would make the declaration say UTF-16.
    private sealed class Utf8Text : StringWriter
    {
        public override Encoding Encoding => Encoding.UTF8;
    }
}
