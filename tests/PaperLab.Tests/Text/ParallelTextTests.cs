// Small texts in the formats of the fetched sets, written for these tests: no set is needed.

using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using PaperLab.Text.Data;
using PaperLab.Text.Sources;

namespace PaperLab.Tests.Text;

public sealed class ParallelTextTests
{
    private const string Pages = "usr/share/doc/debian-handbook/html/", Wiki = "usr/share/mediawiki/", Dictionary = "usr/share/dictd/freedict-eng-ara", Nouns = "usr/share/wordnet/";

    // Places of eight digits, topic, n, words and their number, pointers and theirs.
    private const string Meanings = """
          1 This is the licence, which begins with spaces.
        00000001 26 n 01 physical_condition 0 002 ~ 00000002 n 0000 @ 00000009 n 0000 | of the body
        00000002 26 n 02 pneumonia 0 lung_fever 0 001 @ 00000001 n 0000 | of the lung
        00000003 26 n 01 symptom 0 001 ~ 00000004 n 0000 | a sign
        00000004 26 n 01 cough 0 001 @ 00000003 n 0000 | a symptom
        00000005 06 n 01 drug 0 002 ~ 00000006 n 0000 ~i 00000008 n 0000 | a medicine
        00000006 13 n 01 wine 0 001 @ 00000005 n 0000 | a drink
        00000007 08 n 01 bone 0 000 | of the body
        00000008 06 n 01 aspirin 0 001 @ 00000005 n 0000 | a drug
        00000009 04 n 01 stroke 0 000 | of a pen
        0000000a 26 n 0a a 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 j 0 000 | ten words, in hexadecimal
        """;

    private const string Senses = """
          1 This is the licence, which begins with spaces.
        aspirin n 1 1 @ 1 0 00000008
        bone n 1 0 1 1 00000007
        cough n 1 1 @ 1 1 00000004
        lung_fever n 1 1 @ 1 0 00000002
        stroke n 2 1 @ 2 1 00000009 00000002
        pneumonia n 2 1 @ 2 1 00000002 00000009
        wine n 1 1 @ 1 1 00000006
        """;

    private static Dictionary<string, byte[]> Files(params (string Path, string Text)[] files) => files.ToDictionary(file => file.Path, file => Encoding.UTF8.GetBytes(file.Text));

    [Fact]
    public void What_was_not_fetched_is_null_and_what_is_damaged_is_named()
    {
        using var folder = new TemporaryFolder();
        var store = new DataStore(folder.Path);
        Func<IReadOnlyList<ParallelPair>?>[] readers =
            [() => ParallelText.ReadHandbook(store), () => ParallelText.ReadMessages(store), () => ParallelText.ReadDictionary(store), () => ParallelText.ReadMedicalTerms(store)];

        Assert.All(readers, read => Assert.Null(read()));

        string[] sets = ["debian-handbook", "mediawiki", "freedict-eng-ara", "wordnet"];
        Assert.All(sets.Zip(readers), pair =>
        {
            string path = store.PathOf(DataSet.Named(pair.First));
            File.WriteAllText(path, "half of");
            DataSetException error = Assert.Throws<DataSetException>(() => pair.Second());
            Assert.Contains(path, error.Message);
            Assert.Contains($"data get {pair.First}", error.Message);
        });
    }

    [Fact]
    public void Of_the_handbook_translated_paragraphs_are_paired_without_markup()
    {
        IReadOnlyList<ParallelPair> pairs = HandbookParagraphs.Pairs(Files(
            (Pages + "en-US/apt.html", Page("""
                <div class="para">
                    The command <code class="command">apt</code> is <a class="xref" href="#a">explained in “Tools”</a>.
                    <div class="url">→ <a href="x">https://example.org</a></div></div>
                <p class="title">A title</p>
                <div class="para">Not translated, see <a class="xref" href="#a">Section 2</a>.</div>
                <ul><li><div class="para">Packages &amp; files: <pre class="screen">ls</pre></div></li></ul>
                """)),
            (Pages + "ar-MA/apt.html", Page("""
                <div class="para">
                    الأمر <code class="command">apt</code> <a class="xref" href="#a">مشروح في ”الأدوات“</a>&#x200F;.
                    <div class="url">→ <a href="x">https://example.org</a></div></div>
                <p class="title">عنوان</p>
                <div class="para">Not translated, see <a class="xref" href="#a">قسم 2</a>.</div>
                <ul><li><div class="para">الحزم &amp; الملفات: <pre class="screen">ls</pre></div></li></ul>
                """))));

        Assert.Equal(
            [
                new ParallelPair("The command apt is explained in “Tools”.", "الأمر apt مشروح في ”الأدوات“.", "debian-handbook/apt.html/1"),
                new ParallelPair("Packages & files:", "الحزم & الملفات:", "debian-handbook/apt.html/3"),
            ],
            pairs);
    }

    [Theory]
    [InlineData("<div class=\"para\">واحد</div><div class=\"para\">اثنان</div>", "apt.html has 1 paragraphs in English and 2 in Arabic")]
    [InlineData("<div class=\"para\">واحد", "ar-MA/apt.html is no XHTML")]
    [InlineData(null, "ar-MA/apt.html is missing")]
    public void A_page_that_is_no_translation_of_the_other_is_an_error(string? arabic, string message)
    {
        Dictionary<string, byte[]> files = Files((Pages + "en-US/apt.html", Page("<div class=\"para\">one</div>")));
        if (arabic is not null)
        {
            files.Add(Pages + "ar-MA/apt.html", Encoding.UTF8.GetBytes(Page(arabic)));
        }

        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => HandbookParagraphs.Pairs(files)).Message);
    }

    [Theory]
    [InlineData("'''Bold''' and ''leaning''", "Bold and leaning")]
    [InlineData("See [[Help:Links|the help]] and [[Main page]].", "See the help and Main page.")]
    [InlineData("Read [https://example.org/a the guide] <strong>now</strong>.<br />\nThen go.", "Read the guide now. Then go.")]
    [InlineData("$1 {{PLURAL:$1|0=no page|page|pages}} by {{GENDER:$2|him|her|them}}", "$1 pages by him")]
    [InlineData("{{PLURAL:$1|one|{{GENDER:$2|his|her}} $1 pages}}", "his $1 pages")]
    [InlineData("{{GRAMMAR:genitive|the wiki}}", "the wiki")]
    [InlineData("one<!-- not this --> &amp; two", "one & two")]
    [InlineData("$1", "")]
    [InlineData("$1: ($2)", "")]
    [InlineData("Welcome to {{SITENAME}}", null)]
    [InlineData("Write &lt;poem&gt;", null)]
    [InlineData("{\"key\": \"value\"}", null)]
    [InlineData("See https://example.org", null)]
    public void A_message_keeps_its_words_and_is_dropped_where_markup_is_left(string message, string? words) => Assert.Equal(words, MediaWikiMessages.Clean(message));

    [Fact]
    public void Messages_are_paired_by_component_and_key_each_pair_once()
    {
        IReadOnlyList<ParallelPair> pairs = MediaWikiMessages.Pairs(Files(
            (Wiki + "languages/i18n/en.json", """{"@metadata": {"authors": ["A"]}, "undo": "undo", "page": "Page $1", "name": "Wiki", "site": "{{SITENAME}} here", "new": "New"}"""),
            (Wiki + "languages/i18n/ar.json", """{"@metadata": {"authors": ["ب"]}, "undo": "رجوع", "page": "صفحة $1", "name": "Wiki", "site": "{{SITENAME}} هنا", "old": "قديم"}"""),
            (Wiki + "skins/a/i18n/en.json", """{"undo": "undo", "new": "New"}"""),
            (Wiki + "skins/a/i18n/ar.json", """{"undo": "رجوع", "new": "جديد"}""")));

        Assert.Equal(
            [new ParallelPair("undo", "رجوع", "mediawiki/languages/i18n/undo"), new ParallelPair("Page $1", "صفحة $1", "mediawiki/languages/i18n/page"), new ParallelPair("New", "جديد", "mediawiki/skins/a/i18n/new")],
            pairs);
    }

    [Theory]
    [InlineData("{\"a\": ")]
    [InlineData("[]")]
    public void A_damaged_file_of_messages_is_named(string arabic) => Assert.Contains(
        "i18n/ar.json is no JSON object from keys to messages", Assert.Throws<InvalidDataException>(() => MediaWikiMessages.Pairs(Files((Wiki + "i18n/en.json", "{}"), (Wiki + "i18n/ar.json", arabic)))).Message);

    [Fact]
    public void A_dictionary_gives_every_translation_without_its_explanation()
    {
        IReadOnlyList<ParallelPair> pairs = FreeDict.Pairs(DictionaryFiles(
            ("00databaseinfo", "About this dictionary: قاموس\n"),
            ("asthma", "Asthma /ˈasmə/\n1. الرّبو\n2. داء الربو - مرض صدري\n"),
            ("atm", "ATM /ˌeɪtˈiːˈɛm/\nصرّاف (آلي)\n"),
            ("vice versa", "Vice versa /x/\nوالعكس\n"),
            ("untranslated", "Untranslated /x/\nsee asthma\n")));

        Assert.Equal(
            [("asthma", "الرّبو"), ("asthma", "داء الربو"), ("atm", "صرّاف"), ("vice versa", "والعكس")],
            pairs.Select(pair => (pair.English, pair.Arabic)));
        Assert.Equal("freedict-eng-ara/asthma", pairs[0].Source);
    }

    [Theory]
    [InlineData("asthma\tA\t/", "within the 21 bytes")]
    [InlineData("asthma\tA", "line 1, is 'asthma\tA'")]
    [InlineData("asthma\tA\t?", "to the base 64")]
    [InlineData("asthma\t////////////////////\tB", "to the base 64")]
    public void A_line_of_the_index_that_points_nowhere_is_an_error(string line, string message)
    {
        Dictionary<string, byte[]> files = DictionaryFiles(("asthma", "Asthma /x/\nالربو")); // 11 letters of one byte and 5 of two
        files[Dictionary + ".index"] = Encoding.UTF8.GetBytes(line + "\n");

        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => FreeDict.Pairs(files)).Message);
    }

    [Fact]
    public void A_dictionary_that_does_not_unzip_is_named()
    {
        Dictionary<string, byte[]> files = DictionaryFiles();
        files[Dictionary + ".dict.dz"] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

        Assert.Contains(".dict.dz does not unzip", Assert.Throws<InvalidDataException>(() => FreeDict.Pairs(files)).Message);
    }

    [Fact]
    public void A_noun_is_medical_by_its_first_sense()
    {
        IReadOnlySet<string> terms = WordNetTerms.Medical(Files((Nouns + "data.noun", Meanings), (Nouns + "index.noun", Senses)));

        Assert.Equal(["aspirin", "bone", "cough", "lung fever", "pneumonia"], terms.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_damaged_file_of_nouns_is_named_with_its_line()
    {
        string Message(string meanings, string senses) => Assert.Throws<InvalidDataException>(() => WordNetTerms.Medical(Files((Nouns + "data.noun", meanings), (Nouns + "index.noun", senses)))).Message;

        Assert.Contains("data.noun, line 12, is not as wndb(5) describes it: 00000011 26 n 03 cut", Message(Meanings + "\n00000011 26 n 03 cut 0", Senses));
        Assert.Contains("index.noun, line 9, is not as wndb(5) describes it: cut n", Message(Meanings, Senses + "\ncut n"));
        Assert.Contains("data.noun has no meaning 'symptom' under topic 26", Message(Meanings.Replace("symptom", "token"), Senses));
    }

    [Fact]
    public void A_package_gives_the_files_that_are_wanted_and_a_cut_one_is_named()
    {
        Assert.SkipUnless(HasDpkg(), "dpkg-deb is not on this machine");
        using var folder = new TemporaryFolder();
        string package = folder.File("a.deb"), cut = folder.File("cut.deb");
        byte[] content = Encoding.UTF8.GetBytes(new string('x', 200_000));
        File.WriteAllBytes(package, Archive(("debian-binary", "2.0\n"u8.ToArray()), ("control.tar", Tar(("./control", [1]))), ("data.tar", Tar(("./usr/a.html", content), ("./usr/b.png", content), ("./usr/c.html", [])))));
        File.WriteAllBytes(cut, File.ReadAllBytes(package)[..100_000]);

        IReadOnlyDictionary<string, byte[]> files = DebianPackage.Read(package, path => path.EndsWith(".html", StringComparison.Ordinal));

        Assert.Equal(["usr/a.html", "usr/c.html"], files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(content, files["usr/a.html"]);
        string message = Assert.Throws<InvalidDataException>(() => DebianPackage.Read(cut, _ => true)).Message;
        Assert.StartsWith($"{cut} is not a whole Debian package: dpkg-deb ended with exit code", message);
    }

    private static string Page(string body) =>
        $"""
        <?xml version="1.0" encoding="UTF-8" standalone="no"?>
        <!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
        <html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>
        """;

    private static Dictionary<string, byte[]> DictionaryFiles(params (string Word, string Entry)[] entries)
    {
        const string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        static string Number(int number) => number < 64 ? $"{digits[number]}" : Number(number / 64) + digits[number % 64];
        using var zipped = new MemoryStream();
        var index = new StringBuilder();
        using (var zip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            int start = 0;
            foreach ((string word, string entry) in entries)
            {
                byte[] bytes = Encoding.UTF8.GetBytes(entry);
                zip.Write(bytes);
                index.Append($"{word}\t{Number(start)}\t{Number(bytes.Length)}\n");
                start += bytes.Length;
            }
        }

        return new Dictionary<string, byte[]> { [Dictionary + ".index"] = Encoding.UTF8.GetBytes(index.ToString()), [Dictionary + ".dict.dz"] = zipped.ToArray() };
    }

    private static byte[] Tar(params (string Name, byte[] Content)[] files)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Gnu, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in files)
            {
                tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
            }
        }

        return stream.ToArray();
    }

    // ar(5): names and sizes in text of fixed width, each member at an even place.
    private static byte[] Archive(params (string Name, byte[] Content)[] members) =>
        [.. "!<arch>\n"u8, .. members.SelectMany(member => (byte[])[.. Encoding.ASCII.GetBytes($"{member.Name,-16}{0,-12}{0,-6}{0,-6}{100644,-8}{member.Content.Length,-10}`\n"), .. member.Content, .. member.Content.Length % 2 == 1 ? "\n"u8 : []])];

    private static bool HasDpkg()
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("dpkg-deb", ["--version"]) { RedirectStandardOutput = true })!;
            process.WaitForExit();
            return true;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
