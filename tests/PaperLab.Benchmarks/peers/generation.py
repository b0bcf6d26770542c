"""Batched sampling with a cache of keys and values that grows by concatenation, as one writes it in PyTorch: the peer of
`paperlab bench generation`."""
import argparse
import sys
import time

import torch

import decoder

parser = argparse.ArgumentParser()
decoder.add_device(parser)
parser.add_argument("--rows", type=int, default=64)
parser.add_argument("--prompt", type=int, default=8)
parser.add_argument("--new", type=int, default=120)
decoder.add_sizes(parser)
a = parser.parse_args()
decoder.begin(a)

model = decoder.Decoder(a, a.prompt + a.new).eval()
prompts = torch.randint(0, a.vocabulary, (a.rows, a.prompt))


@torch.inference_mode()
def generate():
    tokens, caches, start, log_probs = prompts, None, 0, []
    drawn = []
    for _ in range(a.new):
        hidden, caches = model(tokens, caches, start)
        start += tokens.shape[1]
        log_p = model.head(hidden[:, -1]).log_softmax(-1)
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
    decoder.synchronize(a)
    print(time.perf_counter() - start_time, flush=True)
