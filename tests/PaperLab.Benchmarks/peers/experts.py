"""A layer of experts, forward and backward, by the usual loop over experts with masks (Hugging Face's Mixtral): the peer of
`paperlab bench experts`."""
import argparse
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import decoder

parser = argparse.ArgumentParser()
decoder.add_device(parser)
parser.add_argument("--tokens", type=int, default=2048)
parser.add_argument("--width", type=int, default=256)
parser.add_argument("--experts", type=int, default=8)
parser.add_argument("--top", type=int, default=2)
parser.add_argument("--hidden", type=int, default=344)
a = parser.parse_args()
decoder.begin(a)


class Expert(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(a.width, a.hidden, bias=False)
        self.up = nn.Linear(a.width, a.hidden, bias=False)
        self.down = nn.Linear(a.hidden, a.width, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Linear(a.width, a.experts, bias=False)
        self.experts = nn.ModuleList(Expert() for _ in range(a.experts))

    def forward(self, x):
        weights, chosen = torch.topk(self.router(x).softmax(-1), a.top, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        result = torch.zeros_like(x)
        mask = F.one_hot(chosen, a.experts).permute(2, 1, 0)  # [E, K, N]
        for e, expert in enumerate(self.experts):
            slot, token = torch.where(mask[e])
            if token.numel() > 0:
                result.index_add_(0, token, expert(x[token]) * weights[token, slot, None])
        return result


layer = Experts()
x = torch.randn(a.tokens, a.width, requires_grad=True)
g = torch.randn(a.tokens, a.width)


def step():
    layer.zero_grad(set_to_none=True)
    x.grad = None
    layer(x).backward(g)


for line in sys.stdin:
    if line.strip() != "go":
        break
    start = time.perf_counter()
    step()
    decoder.synchronize(a)
    print(time.perf_counter() - start, flush=True)
