// paperlab: the command-line tool. One file per command in Commands/.

using PaperLab.Cli;
using PaperLab.Notebooks.Batch;

// A notebook's process starts here too, and must start fast: no command line parsing.
return args is [NotebookHost.CommandName, .. var rest]
    ? NotebookHost.Run(rest)
    : await CommandLine.RunAsync(args);
