using PaperLab.Text;
using PaperLab.Text.Sources;

namespace PaperLab.Tests.Text;

/// <summary>The sources that every SDK install holds, read for real.</summary>
public sealed class SourcesTests
{
    private static readonly Lazy<Corpus> s_real = new(() => Corpus.Build(
        [.. new[] { "prose", "code", "messages-de", "messages-ja" }.Select(TextSources.Open)], new CorpusOptions { MaxBytesPerDomain = 300_000 }));

    [Theory]
    [InlineData("T:System.Collections.BitArray", "System.Collections.BitArray", "System.Collections.BitArray")]
    [InlineData("M:System.Collections.BitArray.And(System.Collections.BitArray)", "BitArray.And(BitArray)", "System.Collections.BitArray")]
    [InlineData("M:System.Collections.BitArray.#ctor(System.Boolean[])", "new BitArray(Boolean[])", "System.Collections.BitArray")]
    [InlineData("P:System.Collections.Generic.List`1.Count", "List.Count", "System.Collections.Generic.List`1")]
    [InlineData("M:System.Array.ConvertAll``2(``0[],System.Converter{``0,``1})", "Array.ConvertAll(T[], Converter<T, T>)", "System.Array")]
    [InlineData("M:System.Decimal.op_Explicit(System.Decimal)~System.Byte", "Decimal.op_Explicit(Decimal)", "System.Decimal")]
    [InlineData("M:System.Array.System#Collections#IList#Add(System.Object)", "Array.System.Collections.IList.Add(Object)", "System.Array")]
    public void A_documentation_identifier_reads_as_code(string id, string readable, string type)
    {
        Assert.Equal(readable, MemberName.Readable(id));
        Assert.Equal(type, MemberName.TypeOf(id));
    }

    [Fact]
    public void Documentation_becomes_prose_with_its_references_spelt_out()
    {
        using var temporary = new TemporaryCache();
        string path = Path.Combine(temporary.Folder, "a.xml");
        File.WriteAllText(path, """
            <doc><members>
              <member name="T:N.Box`1"><summary>Holds one <typeparamref name="T" />.</summary></member>
              <member name="M:N.Box`1.Put(System.Int32)">
                <summary>Puts <paramref name="item" /> in,
                  unless it is <see langword="null" />. <para>See <see cref="P:N.Box`1.Count" /> and <see href="x">the guide</see>.</para></summary>
                <param name="item">What to put in.</param>
                <exception cref="T:System.ArgumentException"><paramref name="item" /> is heavy.

            -or-

            It is hot.</exception>
                <returns><see langword="true" /> if it fits; see <c>Fits()</c>.</returns>
              </member>
              <member name="M:System.Runtime.Intrinsics.X86.Sse.Add"><summary>__m128 _mm_add_ps</summary></member>
            </members></doc>
            """);

        SourceDocument document = Assert.Single(ApiProse.ReadFile(path));
        Section[] sections = [.. document.Sections];

        Assert.Equal("N.Box`1", document.Name);
        Assert.Equal("N.Box", document.Group);
        Assert.Equal("N.Box", sections[0].Heading);
        Assert.Equal(["Holds one T."], sections[0].Lines);
        Assert.Equal("Box.Put(Int32)", sections[1].Heading);
        Assert.Equal(
            [
                "Puts item in, unless it is null.", "See Box.Count and the guide.", "item: What to put in.",
                "Throws ArgumentException: item is heavy.", "It is hot.", "Returns: true if it fits; see Fits().",
            ],
            sections[1].Lines);
    }

    [Fact]
    public void Documentation_that_is_not_xml_is_named()
    {
        using var temporary = new TemporaryCache();
        string path = Path.Combine(temporary.Folder, "broken.xml");
        File.WriteAllText(path, "<doc><members><member name=\"T:N.A\"><summary>");

        Assert.Contains("broken.xml", Assert.Throws<InvalidDataException>(() => ApiProse.ReadFile(path)).Message);
    }

    [Fact]
    public void The_sdk_and_this_repository_fill_every_domain()
    {
        Assert.Equal(["prose", "code", "messages-de", "messages-ja"], s_real.Value.Domains);
        Assert.All(s_real.Value.Sizes(), size => Assert.True(size.TrainBytes > 50_000 && size.HeldOutBytes > 3_000, size.ToString()));
    }

    [Fact]
    public void Messages_are_in_their_language()
    {
        Assert.Contains(s_real.Value.Select(Split.Train, "messages-de"), document => document.Text.Contains(" der ") && document.Text.Contains('ü'));
        Assert.True(s_real.Value.Select(Split.Train, "messages-ja").Sum(document => document.Text.Count(c => c is >= '\u3040' and <= '\u30ff')) > 10_000);
    }

    [Fact]
    public void No_held_out_line_of_prose_or_messages_is_in_the_train_text()
    {
        foreach (string domain in new[] { "prose", "messages-de", "messages-ja" })
        {
            // Headings name a member; two overloads of one type can read alike and are on one side.
            HashSet<string> train = [.. Lines(domain, Split.Train)];
            string[] leaked = [.. Lines(domain, Split.HeldOut).Where(line => line.Length > 30 && line.Contains(' ') && train.Contains(line))];
            Assert.Empty(leaked);
        }
    }

    [Fact]
    public void No_held_out_document_resembles_a_train_document()
    {
        foreach (string domain in s_real.Value.Domains)
        {
            Document[] documents = [.. s_real.Value.Documents.Where(document => document.Domain == domain)];
            IEnumerable<(int A, int B, double Similarity)> pairs = NearDuplicates.Pairs([.. documents.Select(document => NearDuplicates.Sketch(document.Text))], 0.3);
            Assert.All(pairs, pair => Assert.Equal(documents[pair.A].Split, documents[pair.B].Split));
        }
    }

    [Fact]
    public void Translations_of_the_same_messages_are_on_the_same_side()
    {
        Dictionary<string, Split> german = s_real.Value.Documents.Where(document => document.Domain == "messages-de").ToDictionary(document => document.Name[..^3], document => document.Split);
        Document[] shared = [.. s_real.Value.Documents.Where(document => document.Domain == "messages-ja" && german.ContainsKey(document.Name[..^3]))];

        Assert.NotEmpty(shared);
        Assert.All(shared, document => Assert.Equal(german[document.Name[..^3]], document.Split));
    }

    [Fact]
    public void Built_files_are_no_source_code()
    {
        string[] names = [.. TextSources.Open("code").Read().Select(document => document.Name)];

        Assert.Contains("lib/PaperLab/SplitMix64.cs", names);
        Assert.DoesNotContain(names, name => name.Contains("/obj/") || name.Contains("/bin/") || name.Contains("/out/"));
    }

    [Fact]
    public void The_real_corpus_survives_tokenizing()
    {
        using var temporary = new TemporaryCache();
        BpeTokenizer tokenizer = BpeTokenizer.Load(s_real.Value, 1000, temporary.Cache);

        Assert.Equal(1000, tokenizer.VocabularySize);
        Assert.All(s_real.Value.Select(Split.HeldOut), document => Assert.Equal(document.Text, tokenizer.Decode(tokenizer.Encode(document.Text))));
        Assert.True(tokenizer.BytesPerToken(s_real.Value.Select(Split.HeldOut, "prose").Select(document => document.Text)) > 2);
    }

    [Fact]
    public void An_unknown_language_or_folder_is_said_plainly()
    {
        Assert.Contains("zh-Hans", Assert.Throws<ArgumentException>(() => new ToolMessages(SdkLocation.Find(), "tlh")).Message);
        Assert.Null(SdkLocation.TryRoot(Path.GetTempPath()));
    }

    [Fact]
    public void The_newest_sdk_is_taken_and_a_release_before_its_preview()
    {
        using var temporary = new TemporaryCache();
        foreach (string version in new[] { "9.0.300", "10.0.99", "10.0.100-rc.1", "10.0.100", "text" })
        {
            Directory.CreateDirectory(Path.Combine(temporary.Folder, "sdk", version));
            Directory.CreateDirectory(Path.Combine(temporary.Folder, "packs", "Microsoft.NETCore.App.Ref", version, "ref", "net10.0"));
            File.WriteAllText(Path.Combine(temporary.Folder, "packs", "Microsoft.NETCore.App.Ref", version, "ref", "net10.0", "a.xml"), "");
        }

        SdkLocation found = Assert.IsType<SdkLocation>(SdkLocation.TryRoot(temporary.Folder));

        Assert.Equal("10.0.100", Path.GetFileName(found.SdkFolder));
        Assert.Equal(".NET SDK 10.0.100, Microsoft.NETCore.App.Ref 10.0.100", found.Description);
    }

    private static IEnumerable<string> Lines(string domain, Split split) => s_real.Value.Select(split, domain).SelectMany(document => document.Text.Split('\n'));
}
