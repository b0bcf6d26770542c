using System.Text;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

public sealed class MetricWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The three records, from the format's description by hand: length, its masked CRC-32C, the event's fields (09: wall_time,
    // 10: step, 1A: file_version, 2A: summary {0A: value {0A: tag, 15: simple_value}}, 3A: session_log {08: status}), masked CRC-32C.
    private const string FormatRecord = "1800000000000000A37F4B22" + WallTime + "1A0D627261696E2E4576656E743A32" + "2B353110";
    private const string StartRecord = "0F000000000000006D532B09" + WallTime + "1004" + "3A020801" + "7C7BEF07";
    private const string LossRecord = "200000000000000029EDA950" + WallTime + "1005" + "2A130A110A0A747261696E2F6C6F73731500002040" + "21BDB848";
    private const string WallTime = "09" + "00002040FC54D941"; // 1700000000.5

    [Fact]
    public void An_event_file_is_what_its_format_says_byte_for_byte()
    {
        using (var writer = new TensorBoardWriter(_folder.Path, new FixedClock(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500))))
        {
            writer.Begin(3);
            writer.Write(5, [new Metric("train/loss", 2.5)]);
        }

        byte[] file = File.ReadAllBytes(Assert.Single(Directory.GetFiles(_folder.Path, "events.out.tfevents.1700000000.*")));
        Assert.Equal(FormatRecord + StartRecord + LossRecord, Convert.ToHexString(file));
    }

    [Fact]
    public void The_checksum_is_masked_crc_32c()
    {
        // CRC-32C of these nine digits is E3069283 in every description of it; turned right by 15 bits and with the constant added:
        Assert.Equal(0xC78AB0E5, TensorBoardWriter.MaskedCrc(Encoding.ASCII.GetBytes("123456789")));
    }

    [Fact]
    public void A_resumed_run_adds_a_file_that_sorts_behind_the_earlier_ones()
    {
        var clock = new FixedClock(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        for (int i = 0; i < 3; i++)
        {
            using var writer = new TensorBoardWriter(_folder.Path, clock);
            writer.Begin(i);
            Assert.Equal(i + 1, Directory.GetFiles(_folder.Path).Length);
        }

        Assert.Equal(["0000", "0001", "0002"], Directory.GetFiles(_folder.Path).Select(path => Path.GetFileName(path).Split('.')[4]).Order());
    }

    [Fact]
    public void Lines_of_json_name_the_step_and_the_metrics()
    {
        Write(0, (1, 5.25), (2, double.NaN));

        Assert.Equal(["""{"step":1,"train/loss":5.25}""", """{"step":2,"train/loss":"NaN"}"""], File.ReadAllLines(_folder.File("m.jsonl")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"step\":4,\"train/lo")]
    [InlineData("{\"step\"")]
    [InlineData("4\n")]
    public void A_resumed_run_drops_the_lines_that_come_again_and_what_a_kill_left_of_one(string left)
    {
        Write(0, (1, 5), (2, 4), (3, 3));
        File.AppendAllText(_folder.File("m.jsonl"), left);

        Write(2, (3, 2.5));

        Assert.Equal(["""{"step":1,"train/loss":5}""", """{"step":2,"train/loss":4}""", """{"step":3,"train/loss":2.5}"""], File.ReadAllLines(_folder.File("m.jsonl")));
    }

    [Fact]
    public void A_run_that_begins_anew_begins_its_file_anew()
    {
        Write(0, (1, 5));
        Write(0, (1, 4));

        Assert.Equal("""{"step":1,"train/loss":4}""", Assert.Single(File.ReadAllLines(_folder.File("m.jsonl"))));
    }

    private void Write(int lastStep, params (int Step, double Loss)[] steps)
    {
        using var writer = new JsonlMetricWriter(_folder.File("m.jsonl"));
        writer.Begin(lastStep);
        foreach ((int step, double loss) in steps)
        {
            writer.Write(step, [new Metric("train/loss", loss)]);
        }
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
