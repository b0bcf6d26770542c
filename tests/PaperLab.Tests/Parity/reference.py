"""The library's models once more, in plain PyTorch and float64, from the papers and not from the C# code.

Only the config (the JSON of TransformerConfig) and the parameters' names are shared. Heads, tokens and experts are looped over,
so that each line reads like its equation; speed does not matter here.
Shapes: B batch, T tokens, C width, V vocabulary, N = B*T, H heads, D head width, E experts, K experts per token, F inner width,
R gate rank.
"""

import math

import torch
from torch.nn.functional import silu


def rms_norm(x, weight, epsilon):
    """RMSNorm (arXiv 1910.07467)."""
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + epsilon) * weight


def linear(x, params, name):
    y = x @ params[name + ".weight"].T
    return y + params[name + ".bias"] if name + ".bias" in params else y


# ---------------------------------------------------------------------------------------------------------------------------
# Rotary positions (arXiv 2104.09864), halves of a head turning against each other, and the ways to stretch them


def rope_frequencies(head_width, theta, scaling, length):
    """The D/2 angles of one position step, and the factor on cos and sin."""
    if scaling is None:
        scaling = {"Kind": "Default"}
    kind, factor, original = scaling["Kind"], scaling.get("Factor"), scaling.get("OriginalContext")
    if kind == "Dynamic" and length > original:
        theta = theta * (factor * length / original - (factor - 1)) ** (head_width / (head_width - 2))
    plain = [1 / theta ** (2 * i / head_width) for i in range(head_width // 2)]
    if kind == "Linear":
        return [f / factor for f in plain], 1.0
    if kind == "Llama3":
        longest = original / scaling.get("LowFrequencyFactor", 1)
        shortest = original / scaling.get("HighFrequencyFactor", 4)
        return [llama3_frequency(f, factor, original, longest, shortest) for f in plain], 1.0
    if kind == "Yarn":
        attention = scaling.get("AttentionFactor") or 0.1 * math.log(factor) + 1
        ramp = yarn_ramp(head_width, theta, original, scaling.get("BetaFast", 32), scaling.get("BetaSlow", 1))
        return [f * (1 - r) + f / factor * r for f, r in zip(plain, ramp)], attention
    return plain, 1.0


def llama3_frequency(frequency, factor, original, longest, shortest):
    wavelength = 2 * math.pi / frequency
    if wavelength < shortest:
        return frequency
    if wavelength > longest:
        return frequency / factor
    low, high = original / longest, original / shortest
    smooth = (original / wavelength - low) / (high - low)
    return (1 - smooth) * frequency / factor + smooth * frequency


def yarn_ramp(head_width, theta, original, beta_fast, beta_slow):
    """0 where a frequency stays, 1 where it is divided by the factor (arXiv 2309.00071)."""

    def dimension(turns):
        return head_width * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low = max(math.floor(dimension(beta_fast)), 0)
    high = min(math.ceil(dimension(beta_slow)), head_width - 1)
    if low == high:
        high += 0.001
    return [min(max((i - low) / (high - low), 0), 1) for i in range(head_width // 2)]


def rotate(x_TD, positions, frequencies, factor=1.0):
    half = x_TD.shape[-1] // 2
    angles = positions.double()[:, None] * torch.tensor(frequencies, dtype=torch.float64)[None, :]
    cos, sin = angles.cos() * factor, angles.sin() * factor
    first, second = x_TD[..., :half], x_TD[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


# ---------------------------------------------------------------------------------------------------------------------------
# Attention


def attention(q_TD, k_TD, v_TD, window=None, selected=None, choices=None):
    """One head. Selected values (SIGMA): of each row's softmax over all visible positions the largest probabilities stay, the
    others become 0; the rest is not normalised again."""
    length = q_TD.shape[0]
    query, key = torch.arange(length)[:, None], torch.arange(length)[None, :]
    visible = key <= query
    if window is not None:
        visible = visible & (query - key < window)
    scores = (q_TD @ k_TD.T / math.sqrt(q_TD.shape[1])).masked_fill(~visible, -math.inf)
    probability = torch.softmax(scores, -1)
    if selected is not None:
        keep = torch.zeros_like(visible)
        for row in range(length):
            keep[row, choices.largest(probability[row][visible[row]], selected) + int(visible[row].nonzero()[0])] = True
        probability = probability * keep
    return probability @ v_TD


class Choices:
    """Top-k choices. A fixture is kept only when none was close: rounding must not be able to change one."""

    def __init__(self):
        self.margin = math.inf

    def largest(self, values, k):
        order = torch.argsort(values, descending=True)
        if k < len(values):
            self.note(values[order[k - 1]] - values[order[k]])
        return order[:k]

    def note(self, difference):
        self.margin = min(self.margin, abs(float(difference)))


class Model:
    """A whole Transformer on one batch. After the call: the auxiliary losses summed over layers, and who chose whom."""

    def __init__(self, config, params, buffers=None):
        self.config, self.params, self.buffers = config, params, buffers or {}
        self.choices = Choices()
        self.balance, self.z, self.auxiliary = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64), 0.0
        self.updated = {}

    def __call__(self, tokens_BT):
        config, params = self.config, self.params
        epsilon = config.get("NormEpsilon", 1e-6)
        x = params["embed_tokens.weight"][tokens_BT]
        for layer in range(config["Layers"]):
            prefix = f"layers.{layer}."
            x = x + self.attend(rms_norm(x, params[prefix + "input_layernorm.weight"], epsilon), prefix + "self_attn.")
            y = rms_norm(x, params[prefix + "post_attention_layernorm.weight"], epsilon)
            x = x + self.feed_forward(y.reshape(-1, config["Width"]), prefix + "mlp.").reshape(x.shape)
        x = rms_norm(x, params["norm.weight"], epsilon)
        return x @ params["embed_tokens.weight" if config.get("TieEmbeddings") else "lm_head.weight"].T

    def attend(self, x_BTC, prefix):
        config, params = self.config, self.params
        options = config.get("Attention") or {}
        heads = config["Heads"]
        key_heads, value_heads = options.get("KeyHeads", heads), options.get("ValueHeads", heads)
        length = x_BTC.shape[1]
        q, k, v = (linear(x_BTC, params, prefix + name) for name in ("q_proj", "k_proj", "v_proj"))
        if "QueryHidden" in options:  # augmented queries: a gated layer in place of the query, without a residual
            augment = prefix + "q_augment."
            q = swiglu(q, params, augment)
        key_width, value_width = k.shape[-1] // key_heads, v.shape[-1] // value_heads
        frequencies, factor = rope_frequencies(key_width, config.get("RopeTheta", 10_000), config.get("RopeScaling"), length)
        positions = torch.arange(length)

        def query_or_key(all_heads, head, norm):
            one = all_heads[:, head * key_width:(head + 1) * key_width]
            if options.get("QkNorm"):
                one = rms_norm(one, params[prefix + norm + ".weight"], config.get("NormEpsilon", 1e-6))
            return rotate(one, positions, frequencies, factor)

        results = []
        for b in range(x_BTC.shape[0]):
            of_heads = []
            for h in range(heads):
                key_head, value_head = h * key_heads // heads, h * value_heads // heads
                of_heads.append(attention(
                    query_or_key(q[b], h, "q_norm"),
                    query_or_key(k[b], key_head, "k_norm"),
                    v[b][:, value_head * value_width:(value_head + 1) * value_width],
                    options.get("SlidingWindow"),
                    options.get("SelectedValues"),
                    self.choices))
            results.append(torch.cat(of_heads, -1))
        return linear(torch.stack(results), params, prefix + "o_proj")

    # -----------------------------------------------------------------------------------------------------------------------
    # Feed-forward layers

    def feed_forward(self, x_NC, prefix):
        config, params = self.config["FeedForward"], self.params
        if config["$type"] == "dense":
            return swiglu(x_NC, params, prefix)
        experts = config.get("NumExperts", 8)
        if config["$type"] == "moe":
            scores_NE = x_NC @ params[prefix + "router"].T

            def gate(e, x):
                if config.get("GateRank"):
                    return x @ params[prefix + "gate_down"][e] @ params[prefix + "gate_up"][e]
                return x @ params[prefix + "gate"][e]
        else:
            rank = config["GateRank"]

            def activation(e, x):
                return x @ params[prefix + "gate_down"][e * rank:(e + 1) * rank].T

            def gate(e, x):
                return activation(e, x) @ params[prefix + "gate_up"][e]

            # How strongly an expert answers decides: the norm of its low-rank activation (arXiv 2501.13074).
            scores_NE = torch.stack([torch.sqrt((activation(e, x_NC) ** 2).sum(-1) + 1e-12) for e in range(experts)], -1)

        bias = self.buffers.get(prefix + "expert_bias")
        weights, chosen_NE = self.route(scores_NE, config, bias)

        def expert(e, x):
            return (silu(gate(e, x)) * (x @ params[prefix + "up"][e])) @ params[prefix + "down"][e]

        nothing = torch.zeros(self.config["Width"], dtype=torch.float64)
        output = torch.stack([
            sum((weight * expert(e, x) for e, weight in weight_of.items()), nothing) for x, weight_of in zip(x_NC, weights)])
        if config.get("SharedExperts"):
            output = output + swiglu(x_NC, params, prefix + "shared.")
        self.add_losses(scores_NE, chosen_NE, config)
        if bias is not None:
            # arXiv 2408.15664: up where the load is below the mean, down where it is above.
            load = chosen_NE.sum(0)
            self.updated[prefix + "expert_bias"] = bias + config["BiasUpdateRate"] * torch.sign(load.mean() - load)
        return output

    def route(self, scores_NE, config, bias):
        """For each token its experts' weights, and the 0/1 matrix of choices."""
        tokens, experts = scores_NE.shape
        softmax_NE = torch.softmax(scores_NE, -1)
        k, selection = config.get("TopK", 2), config.get("Selection", "TopK")
        weights = [{} for _ in range(tokens)]
        if selection == "ExpertChoice":
            # arXiv 2202.09368: each expert takes the tokens that score highest for it, weighed by that score.
            capacity = math.ceil(tokens * k / experts)
            for e in range(experts):
                for n in self.choices.largest(softmax_NE[:, e], capacity).tolist():
                    weights[n][e] = softmax_NE[n, e]
        for n in range(tokens if selection != "ExpertChoice" else 0):
            if selection == "TopP":
                # arXiv 2403.07652: the fewest experts whose share of the softmax reaches P.
                order, share, chosen = torch.argsort(softmax_NE[n], descending=True).tolist(), 0.0, []
                while share < config["TopP"] and len(chosen) < experts:
                    chosen.append(order[len(chosen)])
                    share += float(softmax_NE[n, chosen[-1]])
                    self.choices.note(share - config["TopP"])
                for first, second in zip(order, order[1:]):
                    self.choices.note(softmax_NE[n, first] - softmax_NE[n, second])
            else:
                # Without a bias the order of softmax values is the order of scores; with one it is added to the softmax values
                # to choose, and never reaches a weight.
                ranking = scores_NE[n] if bias is None else softmax_NE[n] + bias
                chosen = self.choices.largest(ranking, k).tolist()
            among = torch.softmax(scores_NE[n, chosen], -1) if config.get("NormalizeWeights", True) else softmax_NE[n, chosen]
            weights[n] = {e: among[i] for i, e in enumerate(chosen)}
        chosen_NE = torch.zeros(tokens, experts, dtype=torch.float64)
        for n, weight_of in enumerate(weights):
            chosen_NE[n, list(weight_of)] = 1
        return weights, chosen_NE

    def add_losses(self, scores_NE, chosen_NE, config):
        balance, z = balance_loss(scores_NE, chosen_NE), z_loss(scores_NE)
        self.balance, self.z = self.balance + balance, self.z + z
        self.auxiliary = self.auxiliary + config.get("BalanceLossWeight", 0) * balance + config.get("ZLossWeight", 0) * z


def swiglu(x_NC, params, prefix):
    return linear(silu(linear(x_NC, params, prefix + "gate_proj")) * linear(x_NC, params, prefix + "up_proj"), params, prefix + "down_proj")


def balance_loss(scores_NE, chosen_NE):
    """E * sum_i f_i P_i: f_i the share of tokens that chose i (a count), P_i the mean over tokens of its softmax score."""
    experts = scores_NE.shape[1]
    return experts * (chosen_NE.mean(0) * torch.softmax(scores_NE, -1).mean(0)).sum()


def z_loss(scores_NE):
    """Router z-loss (arXiv 2202.08906)."""
    return (torch.logsumexp(scores_NE, -1) ** 2).mean()


def cross_entropy(logits_NV, targets_N):
    return (torch.logsumexp(logits_NV, -1) - logits_NV[torch.arange(len(targets_N)), targets_N]).mean()
