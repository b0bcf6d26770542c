"""Batched sampling with a cache of keys and values that grows by concatenation, as one writes it in PyTorch: the peer of
`paperlab bench generation`."""
import argparse
import math
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rows", type=int, default=64)
parser.add_argument("--prompt", type=int, default=8)
parser.add_argument("--new", type=int, default=120)
parser.add_argument("--width", type=int, default=256)
parser.add_argument("--layers", type=int, default=4)
parser.add_argument("--heads", type=int, default=8)
parser.add_argument("--hidden", type=int, default=688)
parser.add_argument("--vocabulary", type=int, default=512)
a = parser.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(1)


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
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = RMSNorm(a.width), RMSNorm(a.width)
        self.qkv = nn.Linear(a.width, 3 * a.width, bias=False)
        self.out = nn.Linear(a.width, a.width, bias=False)
        self.gate = nn.Linear(a.width, a.hidden, bias=False)
        self.up = nn.Linear(a.width, a.hidden, bias=False)
        self.down = nn.Linear(a.hidden, a.width, bias=False)

    def forward(self, x, cos, sin, cache):
        b, t, c = x.shape
        q, k, v = (part.view(b, t, a.heads, -1).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, -1))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
        if t > 1:
            scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), float("-inf"))
        mixed = scores.softmax(-1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(b, t, c))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h)), (k, v)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(a.vocabulary, a.width)
        self.blocks = nn.ModuleList(Block() for _ in range(a.layers))
        self.norm = RMSNorm(a.width)
        self.head = nn.Linear(a.width, a.vocabulary, bias=False)
        half = a.width // a.heads // 2
        angles = torch.outer(torch.arange(a.prompt + a.new).float(), 10000.0 ** (-torch.arange(half).float() / half))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens, caches, start):
        x = self.embed(tokens)
        cos, sin = self.cos[start : start + tokens.shape[1]], self.sin[start : start + tokens.shape[1]]
        new = []
        for block, cache in zip(self.blocks, caches):
            x, kept = block(x, cos, sin, cache)
            new.append(kept)
        return self.head(self.norm(x[:, -1])), new


model = Decoder().eval()
prompts = torch.randint(0, a.vocabulary, (a.rows, a.prompt))


@torch.inference_mode()
def generate():
    tokens, caches, start, log_probs = prompts, [None] * a.layers, 0, []
    drawn = []
    for _ in range(a.new):
        logits, caches = model(tokens, caches, start)
        start += tokens.shape[1]
        log_p = logits.log_softmax(-1)
        tokens = torch.multinomial(log_p.exp(), 1)
        log_probs.append(log_p.gather(1, tokens))
        drawn.append(tokens)
        if (tokens == -1).all():  # has every row ended?
            break
    return torch.cat(drawn, 1), torch.cat(log_probs, 1)


for line in sys.stdin:
    if line.strip() != "go":
        break
    start_time = time.perf_counter()
    generate()
    print(time.perf_counter() - start_time, flush=True)
