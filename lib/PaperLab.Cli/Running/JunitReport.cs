// A JUnit report: one suite per notebook, one test case per code cell. The XML that CI systems read.

using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using PaperLab.Notebooks.Batch;

namespace PaperLab.Cli.Running;

/// <summary>Writes <c>--report junit=FILE</c>.</summary>
internal static class JunitReport
{
    /// <summary>Writes the report, all of it or nothing.</summary>
    /// <exception cref="EnvironmentException">The file cannot be written.</exception>
    public static void Write(string path, BatchSummary summary)
    {
        XElement[] suites = [.. summary.Results.Select(Suite), .. summary.Problems.Select(UnreadableSuite)];
        var document = new XDocument(new XElement(
            "testsuites",
            new XAttribute("name", "paperlab run"),
            Total(suites, "tests"),
            Total(suites, "failures"),
            Total(suites, "errors"),
            new XAttribute("time", Seconds(TimeSpan.FromTicks(summary.Results.Sum(result => result.Duration.Ticks)))),
            suites));
        using var bytes = new MemoryStream();
        using (var writer = XmlWriter.Create(bytes, new XmlWriterSettings { Indent = true }))
        {
            document.Save(writer);
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            Notebooks.Format.AtomicFile.Write(path, bytes.ToArray());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"the report {path} cannot be written: {error.Message}");
        }
    }

    private static XElement Suite(NotebookResult result)
    {
        List<XElement> cases = [.. result.Cells.Select((cell, index) => Case(result, cell, index))];
        if (result.Status == RunStatus.NotSaved)
        {
            cases.Add(new XElement("testcase", new XAttribute("name", "save"), new XAttribute("classname", result.Job.Name), new XAttribute("time", "0"), Fault("error", "NotSaved", result.SaveError!, "")));
        }

        return new XElement(
            "testsuite",
            new XAttribute("name", result.Job.Name),
            new XAttribute("tests", cases.Count),
            Count(cases, "failures", "failure"),
            Count(cases, "errors", "error"),
            Count(cases, "skipped", "skipped"),
            new XAttribute("time", Seconds(result.Duration)),
            new XAttribute("timestamp", result.Started.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture)),
            cases);
    }

    private static XElement Case(NotebookResult result, CellReport cell, int index)
    {
        var element = new XElement(
            "testcase",
            new XAttribute("name", Clean(cell.Number > 0 ? cell.Label : $"code cell {index + 1} (not run): {cell.Label}")),
            new XAttribute("classname", result.Job.Name),
            new XAttribute("time", Seconds(cell.Duration)));
        string name = cell.Error?.Name ?? RunStatuses.NameOf(cell.Status);
        string message = cell.Error?.Message ?? "";
        string details = cell.Error is null ? "" : string.Join('\n', cell.Error.Traceback);
        element.Add(cell.Status switch
        {
            RunStatus.Passed => null,
            RunStatus.Skipped => new XElement("skipped"),
            RunStatus.Failed => Fault("failure", name, message, details),
            _ => Fault("error", name, message, details),
        });
        return element;
    }

    private static XElement UnreadableSuite(PreparedNotebook notebook)
    {
        string name = Path.GetFileNameWithoutExtension(notebook.Path);
        return new XElement(
            "testsuite",
            new XAttribute("name", name),
            new XAttribute("tests", 1),
            new XAttribute("failures", 0),
            new XAttribute("errors", 1),
            new XAttribute("skipped", 0),
            new XAttribute("time", "0"),
            new XElement("testcase", new XAttribute("name", "read"), new XAttribute("classname", name), new XAttribute("time", "0"), Fault("error", "NotebookFormatException", notebook.Problem!, "")));
    }

    private static XElement Fault(string kind, string type, string message, string details) =>
        new(kind, new XAttribute("type", Clean(type)), new XAttribute("message", Clean(message)), Clean(details));

    private static XAttribute Count(List<XElement> cases, string attribute, string element) =>
        new(attribute, cases.Count(testCase => testCase.Element(element) is not null));

    private static XAttribute Total(XElement[] suites, string attribute) => new(attribute, suites.Sum(suite => (int)suite.Attribute(attribute)!));

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>XML has no way to write most control characters.</summary>
    private static string Clean(string text) => string.Concat(text.Where(c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c)));
}
