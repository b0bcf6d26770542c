using System.Text.Json;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

public sealed class HeldOutEvaluationTests
{
    [Fact]
    public void Perplexity_is_e_to_the_loss_and_no_part_of_the_record()
    {
        var evaluation = new HeldOutEvaluation(Math.Log(8), new Dictionary<string, double> { ["code"] = Math.Log(4), ["prose"] = Math.Log(16) }, []);

        Assert.Equal(8, evaluation.Perplexity, 12);
        Assert.Equal(["code", "prose"], evaluation.PerplexityByDomain.Keys);
        Assert.Equal(4, evaluation.PerplexityByDomain["code"], 12);
        Assert.Equal(16, evaluation.PerplexityByDomain["prose"], 12);
        Assert.DoesNotContain("Perplexity", JsonSerializer.Serialize(evaluation, RunRecord.Json));
    }
}
