using System.Globalization;

namespace PaperLab.Tests.Preference;

/// <summary>
/// The scripted model as a server of its own, for a trial by hand:
/// <c>PaperLab.Tests stub-endpoint [--port N] [--fail-after K]</c>. It runs until it is stopped, or dies after K replies.
/// </summary>
internal static class StubEndpointChild
{
    public const string Command = "stub-endpoint";
    private const int Died = 1, WrongUsage = 2;

    public static int Run(string[] options)
    {
        int port = 0, failAfter = int.MaxValue;
        for (int i = 0; i < options.Length; i += 2)
        {
            int? value = i + 1 < options.Length && int.TryParse(options[i + 1], CultureInfo.InvariantCulture, out int number) && number >= 0 ? number : null;
            switch (options[i], value)
            {
                case ("--port", { } given):
                    port = given;
                    break;
                case ("--fail-after", { } given):
                    failAfter = given;
                    break;
                default:
                    Console.Error.WriteLine($"'{string.Join(' ', options[i..])}' is not understood. Usage: {Command} [--port N] [--fail-after REPLIES]");
                    return WrongUsage;
            }
        }

        int replies = 0;
        var died = new TaskCompletionSource();
        using var server = new StubEndpoint(
            async request =>
            {
                if (Interlocked.Increment(ref replies) > failAfter)
                {
                    died.TrySetResult();
                    await Task.Delay(Timeout.Infinite);
                }

                return ScriptedModel.Answer(request);
            },
            port);
        Console.WriteLine(server.Url);
        died.Task.Wait();
        return Died;
    }
}
