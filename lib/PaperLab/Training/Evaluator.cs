// A model on fixed held-out windows: loss by domain, and how its layers route.
// Shapes: N tokens, S sequences, E experts, A assignments.

using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>Evaluates any number of models on the same windows.</summary>
public sealed class Evaluator
{
    private readonly TokenizedCorpus _text;
    private readonly int _windowsPerDomain;
    private readonly int _batchSize;
    private readonly Device _device;
    private readonly HeldOutPart _part;

    public Evaluator(TokenizedCorpus text, int windowsPerDomain, int batchSize, Device device, HeldOutPart part = HeldOutPart.All) =>
        (_text, _windowsPerDomain, _batchSize, _device, _part) = (text, windowsPerDomain, batchSize, device, part);

    /// <summary>Loss and routing on the held-out windows of every domain, each domain with the same weight.</summary>
    public HeldOutEvaluation Evaluate(Transformer model)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        bool wasTraining = model.training;
        model.eval();
        var domains = _text.Domains.Select(_ => new Totals()).ToArray();
        foreach (Batch batch in EvaluationWindows.Cut(_text, _batchSize, model.Config.ContextLength, _windowsPerDomain, _part))
        {
            using var batchScope = NewDisposeScope();
            Tensor targets_N = tensor(batch.Targets, device: _device);
            TransformerOutput output = model.forward(tensor(batch.Inputs, [batch.Sequences, batch.Context], device: _device));
            Tensor logits_NV = output.Logits_BTV.view(targets_N.shape[0], -1);
            Tensor loss = nn.functional.cross_entropy(logits_NV, targets_N, reduction: nn.Reduction.Sum);
            long correct = _text.Layout is null ? 0 : logits_NV.argmax(-1).eq(targets_N).sum().item<long>();
            domains[batch.Domains[0]].Add(loss.item<float>(), correct, targets_N.shape[0], batch.ScoredTokens, batch.Sequences, output.Routings);
        }

        model.train(wasTraining);
        Dictionary<string, double> lossByDomain = _text.Domains.Zip(domains).ToDictionary(pair => pair.First, pair => pair.Second.Loss / pair.Second.Scored);
        LayerRouting[] routing = [.. Enumerable.Range(0, domains[0].Layers.Count).Select(layer => RoutingOf(layer, domains))];
        return new HeldOutEvaluation(lossByDomain.Values.Average(), lossByDomain, routing)
        {
            Accuracy = _text.Layout is null ? null : domains.Average(domain => (double)domain.Correct / domain.Scored),
        };
    }

    private LayerRouting RoutingOf(int layer, Totals[] domains)
    {
        LayerTotals[] parts = domains.Select(domain => domain.Layers[layer]).ToArray();
        double tokens = domains.Sum(domain => (double)domain.Tokens);
        double[] counts = Sum(parts.Select(part => part.Counts)), load = Shares(counts);
        double[] mean = [.. Sum(parts.Select(part => part.Scores)).Select(score => score / tokens)];
        return new LayerRouting(
            load,
            RoutingStatistics.Entropy(load),
            parts.Sum(part => part.ConfidenceEntropy) / tokens,
            mean,
            _text.Domains.Zip(parts).ToDictionary(pair => pair.First, pair => (IReadOnlyList<double>)Shares(pair.Second.Counts)))
        {
            ExpertsPerToken = counts.Sum() / tokens,
            ScoreStd = [.. Sum(parts.Select(part => part.SquaredScores)).Zip(mean, (square, score) => Math.Sqrt(Math.Max(0, (square / tokens) - (score * score))))],
            Balance = BalanceOf(parts, domains),
        };
    }

    private static LayerBalance BalanceOf(LayerTotals[] parts, Totals[] domains)
    {
        double sequences = domains.Sum(domain => (double)domain.Sequences);
        (double[] Load, double[] Score)[] byDomain = [.. parts.Zip(domains, (part, domain) => (PerToken(part.Counts, domain), PerToken(part.Softmax, domain)))];
        double[] load = Sum(byDomain.Select(domain => domain.Load)), score = Sum(byDomain.Select(domain => domain.Score));
        return new LayerBalance(
            parts.Sum(part => part.SequenceLoss) / sequences,
            byDomain.Average(domain => RoutingStatistics.BalanceLoss(domain.Load, domain.Score)),
            RoutingStatistics.BalanceLoss(load, score) / (domains.Length * domains.Length),
            parts.Sum(part => part.SequenceMaxViolation) / sequences,
            parts.Sum(part => part.TopKScore) / domains.Sum(domain => (double)domain.Tokens));

        static double[] PerToken(double[] totals, Totals domain) => [.. totals.Select(total => total / domain.Tokens)];
    }

    private static double[] Sum(IEnumerable<double[]> rows) => rows.Aggregate((a, b) => a.Zip(b, (x, y) => x + y).ToArray());

    private static double[] Shares(double[] counts) => counts.Select(count => count / counts.Sum()).ToArray();

    private sealed class Totals
    {
        public double Loss { get; private set; }

        public long Correct { get; private set; }

        public long Tokens { get; private set; }

        public long Scored { get; private set; }

        public long Sequences { get; private set; }

        public List<LayerTotals> Layers { get; } = [];

        public void Add(double loss, long correct, long tokens, long scored, int sequences, IReadOnlyList<Routing> routings)
        {
            Loss += loss;
            Correct += correct;
            Tokens += tokens;
            Scored += scored;
            Sequences += sequences;
            while (Layers.Count < routings.Count)
            {
                Layers.Add(new LayerTotals((int)routings[Layers.Count].Counts_E.shape[0]));
            }

            for (int layer = 0; layer < routings.Count; layer++)
            {
                Layers[layer].Add(routings[layer], sequences);
            }
        }
    }

    private sealed class LayerTotals(int experts)
    {
        public double[] Counts { get; private set; } = new double[experts];

        public double[] Scores { get; private set; } = new double[experts];

        public double[] SquaredScores { get; private set; } = new double[experts];

        public double[] Softmax { get; private set; } = new double[experts];

        public double ConfidenceEntropy { get; private set; }

        public double SequenceLoss { get; private set; }

        public double SequenceMaxViolation { get; private set; }

        public double TopKScore { get; private set; }

        public void Add(Routing routing, int sequences)
        {
            (long tokens, long all) = (routing.Scores_NE.shape[0], routing.Scores_NE.shape[1]);
            Tensor logP_NE = routing.Scores_NE.log_softmax(-1);
            Tensor p_NE = logP_NE.exp();
            ConfidenceEntropy -= (logP_NE * p_NE).sum().item<float>();
            Counts = Plus(Counts, routing.Counts_E);
            Tensor scores_NE = routing.Scores_NE.to(ScalarType.Float64);
            Scores = Plus(Scores, scores_NE.sum([0]));
            SquaredScores = Plus(SquaredScores, scores_NE.square().sum([0]));
            Softmax = Plus(Softmax, p_NE.sum([0]));
            TopKScore += p_NE.view(-1).index_select(0, (routing.Tokens_A * all) + routing.Experts_A).sum().item<float>();
            (Tensor counts_SE, Tensor p_SE) = routing.BySequence(sequences);
            SequenceLoss += (counts_SE * p_SE).sum().item<float>() * all * sequences / tokens;
            SequenceMaxViolation += (counts_SE.amax([1]) / counts_SE.mean([1])).sum().item<float>() - sequences;
        }

        private static double[] Plus(double[] totals, Tensor more_E) =>
            totals.Zip(more_E.to(ScalarType.Float64).cpu().data<double>().ToArray(), (a, b) => a + b).ToArray();
    }
}
