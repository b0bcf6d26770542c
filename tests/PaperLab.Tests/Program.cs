// The test runner as xunit would generate it, and beside it the process that the tests of checkpoints kill.

using PaperLab.Tests;
using PaperLab.Tests.Training;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

return args switch
{
    [TrainingChild.Command, string folder, string steps] => TrainingChild.Run(folder, int.Parse(steps)),
    _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") => await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    _ => await ConsoleRunner.Run(args),
};
