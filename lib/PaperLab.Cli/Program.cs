// paperlab: the command-line tool. One file per command in Commands/.

using PaperLab.Cli;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Jupyter;

// What serves a notebook starts here too, and must start fast: no command line parsing.
return args switch
{
    [NotebookHost.CommandName, .. var rest] => NotebookHost.Run(rest),
    [JupyterKernel.CommandName, .. var rest] => JupyterKernel.Run(rest),
    _ => await CommandLine.RunAsync(args),
};
