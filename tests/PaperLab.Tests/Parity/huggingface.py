"""Tiny random checkpoints in the layout of Hugging Face's model folders, and what each should compute, in plain PyTorch.

One function per part that the families differ in; the numbers come out of the tensors under the names that the files have.
Shapes: T tokens (one sequence), C width, V vocabulary, D head width.
"""

import json
import math

import torch
from torch.nn.functional import silu

import bpe
import reference
import tensorfile

PROMPT, CONTINUATION = 14, 64
CLEAR_LOGIT, CLEAR_CHOICE = 2e-3, 1e-3  # between the best and the second token; between a chosen expert and the next

COMMON = {
    "attention_dropout": 0.0, "hidden_act": "silu", "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 40,
    "max_position_embeddings": 128, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False, "transformers_version": "4.46.0", "use_cache": True,
}

LLAMA3_TOKENS = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
QWEN_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def llama3_tokenizer():
    return bpe.ByteLevel(LLAMA3_TOKENS, digits=3, nfc=False, pairs_as_lists=False, first_token=LLAMA3_TOKENS[0])


def qwen_tokenizer():
    return bpe.ByteLevel(QWEN_TOKENS, digits=1, nfc=True, pairs_as_lists=True)


def old_metaspace():
    return bpe.Metaspace(as_normalizer=True)


def new_metaspace():
    return bpe.Metaspace(as_normalizer=False)


# Family: fields of config.json beside the common ones; tokenizer; type of the stored weights; files; names of the special tokens.
FAMILIES = {
    # As the first Llama conversions: two files, and the rotary frequencies stored with the weights (to be ignored).
    "llama": ({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "mlp_bias": False, "pretraining_tp": 1,
        "hidden_size": 24, "intermediate_size": 32, "num_key_value_heads": 4, "rms_norm_eps": 1e-6,
        "rope_scaling": None}, old_metaspace, torch.float32, 2),
    "llama3-rope": ({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "mlp_bias": False, "head_dim": 8,
        "tie_word_embeddings": True, "rope_theta": 500000.0,
        "rope_scaling": {
            "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 32,
            "rope_type": "llama3"}}, llama3_tokenizer, torch.float32, 1),
    # The window is written down and switched off, as in the published files.
    "qwen2": ({
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
        "sliding_window": 4, "use_sliding_window": False, "max_window_layers": 2}, qwen_tokenizer, torch.bfloat16, 1),
    "qwen3": ({
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "attention_bias": False, "intermediate_size": 32, "head_dim": 16,
        "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "rope_scaling": None,
        "sliding_window": None, "use_sliding_window": False, "max_window_layers": 2, "tie_word_embeddings": True}, qwen_tokenizer, torch.float32, 1),
    "mistral": ({
        "architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_size": 24, "intermediate_size": 32,
        "head_dim": 8, "sliding_window": 8}, new_metaspace, torch.float32, 1),
    "mixtral": ({
        "architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "intermediate_size": 24, "num_local_experts": 4,
        "num_experts_per_tok": 2, "output_router_logits": False, "router_aux_loss_coef": 0.02, "router_jitter_noise": 0.0,
        "rope_theta": 1000000.0, "sliding_window": None}, old_metaspace, torch.float16, 1),
}


def weights_of(config, dtype, generator):
    width, inner = config["hidden_size"], config["intermediate_size"]
    head_width = config.get("head_dim") or width // config["num_attention_heads"]
    queries, keys = config["num_attention_heads"] * head_width, config["num_key_value_heads"] * head_width
    weights = {}

    def normal(name, *shape, std):
        weights[name] = (torch.randn(shape, generator=generator) * std).to(dtype)

    def linear(name, rows, columns):
        normal(name + ".weight", rows, columns, std=1.2 / math.sqrt(columns))

    def norm(name, size):
        weights[name + ".weight"] = (1 + 0.2 * torch.randn(size, generator=generator)).to(dtype)

    # A tied head gives every token its own embedding's product: small ones keep a model from repeating its input for ever.
    normal("model.embed_tokens.weight", config["vocab_size"], width, std=0.3 if config["tie_word_embeddings"] else 1.0)
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        norm(prefix + "input_layernorm", width)
        for name, rows in (("q", queries), ("k", keys), ("v", keys)):
            linear(f"{prefix}self_attn.{name}_proj", rows, width)
            if config["model_type"] == "qwen2":
                normal(f"{prefix}self_attn.{name}_proj.bias", rows, std=0.5)
        if config["model_type"] == "qwen3":
            norm(prefix + "self_attn.q_norm", head_width)
            norm(prefix + "self_attn.k_norm", head_width)
        linear(prefix + "self_attn.o_proj", width, queries)
        norm(prefix + "post_attention_layernorm", width)
        if config["model_type"] == "mixtral":
            linear(prefix + "block_sparse_moe.gate", config["num_local_experts"], width)
            for expert in range(config["num_local_experts"]):
                for name, rows, columns in (("w1", inner, width), ("w2", width, inner), ("w3", inner, width)):
                    linear(f"{prefix}block_sparse_moe.experts.{expert}.{name}", rows, columns)
        else:
            for name, rows, columns in (("gate", inner, width), ("up", inner, width), ("down", width, inner)):
                linear(f"{prefix}mlp.{name}_proj", rows, columns)
    norm("model.norm", width)
    if not config["tie_word_embeddings"]:
        linear("lm_head", config["vocab_size"], width)
    return weights


# ---------------------------------------------------------------------------------------------------------------------------
# What the families compute


def forward(config, weights, tokens_T, choices):
    """Logits [T, V] of one sequence."""
    def linear(x, name):
        y = x @ weights[name + ".weight"].T
        return y + weights[name + ".bias"] if name + ".bias" in weights else y

    def norm(x, name):
        return reference.rms_norm(x, weights[name + ".weight"], config["rms_norm_eps"])

    x = weights["model.embed_tokens.weight"][tokens_T]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        x = x + attend(config, norm(x, prefix + "input_layernorm"), prefix + "self_attn.", linear, norm, weights)
        y = norm(x, prefix + "post_attention_layernorm")
        if config["model_type"] == "mixtral":
            x = x + mixture(config, y, prefix + "block_sparse_moe.", linear, choices)
        else:
            x = x + linear(silu(linear(y, prefix + "mlp.gate_proj")) * linear(y, prefix + "mlp.up_proj"), prefix + "mlp.down_proj")
    x = norm(x, "model.norm")
    return x @ weights["model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"].T


def attend(config, x_TC, prefix, linear, norm, weights):
    heads, shared = config["num_attention_heads"], config["num_key_value_heads"]
    head_width = config.get("head_dim") or config["hidden_size"] // heads
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    frequencies = rope(config, head_width)
    positions = torch.arange(len(x_TC))

    projected = {name: linear(x_TC, f"{prefix}{name}_proj") for name in "qkv"}

    def head_of(name, head):
        part = projected[name][:, head * head_width:(head + 1) * head_width]
        if name != "v":
            if f"{prefix}{name}_norm.weight" in weights:
                part = norm(part, f"{prefix}{name}_norm")
            part = reference.rotate(part, positions, frequencies)
        return part

    results = []
    for head in range(heads):
        group = head // (heads // shared)
        results.append(reference.attention(head_of("q", head), head_of("k", group), head_of("v", group), window))
    return linear(torch.cat(results, -1), prefix + "o_proj")


def rope(config, head_width):
    scaling = config.get("rope_scaling")
    if scaling:
        scaling = {
            "Kind": "Llama3", "Factor": scaling["factor"], "OriginalContext": scaling["original_max_position_embeddings"],
            "LowFrequencyFactor": scaling["low_freq_factor"], "HighFrequencyFactor": scaling["high_freq_factor"]}
    return reference.rope_frequencies(head_width, config["rope_theta"], scaling, 0)[0]


def mixture(config, x_TC, prefix, linear, choices):
    """Mixtral: softmax over all experts, the best two, their shares divided by their sum."""
    shares_TE = torch.softmax(linear(x_TC, prefix + "gate"), -1)
    results = []
    for x, shares in zip(x_TC, shares_TE):
        chosen = choices.largest(shares, config["num_experts_per_tok"]).tolist()
        total = shares[chosen].sum()
        outputs = []
        for expert in chosen:
            name = f"{prefix}experts.{expert}."
            outputs.append(shares[expert] / total * linear(silu(linear(x, name + "w1")) * linear(x, name + "w3"), name + "w2"))
        results.append(sum(outputs))
    return torch.stack(results)


def greedy(config, weights, prompt, choices):
    tokens = prompt.tolist()
    for _ in range(CONTINUATION):
        last = forward(config, weights, torch.tensor(tokens), choices)[-1]
        best, second = last.topk(2).values
        if best - second < CLEAR_LOGIT:
            return None
        tokens.append(int(last.argmax()))
        if len(tokens) == len(prompt) + 24 and len(set(tokens[-12:])) < 4:
            return None  # it goes round in a small circle, and would show little
    return tokens[len(prompt):]


# ---------------------------------------------------------------------------------------------------------------------------


def write_family(folder, family):
    fields, make_tokenizer, dtype, files = FAMILIES[family]
    tokenizer = make_tokenizer()
    special = list(tokenizer.special)
    begin, end = (tokenizer.special[name] for name in ((special[1], special[2]) if "<unk>" in special else (special[0], special[1])))
    config = {
        **COMMON, **fields, "vocab_size": tokenizer.size, "bos_token_id": begin, "eos_token_id": end,
        "torch_dtype": str(dtype).removeprefix("torch.")}
    if family == "llama3-rope":
        config["eos_token_id"] = [end, end + 1]  # as Llama 3's instruct models: several tokens end a text

    for seed in range(1, 500):
        generator = torch.Generator().manual_seed(seed)
        stored = weights_of(config, dtype, generator)
        weights = {name: tensor.double() for name, tensor in stored.items()}
        prompt = torch.randint(3, config["vocab_size"] - 3, (PROMPT,), generator=generator)
        choices = reference.Choices()
        continuation = greedy(config, weights, prompt, choices)
        special_ids = set(tokenizer.special.values())
        if continuation and choices.margin > CLEAR_CHOICE and len(set(continuation)) >= 10 and not special_ids & set(continuation):
            break
    else:
        raise RuntimeError(f"{family}: no draw gives 64 clear and varied greedy tokens.")

    folder = folder / family
    logits = forward(config, weights, prompt, choices)
    expected = {"input.tokens": prompt, "output.logits": logits.float(), "output.continuation": torch.tensor(continuation)}
    tensorfile.save(folder / "expected.safetensors", expected, {"case": family})
    if family == "llama":
        head_width = config["hidden_size"] // config["num_attention_heads"]
        for layer in range(config["num_hidden_layers"]):
            stored[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = torch.tensor(rope(config, head_width)).float()
    write_weights(folder, stored, files)
    write_json(folder / "config.json", dict(sorted(config.items())))
    write_json(folder / "tokenizer.json", tokenizer.json())
    write_json(folder / "expected-tokens.json", bpe.expectations(tokenizer))


def write_weights(folder, stored, files):
    if files == 1:
        tensorfile.save(folder / "model.safetensors", stored, {"format": "pt"})
        return
    names, index = list(stored), {}
    size = math.ceil(len(names) / files)
    for part in range(files):
        file = f"model-{part + 1:05}-of-{files:05}.safetensors"
        own = names[part * size:(part + 1) * size]
        tensorfile.save(folder / file, {name: stored[name] for name in own}, {"format": "pt"})
        index.update({name: file for name in own})
    total = sum(tensor.numel() * tensor.element_size() for tensor in stored.values())
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": index})


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1 if path.name != "tokenizer.json" else None) + "\n", encoding="utf-8")
