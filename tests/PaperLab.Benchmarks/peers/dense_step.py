"""One training step of a small dense decoder in PyTorch eager: the peer of `paperlab bench step`."""
import argparse
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import decoder

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--steps", type=int, default=3)
parser.add_argument("--context", type=int, default=128)
parser.add_argument("--batch", type=int, default=16)
decoder.add_sizes(parser)
a = parser.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(1)

model = decoder.Decoder(a, a.context)
for p in model.parameters():
    if p.dim() > 1:
        nn.init.normal_(p, 0, 0.02)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, foreach=True)
tokens = torch.randint(0, a.vocabulary, (a.batch, a.context))
targets = torch.randint(0, a.vocabulary, (a.batch * a.context,))


def step():
    loss = F.cross_entropy(model.head(model(tokens)[0]).view(-1, a.vocabulary), targets)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


for line in sys.stdin:
    if line.strip() != "go":
        break
    start = time.perf_counter()
    for _ in range(a.steps):
        step()
    print(time.perf_counter() - start, flush=True)
