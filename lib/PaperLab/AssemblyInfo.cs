using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("PaperLab.Tests")]
