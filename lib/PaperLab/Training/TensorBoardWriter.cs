// Metrics as TensorBoard's event files (`tensorboard --logdir FOLDER`). An event file is a sequence of TFRecords, each an Event:
//
//   8 bytes  length of the data, little-endian
//   4 bytes  masked CRC-32C of these 8 bytes
//   N bytes  the data: tensorflow.Event as a protocol buffer
//   4 bytes  masked CRC-32C of the data
//
// with masked(c) = (c rotated right by 15 bits) + 0xa282ead8. The first Event names the format, "brain.Event:2"; a start event makes
// TensorBoard forget what earlier files of the folder say of its step and later ones, which is how a resumed run goes on.

using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using Tensorboard;

namespace PaperLab.Training;

/// <summary>A folder of event files, one for each time that the run was begun or resumed.</summary>
/// <param name="folder">Where they go; it is created.</param>
/// <param name="clock">Time of the events; the system's by default.</param>
public sealed class TensorBoardWriter(string folder, TimeProvider? clock = null) : IMetricWriter
{
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private FileStream? _file;

    /// <inheritdoc/>
    public void Begin(int lastStep)
    {
        Directory.CreateDirectory(folder);

        // TensorBoard reads the files of a folder in the order of their names: the count keeps it right within one second.
        int earlier = Directory.GetFiles(folder, "events.out.tfevents.*").Length;
        string name = $"events.out.tfevents.{_clock.GetUtcNow().ToUnixTimeSeconds():D10}.{earlier:D4}.{Environment.MachineName}";
        _file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete, bufferSize: 0);
        Append(new Event { WallTime = Now, FileVersion = "brain.Event:2" });
        Append(new Event { WallTime = Now, Step = lastStep == 0 ? 0 : lastStep + 1, SessionLog = new SessionLog { Status = SessionLog.Types.SessionStatus.Start } });
    }

    /// <inheritdoc/>
    public void Write(int ofStep, IReadOnlyList<Metric> metrics)
    {
        var summary = new Summary();
        summary.Value.AddRange(metrics.Select(metric => new Summary.Types.Value { Tag = metric.Name, SimpleValue = (float)metric.Value }));
        Append(new Event { WallTime = Now, Step = ofStep, Summary = summary });
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private double Now => _clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    private void Append(Event what)
    {
        byte[] data = what.ToByteArray();
        var record = new byte[8 + 4 + data.Length + 4];
        BinaryPrimitives.WriteInt64LittleEndian(record, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        data.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), MaskedCrc(data));
        (_file ?? throw new InvalidOperationException("Begin comes first.")).Write(record);
    }

    internal static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }
}
