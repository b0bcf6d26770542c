"""The dense decoder of the peers, in PyTorch as one writes it there: RMSNorm, rotary positions, attention (on a GPU PyTorch's own
kernel), SwiGLU."""
import json
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def add_device(parser):
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")


def begin(a):
    """Threads, seed and device of a peer. What is made from now on is made on the device."""
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    if a.device != "cpu":
        torch.set_default_device(a.device)


def synchronize(a):
    """A GPU runs ahead of the program."""
    if a.device != "cpu":
        torch.cuda.synchronize(a.device)


def adamw(a, model, lr, weight_decay):
    fast = {"foreach": True} if a.device == "cpu" else {"fused": True}
    return torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.95), weight_decay=weight_decay, **fast)


def add_sizes(parser):
    for name, value in dict(width=256, layers=4, heads=8, hidden=688, vocabulary=512).items():
        parser.add_argument("--" + name, type=int, default=value)


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


def rotate(x, cos, sin):
    left, right = x.chunk(2, -1)
    return torch.cat([left * cos - right * sin, left * sin + right * cos], -1)


class Block(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.heads = sizes.heads
        self.norm1, self.norm2 = RMSNorm(sizes.width), RMSNorm(sizes.width)
        self.qkv = nn.Linear(sizes.width, 3 * sizes.width, bias=False)
        self.out = nn.Linear(sizes.width, sizes.width, bias=False)
        self.gate = nn.Linear(sizes.width, sizes.hidden, bias=False)
        self.up = nn.Linear(sizes.width, sizes.hidden, bias=False)
        self.down = nn.Linear(sizes.hidden, sizes.width, bias=False)

    def forward(self, x, cos, sin, future, cache):
        b, t, c = x.shape
        q, k, v = (part.view(b, t, self.heads, -1).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, -1))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
        if x.is_cuda:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=t > 1)
        else:
            scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
            if t > 1:
                scores = scores.masked_fill(future[:t, :t], float("-inf"))
            y = scores.softmax(-1) @ v
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h)), (k, v)


class Decoder(nn.Module):
    """forward returns the hidden states after the last norm and every layer's (keys, values)."""

    def __init__(self, sizes, context):
        super().__init__()
        self.embed = nn.Embedding(sizes.vocabulary, sizes.width)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.layers))
        self.norm = RMSNorm(sizes.width)
        self.head = nn.Linear(sizes.width, sizes.vocabulary, bias=False)
        half = sizes.width // sizes.heads // 2
        angles = torch.outer(torch.arange(context).float(), 10000.0 ** (-torch.arange(half).float() / half))
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.register_buffer("future", torch.ones(context, context, dtype=torch.bool).triu(1), persistent=False)

    def forward(self, tokens, caches=None, start=0):
        x = self.embed(tokens)
        cos, sin = self.cos[start : start + tokens.shape[1]], self.sin[start : start + tokens.shape[1]]
        new = []
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):
            x, kept = block(x, cos, sin, self.future, cache)
            new.append(kept)
        return self.norm(x), new


def load(model, path):
    """Weights of the same decoder in a safetensors file, under Llama's names: there the three projections of attention are three."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())

    def weight(name):
        shape, begin = header[name]["shape"], header[name]["data_offsets"][0]
        return torch.frombuffer(data, dtype=torch.float32, count=math.prod(shape), offset=begin).view(shape)

    state = {"embed.weight": weight("embed_tokens.weight"), "norm.weight": weight("norm.weight"), "head.weight": weight("lm_head.weight")}
    for i in range(len(model.blocks)):
        here, there = f"blocks.{i}.", f"layers.{i}."
        state[here + "norm1.weight"] = weight(there + "input_layernorm.weight")
        state[here + "qkv.weight"] = torch.cat([weight(f"{there}self_attn.{part}_proj.weight") for part in "qkv"])
        state[here + "out.weight"] = weight(there + "self_attn.o_proj.weight")
        state[here + "norm2.weight"] = weight(there + "post_attention_layernorm.weight")
        for part in ("gate", "up", "down"):
            state[f"{here}{part}.weight"] = weight(f"{there}mlp.{part}_proj.weight")
    model.load_state_dict(state)
