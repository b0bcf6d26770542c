#!/usr/bin/env python3
"""Writes every fixture of the parity tests: python3 tests/PaperLab.Tests/Parity/generate.py

Needs PyTorch 1.13 or later and nothing else. Parameters are exact in float32; outputs and gradients are computed in float64 and
rounded once, so the error that a test measures is the library's own. A case is drawn again, with the next seed, until none of its
discrete choices (top-k, top-p) is close: rounding cannot turn one.
"""

import json
import math
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import torch

import choices
import huggingface
import policy
import preference
import reference
import tensorfile

FIXTURES = Path(__file__).parent / "Fixtures"
CLEAR = 2e-3  # the smallest distance between what is chosen and what is not
DENSE = {"$type": "dense", "Hidden": 12}


def experts(kind, **fields):
    config = {"$type": kind, "NumExperts": 4, "TopK": 2, "Hidden": 6}
    return {**config, **({"GateRank": 4} if kind == "aoe" else {}), **fields}


def transformer(feed_forward=None, **fields):
    config = {"VocabularySize": 16, "Width": 16, "Layers": 2, "Heads": 4, "ContextLength": 32}
    return {**config, **fields, "FeedForward": feed_forward or DENSE}


def heads(count, feed_forward=None, **attention):
    return transformer(feed_forward, Heads=count, Attention=attention)


def rope(**scaling):
    # Head width 8: four frequencies, so that a ramp over them has an inside. A small base keeps all of them moving within T.
    return transformer(Heads=2, RopeTheta=100.0, RopeScaling=scaling)


MODELS = {
    "attention-mha": transformer(),
    "attention-gqa": heads(4, KeyHeads=2, ValueHeads=2),
    "attention-mqa": heads(4, KeyHeads=1, ValueHeads=1),
    "attention-diffqkv-k1-v4": heads(8, KeyHeads=1, ValueHeads=4, KeyWidth=4, ValueWidth=4),
    "attention-diffqkv-k4-v2": heads(8, KeyHeads=4, ValueHeads=2, KeyWidth=2, ValueWidth=4),
    "attention-augmented-queries": heads(4, KeyHeads=1, ValueHeads=2, QueryHidden=12),
    "attention-qkv-bias": heads(4, KeyHeads=2, ValueHeads=2, QkvBias=True),
    "attention-output-bias": heads(4, QkvBias=True, OutputBias=True),
    "attention-qk-norm": heads(4, KeyHeads=2, ValueHeads=2, KeyWidth=6, ValueWidth=6, QkNorm=True),
    "attention-selected-values": heads(4, KeyHeads=1, ValueHeads=2, SelectedValues=3),
    "attention-sliding-window": heads(4, KeyHeads=2, ValueHeads=2, SlidingWindow=4),
    "tied-embeddings": transformer(TieEmbeddings=True),
    "rope-linear": rope(Kind="Linear", Factor=4.0),
    "rope-dynamic": rope(Kind="Dynamic", Factor=2.0, OriginalContext=8),
    "rope-dynamic-within-original-context": rope(Kind="Dynamic", Factor=2.0, OriginalContext=20),
    "rope-llama3": rope(Kind="Llama3", Factor=8.0, OriginalContext=16, LowFrequencyFactor=1.0, HighFrequencyFactor=4.0),
    "rope-yarn": rope(Kind="Yarn", Factor=4.0, OriginalContext=8, BetaFast=1.0, BetaSlow=0.1),
    "rope-yarn-attention-factor": rope(Kind="Yarn", Factor=2.0, OriginalContext=8, AttentionFactor=1.25),
    # Sizes that are multiples of 8, and others: the library multiplies by experts in two ways.
    "moe-normalised": transformer(experts("moe")),
    "moe-multiple-of-8": transformer(experts("moe", NumExperts=3, Hidden=8)),
    "moe-not-normalised": transformer(experts("moe", NormalizeWeights=False)),
    "moe-top1-not-normalised": transformer(experts("moe", TopK=1, NormalizeWeights=False)),
    "moe-z-loss": transformer(experts("moe", BalanceLossWeight=0.01, ZLossWeight=0.02)),
    "moe-shared-experts": transformer(experts("moe", SharedExperts=2, NumExperts=3)),
    "moe-bias": transformer(experts("moe", BiasUpdateRate=0.125)),
    "moe-factorised-gate": transformer(experts("moe", GateRank=4)),
    "moe-top-p": transformer(experts("moe", Selection="TopP", TopP=0.6, BalanceLossWeight=0.05)),
    "moe-top-p-not-normalised": transformer(experts("moe", Selection="TopP", TopP=0.6, NormalizeWeights=False)),
    "moe-expert-choice": transformer(experts("moe", NumExperts=3, Selection="ExpertChoice", NormalizeWeights=False)),
    "aoe-normalised": transformer(experts("aoe", BalanceLossWeight=0.05)),
    "aoe-multiple-of-8": transformer(experts("aoe", NumExperts=3, Hidden=8, GateRank=8)),
    "aoe-not-normalised": transformer(experts("aoe", NormalizeWeights=False)),
    "aoe-top-p": transformer(experts("aoe", Selection="TopP", TopP=0.6)),
    "aoe-expert-choice": transformer(experts("aoe", NumExperts=3, Selection="ExpertChoice", NormalizeWeights=False)),
    "aoe-diffqkv": heads(8, experts("aoe", NumExperts=3, BalanceLossWeight=0.01), KeyHeads=1, ValueHeads=4, KeyWidth=2, ValueWidth=4, QueryHidden=8),
}


# ---------------------------------------------------------------------------------------------------------------------------
# Whole models


def parameters_of(config, generator):
    """Random parameters under the library's names, of a size that lets every part matter."""

    def normal(*shape, std):
        return (torch.randn(shape, generator=generator, dtype=torch.float32) * std).double().requires_grad_()

    def matrix(*shape, fan_in):
        return normal(*shape, std=fan_in ** -0.5)

    def norm(width):
        return (1 + 0.2 * torch.randn(width, generator=generator, dtype=torch.float32)).double().requires_grad_()

    width, vocabulary, attention = config["Width"], config["VocabularySize"], config.get("Attention") or {}
    key_width, value_width = (attention.get(name, width // config["Heads"]) for name in ("KeyWidth", "ValueWidth"))
    queries, mixed = config["Heads"] * key_width, config["Heads"] * value_width
    keys, values = attention.get("KeyHeads", config["Heads"]) * key_width, attention.get("ValueHeads", config["Heads"]) * value_width
    params = {"embed_tokens.weight": normal(vocabulary, width, std=1)}

    def projection(name, rows, columns, bias=False):
        params[name + ".weight"] = matrix(rows, columns, fan_in=columns)
        if bias:
            params[name + ".bias"] = normal(rows, std=0.5)

    def dense(prefix, hidden):
        projection(prefix + "gate_proj", hidden, width)
        projection(prefix + "up_proj", hidden, width)
        projection(prefix + "down_proj", width, hidden)

    for layer in range(config["Layers"]):
        prefix = f"layers.{layer}."
        params[prefix + "input_layernorm.weight"] = norm(width)
        for name, rows in (("q", queries), ("k", keys), ("v", values)):
            projection(f"{prefix}self_attn.{name}_proj", rows, width, attention.get("QkvBias", False))
        projection(prefix + "self_attn.o_proj", width, mixed, attention.get("OutputBias", False))
        if attention.get("QkNorm"):
            params[prefix + "self_attn.q_norm.weight"], params[prefix + "self_attn.k_norm.weight"] = norm(key_width), norm(key_width)
        if "QueryHidden" in attention:
            hidden = attention["QueryHidden"]
            for name, rows, columns in (("gate", hidden, queries), ("up", hidden, queries), ("down", queries, hidden)):
                projection(f"{prefix}self_attn.q_augment.{name}_proj", rows, columns)
        params[prefix + "post_attention_layernorm.weight"] = norm(width)

        feed_forward, mlp = config["FeedForward"], prefix + "mlp."
        if feed_forward["$type"] == "dense":
            dense(mlp, feed_forward["Hidden"])
            continue
        count, hidden, rank = feed_forward["NumExperts"], feed_forward["Hidden"], feed_forward.get("GateRank")
        if feed_forward["$type"] == "aoe":
            params[mlp + "gate_down"] = matrix(count * rank, width, fan_in=width)
        else:
            params[mlp + "router"] = matrix(count, width, fan_in=width)
            if rank:
                params[mlp + "gate_down"] = matrix(count, width, rank, fan_in=width)
            else:
                params[mlp + "gate"] = matrix(count, width, hidden, fan_in=width)
        if rank:
            params[mlp + "gate_up"] = matrix(count, rank, hidden, fan_in=rank)
        params[mlp + "up"] = matrix(count, width, hidden, fan_in=width)
        params[mlp + "down"] = matrix(count, hidden, width, fan_in=hidden)
        if feed_forward.get("SharedExperts"):
            dense(mlp + "shared.", feed_forward["SharedExperts"] * hidden)
    params["norm.weight"] = norm(width)
    if not config.get("TieEmbeddings"):
        params["lm_head.weight"] = matrix(vocabulary, width, fan_in=width)
    return params


def buffers_of(config, generator):
    feed_forward = config["FeedForward"]
    if not feed_forward.get("BiasUpdateRate"):
        return {}
    return {
        f"layers.{layer}.mlp.expert_bias": (torch.randint(-4, 5, (feed_forward["NumExperts"],), generator=generator) / 16).double()
        for layer in range(config["Layers"])}


def model_case(name, config):
    batch, length = 2, 16 if name.startswith("rope") else 11
    for seed in range(1, 2000):
        generator = torch.Generator().manual_seed(seed)
        params, buffers = parameters_of(config, generator), buffers_of(config, generator)
        tokens = torch.randint(config["VocabularySize"], (batch, length), generator=generator)
        targets = torch.randint(config["VocabularySize"], (batch, length), generator=generator)
        model = reference.Model(config, params, buffers)
        with torch.no_grad():
            model(tokens)
        if model.choices.margin > CLEAR:
            break
    else:
        raise RuntimeError(f"{name}: every draw has a close choice; lower CLEAR or shorten the sequence.")

    model = reference.Model(config, params, buffers)
    logits = model(tokens)
    cross_entropy = reference.cross_entropy(logits.reshape(-1, config["VocabularySize"]), targets.reshape(-1))
    loss = cross_entropy + model.auxiliary
    loss.backward()
    tensors = {"input.tokens": tokens, "input.targets": targets, "output.logits": logits}
    tensors.update({"output.cross_entropy": cross_entropy, "output.loss": loss})
    if config["FeedForward"]["$type"] != "dense":
        tensors["output.balance_loss"] = model.balance
    if config["FeedForward"]["$type"] == "moe":
        tensors["output.z_loss"] = model.z
    tensors.update({"param." + key: value for key, value in params.items()})
    tensors.update({"buffer." + key: value for key, value in buffers.items()})
    tensors.update({"updated." + key: value for key, value in model.updated.items()})
    tensors.update({"grad." + key: value.grad for key, value in params.items()})
    write("models", name, config, tensors)


# ---------------------------------------------------------------------------------------------------------------------------
# Layers and losses alone


def layer_cases():
    generator = torch.Generator().manual_seed(7)

    def normal(*shape, std=1.0):
        return (torch.randn(shape, generator=generator, dtype=torch.float32) * std).double().requires_grad_()

    def write_case(name, config, inputs, params, output):
        # A random direction: the gradient of sum(output * direction) sees every entry of the output.
        direction = torch.randn(output.shape, generator=generator, dtype=torch.float32).double()
        (output * direction).sum().backward()
        tensors = {"input." + key: value for key, value in inputs.items()}
        tensors.update({"input.direction": direction, "output": output})
        tensors.update({"param." + key: value for key, value in params.items()})
        tensors.update({"grad." + key: value.grad for key, value in {**inputs, **params}.items() if value.requires_grad})
        write("layers", name, config, tensors)

    for name, std, epsilon in (("rms-norm", 1.0, 1e-6), ("rms-norm-small-input", 1e-3, 1e-5), ("rms-norm-large-input", 1e3, 1e-6)):
        x, weight = normal(3, 5, 24, std=std), normal(24)
        write_case(name, {"Width": 24, "Epsilon": epsilon}, {"x": x}, {"weight": weight}, reference.rms_norm(x, weight, epsilon))

    scalings = {
        "rope-far": None,
        "rope-far-linear": {"Kind": "Linear", "Factor": 8.0},
        "rope-far-dynamic": {"Kind": "Dynamic", "Factor": 4.0, "OriginalContext": 1024},
        "rope-far-llama3": {"Kind": "Llama3", "Factor": 8.0, "OriginalContext": 1024},
        "rope-far-yarn": {"Kind": "Yarn", "Factor": 4.0, "OriginalContext": 1024},
    }
    for name, scaling in scalings.items():
        config = {"HeadWidth": 16, "Length": 4096, "Theta": 10_000.0, "Scaling": scaling}
        positions = torch.tensor([0, 1, 31, 1000, 1001, 1024, 2047, 3000, 4095])
        x = normal(1, 2, len(positions), config["HeadWidth"])
        frequencies, factor = reference.rope_frequencies(config["HeadWidth"], config["Theta"], scaling, config["Length"])
        output = reference.rotate(x, positions, frequencies, factor)
        write_case(name, config, {"x": x, "positions": positions}, {}, output)

    # Heads, key heads, value heads, length, key width, value width, window, selected values. The long one passes the length up to
    # which the library holds all scores at once.
    attentions = {
        "attention-shared-alike": (4, 2, 2, 9, 4, 4, None, None),
        "attention-shared-apart": (8, 2, 4, 9, 4, 6, None, None),
        "attention-more-keys-than-values": (4, 4, 2, 9, 6, 2, None, None),
        "attention-window": (4, 1, 2, 9, 4, 4, 3, None),
        "attention-window-selected": (4, 2, 2, 9, 4, 4, 5, 2),
        "attention-long-window": (1, 1, 1, 1100, 2, 2, 300, None),
    }
    for name, (heads, key_heads, value_heads, length, width, value_width, window, selected) in attentions.items():
        margin = 0
        while margin < CLEAR:
            q, k, v = normal(1, heads, length, width), normal(1, key_heads, length, width), normal(1, value_heads, length, value_width)
            choices = reference.Choices()
            output = torch.stack([
                reference.attention(q[0, h], k[0, h * key_heads // heads], v[0, h * value_heads // heads], window, selected, choices)
                for h in range(heads)]).unsqueeze(0)
            margin = choices.margin if selected else math.inf
        write_case(name, {"Window": window, "Selected": selected}, {"q": q, "k": k, "v": v}, {}, output)

    for name, std in (("cross-entropy", 2.0), ("cross-entropy-large-logits", 300.0)):
        logits, targets = normal(12, 19, std=std), torch.randint(19, (12,), generator=generator)
        write_case(name, {}, {"logits": logits, "targets": targets}, {}, reference.cross_entropy(logits, targets))

    for name, top_k in (("balance-loss-top1", 1), ("balance-loss-top2", 2)):
        scores = normal(20, 6)
        chosen = scores.topk(top_k, -1).indices
        matrix = torch.zeros_like(scores).scatter(1, chosen, 1.0)
        write_case(name, {"TopK": top_k}, {"scores": scores, "chosen": chosen}, {}, reference.balance_loss(scores, matrix))

    for name, std in (("z-loss", 1.0), ("z-loss-large-logits", 60.0)):
        scores = normal(20, 6, std=std)
        write_case(name, {}, {"scores": scores}, {}, reference.z_loss(scores))


# ---------------------------------------------------------------------------------------------------------------------------
# What a policy is improved by


POLICIES = {
    "grpo": {"KlWeight": 0.05},
    "grpo-without-reference": {"Scale": "StandardDeviation"},
    "dr-grpo": {"Weighting": "ByConstant", "ConstantLength": 9, "Scale": "None"},
    "dapo": {"Weighting": "ByToken", "ClipHigh": 0.28, "DropDeadGroups": True},
    "reinforce": {"Weighting": "ByToken", "Baseline": "Batch", "Scale": "None"},
}


def policy_case(name, objective):
    """Three groups of four answers: ragged prompts and answers, one that stops at once, some truncated, one group of equal rewards."""
    config, stop, group_size, temperature = transformer(), 3, 4, 0.75
    for seed in range(1, 2000):
        generator = torch.Generator().manual_seed(seed)
        params = parameters_of(config, generator)

        def draw(*shape):
            return torch.randint(config["VocabularySize"], shape, generator=generator)

        prompts, prompt_lengths = draw(12, 5), torch.randint(1, 6, (12,), generator=generator)
        answers = draw(12, 9)
        answers[0, 0], answers[5, 4] = stop, stop
        rewards = [1.0, 0.0, 0.25, 0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 1.25, 0.0, 1.0]
        noise = [(torch.randn((12, 9), generator=generator, dtype=torch.float32) * std).double() for std in (0.3, 0.5)]
        lengths = [policy.ending(answer, stop) for answer in answers.tolist()]
        log_probs = []
        for row in range(12):
            sequence = prompts[row, :prompt_lengths[row]].tolist() + answers[row, :lengths[row]].tolist()
            logits = reference.Model(config, params)(torch.tensor([sequence]))[0] / temperature
            start = int(prompt_lengths[row]) - 1
            log_probs.append([logits[start + t].log_softmax(-1)[answers[row, t]] for t in range(lengths[row])])
        old, base = torch.zeros(12, 9).double(), torch.zeros(12, 9).double()
        for row in range(12):
            for t in range(lengths[row]):
                old[row, t] = (log_probs[row][t].detach() + noise[0][row, t]).float().double()
                base[row, t] = (log_probs[row][t].detach() + noise[1][row, t]).float().double()
        value, margin = policy.loss(
            log_probs, [list(old[row, :lengths[row]]) for row in range(12)], [list(base[row, :lengths[row]]) for row in range(12)], rewards, group_size, objective)
        if margin > CLEAR / 10 and max(lengths) == 9 and 1 in lengths:
            break
    else:
        raise RuntimeError(f"{name}: every draw has a ratio too near to a clip.")

    value.backward()
    tensors = {
        "input.prompts": prompts, "input.prompt_lengths": prompt_lengths, "input.answers": answers,
        "input.old": old, "input.reference": base, "input.rewards": torch.tensor(rewards).double(), "output.loss": value}
    tensors.update({"param." + key: value for key, value in params.items()})
    tensors.update({"grad." + key: value.grad for key, value in params.items()})
    write("policies", name, {"Model": config, "Objective": objective, "Stop": stop, "GroupSize": group_size, "Temperature": temperature}, tensors)


# ---------------------------------------------------------------------------------------------------------------------------
# What a policy learns from comparisons


def dpo_case():
    """Six pairs: ragged prompts and answers, one answer of a single token."""
    config, beta, generator = transformer(), 0.4, torch.Generator().manual_seed(1)
    params, base = parameters_of(config, generator), parameters_of(config, generator)
    lengths = {"prompts": [1, 3, 5, 2, 4, 3], "chosen": [7, 1, 4, 9, 2, 5], "rejected": [3, 6, 9, 2, 8, 5]}
    texts = {of: torch.randint(config["VocabularySize"], (6, max(rows)), generator=generator) for of, rows in lengths.items()}

    def log_prob(params, of, row):
        prompt, answer = (texts[name][row, :lengths[name][row]].tolist() for name in ("prompts", of))
        logits = reference.Model(config, params)(torch.tensor([prompt + answer]))[0]
        return sum(logits[len(prompt) - 1 + t].log_softmax(-1)[token] for t, token in enumerate(answer))

    answers = ("chosen", "rejected")
    before = torch.tensor([[log_prob(base, of, row).item() for row in range(6)] for of in answers]).float().double()
    value, rewards = preference.dpo(*([log_prob(params, of, row) for row in range(6)] for of in answers), *before, beta)
    value.backward()
    tensors = {"input." + of: rows for of, rows in texts.items()}
    tensors.update({"input.reference": before, "output.loss": value, "output.rewards": rewards})
    tensors.update({"param." + key: value for key, value in params.items()})
    tensors.update({"grad." + key: value.grad for key, value in params.items()})
    write("preferences", "dpo", {"Model": config, "Beta": beta, "Lengths": lengths}, tensors)


# ---------------------------------------------------------------------------------------------------------------------------


def write(folder, name, config, tensors):
    stored = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    for key, value in tensors.items():
        if key.startswith(("param.", "input.", "buffer.")) and not torch.equal(stored[key].to(value.dtype), value):
            raise RuntimeError(f"{name}: {key} is not exact in float32.")
    tensorfile.save(FIXTURES / folder / (name + ".safetensors"), stored, {"case": name, "config": json.dumps(config)})


def main():
    torch.set_num_threads(1)
    for path in sorted(FIXTURES.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    for name, config in MODELS.items():
        model_case(name, config)
        print("model", name, flush=True)
    layer_cases()
    for name, objective in POLICIES.items():
        policy_case(name, objective)
        print("policy", name, flush=True)
    dpo_case()
    for family in huggingface.FAMILIES:
        huggingface.write_family(FIXTURES / "hf", family)
        print("family", family, flush=True)
    for name in choices.CASES:
        choices.write_case(FIXTURES / "choices", name)
        print("choices", name, flush=True)
    files = sorted(str(path.relative_to(FIXTURES)) for path in FIXTURES.rglob("*") if path.is_file())
    (FIXTURES / "list.txt").write_text("".join(file + "\n" for file in files))
    print(len(files), "files,", sum((FIXTURES / file).stat().st_size for file in files) // 1024, "KiB")


main()
