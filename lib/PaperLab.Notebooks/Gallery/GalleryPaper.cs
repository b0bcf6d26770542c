// What the gallery is made of: executed notebooks, and what is known of the time that their runs took.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Gallery;

/// <summary>One paper of the gallery.</summary>
/// <param name="Name">The notebook's name, which names its page: <c>autonomy-of-experts</c>.</param>
/// <param name="Notebook">The notebook with its outputs.</param>
/// <param name="Times">What its recorded runs took, one entry for each preset and kind of machine; empty where nothing is recorded.</param>
public sealed record GalleryPaper(string Name, Notebook Notebook, IReadOnlyList<TrainingTime> Times);

/// <summary>How long the recorded runs of a preset trained on one kind of machine.</summary>
/// <param name="Preset">The preset, such as <c>standard</c>.</param>
/// <param name="Device">Where they ran: <c>cpu</c>, <c>cuda:0</c>.</param>
/// <param name="Threads">Threads of the processor.</param>
/// <param name="Runs">How many there are.</param>
/// <param name="Total">Their training, added up.</param>
public sealed record TrainingTime(string Preset, string Device, int Threads, int Runs, TimeSpan Total);

/// <summary>The gallery cannot be written or served as asked; the message says what was found, and what to do.</summary>
public sealed class GalleryException(string message) : Exception(message);
