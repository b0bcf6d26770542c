using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PaperLab.Checkpoints;
using static TorchSharp.torch;

namespace PaperLab.Tests.Checkpoints;

public sealed class SafetensorsFileTests : TorchTest
{
    private static readonly ScalarType[] s_dtypes =
    [
        ScalarType.Bool, ScalarType.Byte, ScalarType.Int8, ScalarType.Int16, ScalarType.Int32, ScalarType.Int64,
        ScalarType.Float16, ScalarType.BFloat16, ScalarType.Float32, ScalarType.Float64,
    ];

    [Fact]
    public void The_bytes_of_a_small_file_are_those_of_the_format()
    {
        using var folder = new TemporaryFolder();

        SafetensorsFile.Write(folder.File("a.safetensors"), [("x", tensor(new byte[] { 7, 8 })), ("y", tensor(new[] { 1f, -2f }).view(1, 2))], new Dictionary<string, string> { ["format"] = "pt" });

        const string Header = """{"__metadata__":{"format":"pt"},"y":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"x":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}}""";
        byte[] header = Encoding.UTF8.GetBytes(Header.PadRight(((Header.Length + 8 + 63) / 64 * 64) - 8));
        byte[] expected = [.. BitConverter.GetBytes((long)header.Length), .. header, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 7, 8];
        Assert.Equal(expected, File.ReadAllBytes(folder.File("a.safetensors")));
    }

    [Fact]
    public void Tensors_are_laid_out_so_that_each_is_aligned_to_its_own_length()
    {
        using var folder = new TemporaryFolder();
        (string, Tensor)[] tensors = [("odd", zeros(3, dtype: ScalarType.Byte)), ("a", ones(5)), ("experts", ones(2, 8, 8)), ("b", ones(8)), ("none", ones(0)), ("more", ones(64) * 2)];

        SafetensorsFile.Write(folder.File("a.safetensors"), tensors);

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));
        Assert.Equal(["experts", "none", "more", "b", "a", "odd"], file.Names);
        long at = 8 + BitConverter.ToInt64(File.ReadAllBytes(folder.File("a.safetensors")));
        foreach (string name in file.Names.Where(name => name != "none"))
        {
            long bytes = file.Tensor(name).bytes.Length;
            Assert.Equal(0, at % Math.Min(bytes & -bytes, 64));
            at += bytes;
        }
    }

    [Fact]
    public void Tensors_of_every_type_and_shape_come_back_as_they_were()
    {
        using var folder = new TemporaryFolder();
        Gen<(string Name, ScalarType Dtype, long[] Shape)> entry =
            from name in Gen.OneOf(Gen.Elements("", "a.b", "größe", "\"quoted\\", "\0", "😀"), ArbMap.Default.ArbFor<NonNull<string>>().Generator.Select(text => Clean(text.Get)))
            from dtype in Gen.Elements(s_dtypes)
            from shape in Gen.Choose(0, 5).Select(size => (long)size).ArrayOf()
            select (name, dtype, shape.Length > 4 ? shape[..4] : shape);

        Prop.ForAll(entry.ListOf().ToArbitrary(), listed =>
            {
                using var scope = NewDisposeScope();
                (string Name, Tensor Tensor)[] written = [.. listed.DistinctBy(tensor => tensor.Name).Select(tensor => (tensor.Name, Random(tensor.Dtype, tensor.Shape)))];
                var metadata = listed.DistinctBy(tensor => tensor.Name).ToDictionary(tensor => tensor.Name, tensor => tensor.Name + tensor.Dtype);
                SafetensorsFile.Write(folder.File("a.safetensors"), written, metadata);

                using SafetensorsFile read = SafetensorsFile.Open(folder.File("a.safetensors"));
                return read.Names.Order(StringComparer.Ordinal).SequenceEqual(written.Select(tensor => tensor.Name).Order(StringComparer.Ordinal))
                    && read.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal).SequenceEqual(metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    && written.All(tensor => Same(tensor.Tensor, read.Tensor(tensor.Name))
                        && read.Shape(tensor.Name).SequenceEqual(tensor.Tensor.shape) && read.Dtype(tensor.Name) == tensor.Tensor.dtype);
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(150).WithEndSize(20));
    }

    [Fact]
    public void Any_bytes_open_or_are_refused_with_the_files_name()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");

        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<bool>(), (bytes, withLength) =>
                OpensOrIsRefused(path, withLength ? [.. BitConverter.GetBytes((long)bytes.Length), .. bytes] : bytes))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(100));
    }

    [Fact]
    public void A_damaged_file_opens_or_is_refused_with_its_name()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        SafetensorsFile.Write(path, [("ab", ones(2, 3)), ("c", zeros(2, dtype: ScalarType.BFloat16)), ("d", zeros(0))], new Dictionary<string, string> { ["k"] = "v" });
        byte[] sound = File.ReadAllBytes(path);
        byte[] signs = [.. "\"{}[],:0123456789-.eE\\u "u8];
        Gen<(int At, byte Value, int Kind)> damage =
            from at in Gen.Choose(0, sound.Length - 1)
            from value in Gen.OneOf(Gen.Elements(signs), Gen.Choose(0, 255).Select(value => (byte)value))
            from kind in Gen.Choose(0, 3)
            select (at, value, kind);

        byte[] Damaged(int at, byte value, int kind) => kind switch
        {
            0 => sound[..at],
            1 => [.. sound[..at], value, .. sound[at..]],
            2 => [.. sound[..at], .. sound[(at + 1)..]],
            _ => [.. sound[..at], value, .. sound[(at + 1)..]],
        };

        Prop.ForAll(damage.ToArbitrary(), change => OpensOrIsRefused(path, Damaged(change.At, change.Value, change.Kind)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "the header names 'a' twice")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", 8, "tensor 'a' has the dtype F8_E4M3; allowed: BOOL, U8, I8, I16, I32, I64, F16, BF16, F32, F64")]
    [InlineData("""{"a":{"shape":[8],"data_offsets":[0,8]}}""", 8, "tensor 'a' has the dtype none")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "tensor 'a' is F32 [3], but its data_offsets are 0 to 8, 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "tensor 'a' has no shape of at most 64 whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "tensor 'a' has no shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "tensor 'a' is F32 [4611686018427387904, 4]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "its data_offsets are 8 to 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "tensor 'a' has no data_offsets of two whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}""", 7, "tensor 'b' begins at byte 3 of the data, but the tensors before it end at 4: they overlap")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}}""", 9, "they leave a gap")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}""", 8, "tensor 'a' ends at byte 9 of the data, but the file holds 8")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 8, "4 bytes follow the last tensor")]
    [InlineData("""{"a":3}""", 0, "tensor 'a' is described by a JSON Number")]
    [InlineData("""[]""", 0, "the header is a JSON Array")]
    [InlineData("""{"a":""", 0, "the header is not JSON")]
    [InlineData("""{"\ud800":3}""", 0, "the header is not JSON")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__ is not an object of strings")]
    public void What_is_wrong_with_a_header_is_named(string header, int dataBytes, string problem)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        byte[] json = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[dataBytes]]);

        CheckpointException error = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));

        Assert.StartsWith(path, error.Message);
        Assert.Contains(problem, error.Message);
    }

    [Fact]
    public void A_file_that_is_missing_too_short_or_of_another_kind_is_named()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        string Refusal() => Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path)).Message;

        Assert.Contains("cannot be read", Refusal());
        File.WriteAllText(path, "1234567");
        Assert.Contains("it holds 7 bytes", Refusal());
        File.WriteAllText(path, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        Assert.Contains("a Git LFS pointer", Refusal());
        Assert.StartsWith(path, Refusal());
    }

    [Fact]
    public void A_tensor_that_is_not_there_is_named()
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Write(folder.File("a.safetensors"), [("x", ones(2))]);
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));

        Assert.Contains("there is no tensor 'y'. It holds 1: x.", Assert.Throws<CheckpointException>(() => file.Tensor("y")).Message);
    }

    [Theory]
    [InlineData("x", "tensors is x; allowed: each name once")]
    [InlineData("__metadata__", "which the format keeps for itself")]
    public void A_name_that_cannot_be_written_is_refused_and_the_old_file_stays(string second, string problem)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        File.WriteAllText(path, "old");

        ArgumentException error = Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(path, [("x", ones(2)), (second, ones(2))]));

        Assert.Contains(problem, error.Message);
        Assert.Equal("old", File.ReadAllText(path));
    }

    [Fact]
    public void A_tensor_lies_on_the_file_and_training_it_in_place_changes_neither_the_file_nor_a_second_one()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        SafetensorsFile.Write(path, [("x", ones(1000))]);
        byte[] before = File.ReadAllBytes(path);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Tensor first = file.Tensor("x"), second = file.Tensor("x");

        first.add_(1);

        Assert.Equal(2000, first.sum().item<float>());
        Assert.Equal(1000, second.sum().item<float>());
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_mapping_lives_as_long_as_a_view_of_its_tensor_and_no_longer()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        SafetensorsFile.Write(path, [("x", arange(2000, dtype: ScalarType.Float32)), ("empty", empty(0, 3))]);
        int before = MappedTensor.Count;
        SafetensorsFile file = SafetensorsFile.Open(path);
        Tensor whole = file.Tensor("x");
        Tensor part = whole.narrow(0, 1000, 10);

        Assert.Equal([0L, 3], file.Tensor("empty").shape);
        Assert.Equal(before + 1, MappedTensor.Count);
        file.Dispose();
        whole.Dispose();
        Assert.Equal(1000, part.ReadCpuSingle(0));
        Assert.Equal(before + 1, MappedTensor.Count);
        part.Dispose();
        Assert.Equal(before, MappedTensor.Count);
        Assert.Throws<ObjectDisposedException>(() => file.Tensor("x"));
    }

    [Fact]
    public void A_file_can_be_replaced_while_its_tensors_are_in_use()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        SafetensorsFile.Write(path, [("x", ones(5000))]);
        using SafetensorsFile old = SafetensorsFile.Open(path);
        Tensor x = old.Tensor("x");

        SafetensorsFile.Write(path, [("x", x * 3)]);

        using SafetensorsFile replaced = SafetensorsFile.Open(path);
        Assert.Equal(5000, x.sum().item<float>());
        Assert.Equal(15000, replaced.Tensor("x").sum().item<float>());
    }

    [Fact]
    public void Elements_that_lie_unaligned_are_read_right()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.safetensors");
        byte[] header = [.. """{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"""u8, .. " "u8];
        Assert.NotEqual(0, header.Length % 4);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)]);
        using SafetensorsFile file = SafetensorsFile.Open(path);

        Assert.Equal([1.5f, -2f], file.Tensor("x").data<float>().ToArray());
    }

    [Fact]
    public void A_large_tensor_of_any_stride_is_written_in_row_major_order()
    {
        using var folder = new TemporaryFolder();
        Tensor x = arange(3 * 1100 * 2000, dtype: ScalarType.Float32).view(3, 1100, 2000).requires_grad_(true);
        (string, Tensor)[] tensors = [("turned", x.permute(1, 2, 0)), ("row", x.transpose(1, 2).narrow(0, 1, 1)), ("plain", x)];

        SafetensorsFile.Write(folder.File("a.safetensors"), tensors);

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("a.safetensors"));
        Assert.All(tensors, tensor => Assert.True(Same(tensor.Item2.contiguous().detach(), file.Tensor(tensor.Item1))));
    }

    private static bool OpensOrIsRefused(string path, byte[] bytes)
    {
        File.WriteAllBytes(path, bytes);
        try
        {
            using var scope = NewDisposeScope();
            using SafetensorsFile file = SafetensorsFile.Open(path);
            return file.Names.All(name => file.Tensor(name).cpu().numel() == file.Shape(name).Aggregate(1L, (product, size) => product * size));
        }
        catch (CheckpointException error)
        {
            return error.Message.StartsWith(path, StringComparison.Ordinal);
        }
    }

    private static Tensor Random(ScalarType dtype, long[] shape) => dtype switch
    {
        ScalarType.Bool => randint(0, 2, shape).to(dtype),
        _ => (randn(shape) * 20).to(dtype),
    };

    // Bit for bit: NaN included.
    private static bool Same(Tensor expected, Tensor actual) =>
        expected.dtype == actual.dtype && expected.shape.SequenceEqual(actual.shape) && (expected.numel() == 0 || expected.bytes.SequenceEqual(actual.bytes));

    private static string Clean(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
