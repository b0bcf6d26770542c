"""One training step of a small dense decoder in PyTorch eager: the peer of `paperlab bench step`."""
import argparse
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import decoder

parser = argparse.ArgumentParser()
decoder.add_device(parser)
parser.add_argument("--steps", type=int, default=3)
parser.add_argument("--context", type=int, default=128)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--bf16", action="store_true")
decoder.add_sizes(parser)
a = parser.parse_args()
decoder.begin(a)

model = decoder.Decoder(a, a.context)
for p in model.parameters():
    if p.dim() > 1:
        nn.init.normal_(p, 0, 0.02)
optimizer = decoder.adamw(a, model, lr=1e-3, weight_decay=0.1)
tokens = torch.randint(0, a.vocabulary, (a.batch, a.context))
targets = torch.randint(0, a.vocabulary, (a.batch * a.context,))


def step():
    with torch.autocast(a.device.split(":")[0], dtype=torch.bfloat16, enabled=a.bf16):
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
    decoder.synchronize(a)
    print(time.perf_counter() - start, flush=True)
