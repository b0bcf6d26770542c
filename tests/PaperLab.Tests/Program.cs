// The test runner as xunit would generate it, and beside it the processes that tests start: one to be killed, those that MPI joins, a chat server.

using PaperLab.Tests;
using PaperLab.Tests.Preference;
using PaperLab.Tests.Training;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

return args switch
{
    [TrainingChild.OnText, string folder, string steps] => TrainingChild.Run(folder, int.Parse(steps)),
    [TrainingChild.OnTask, string folder, string steps] => TrainingChild.RunPolicy(folder, int.Parse(steps)),
    [MpiChild.Command, string folder] => MpiChild.Run(folder),
    [StubEndpointChild.Command, .. string[] options] => StubEndpointChild.Run(options),
    _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") => await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    _ => await ConsoleRunner.Run(args),
};
