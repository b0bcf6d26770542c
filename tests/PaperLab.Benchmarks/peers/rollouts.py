"""A whole step of GRPO on countdown in PyTorch eager, as one writes it there: batched sampling with a cache that grows, rules, padded
batches, a clipped ratio with the divergence from a reference, AdamW. The peer of `paperlab bench rollouts`.

Asked "check", it tells reward, loss and gradient norm of answers that are given; asked "step", it takes a step and tells its seconds."""
import argparse
import ast
import json
import operator
import os
import re
import sys
import time
from collections import Counter
from fractions import Fraction

import torch
import torch.nn as nn

import decoder

END = 0  # the token that ends an answer, and pads

parser = argparse.ArgumentParser()
decoder.add_device(parser)
parser.add_argument("--context", type=int, required=True)
parser.add_argument("--micro", type=int, required=True, help="answers of a forward pass")
parser.add_argument("--case", required=True, help="folder with case.json and weights")
decoder.add_sizes(parser)
a = parser.parse_args()
decoder.begin(a)
with open(os.path.join(a.case, "case.json")) as file:
    case = json.load(file)
symbols = case["symbols"]


def model_of(weights):
    model = decoder.Decoder(a, a.context)
    decoder.load(model, os.path.join(a.case, weights))
    return model


policy, reference = model_of("reference.safetensors"), model_of("reference.safetensors").requires_grad_(False)
optimizer = decoder.adamw(a, policy, lr=case["learning_rate"], weight_decay=0.0)


# Rollout

@torch.inference_mode()
def sample(prompts, lengths):
    """Answers at temperature 1, padded. A row ends where `lengths` says, and is computed until all have ended."""
    tokens, caches, start, drawn = prompts, None, 0, []
    while True:
        hidden, caches = policy(tokens, caches, start)
        start += tokens.shape[1]
        tokens = torch.multinomial(policy.head(hidden[:, -1]).softmax(-1), 1)
        drawn.append(tokens.masked_fill((lengths <= len(drawn))[:, None], END))
        if (lengths <= len(drawn)).all():
            return torch.cat(drawn, 1)


# Reward: accuracy and format

FORMAT = re.compile(r"\s*<think>(.*)</think>\s*<answer>(.*)</answer>\s*", re.DOTALL)
TAGS = ("<think>", "</think>", "<answer>", "</answer>")
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def value_of(node, numbers):
    if isinstance(node, ast.Constant) and type(node.value) is int:
        numbers.append(node.value)
        return Fraction(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](value_of(node.left, numbers), value_of(node.right, numbers))
    raise ValueError("no arithmetic")


def is_right(prompt, answer):
    given, target = prompt.split(":")
    numbers = []
    try:
        value = value_of(ast.parse(answer, mode="eval").body, numbers)
    except (SyntaxError, ValueError, ZeroDivisionError):
        return False
    return value == int(target) and Counter(numbers) == Counter(map(int, given.split(",")))


def reward_of(prompt, answer):
    if END not in answer:
        return 0.0  # cut off
    text = "".join(symbols[token] for token in answer[: answer.index(END)])
    match = FORMAT.fullmatch(text)
    if match is None or any(text.count(tag) != 1 for tag in TAGS) or not match[2].strip():
        return 0.0
    return 1.0 + is_right("".join(symbols[token] for token in prompt), match[2].strip())


# Advantage, loss

def score(model, prompts, answers):
    """Log-probability of every token of the answers, and the entropy it was drawn with."""
    hidden, _ = model(torch.cat([prompts, answers], 1)[:, :-1])
    log_p = model.head(hidden[:, prompts.shape[1] - 1 :]).log_softmax(-1)
    with torch.no_grad():
        entropy = -(log_p.exp() * log_p).sum(-1)
    return log_p.gather(-1, answers[..., None]).squeeze(-1), entropy


def backward(prompts, answers, lengths, rewards, group, beta):
    """Adds the gradient; returns loss, divergence, clip share and entropy."""
    groups = rewards.view(-1, group)
    std = groups.std(1, keepdim=True)
    advantages = torch.where(std > 0, (groups - groups.mean(1, keepdim=True)) / std, torch.zeros(())).view(-1, 1)
    told = torch.zeros(4)
    for rows in torch.arange(len(rewards)).split(a.micro):
        longest = lengths[rows].max()
        answer, mask = answers[rows, :longest], (torch.arange(longest) < lengths[rows, None]).float()
        log_p, entropy = score(policy, prompts[rows], answer)
        with torch.no_grad():
            reference_log_p, _ = score(reference, prompts[rows], answer)
        ratio, advantage = (log_p - log_p.detach()).exp(), advantages[rows]
        free, clipped = ratio * advantage, ratio.clamp(0.8, 1.2) * advantage
        difference = reference_log_p - log_p
        kl = difference.exp() - difference - 1
        loss = -((torch.min(free, clipped) - beta * kl) * mask / lengths[rows, None]).sum() / len(rewards)
        loss.backward()
        of_tokens = mask / lengths.sum()
        told += torch.stack([loss.detach(), (kl.detach() * of_tokens).sum(), ((clipped < free) * of_tokens).sum(), (entropy * of_tokens).sum()])
    return told


def check():
    global policy
    trained, policy = policy, model_of("policy.safetensors")
    given = case["check"]
    lengths = torch.tensor([len(answer) for answer in given["answers"]])
    answers = nn.utils.rnn.pad_sequence([torch.tensor(answer) for answer in given["answers"]], batch_first=True, padding_value=END)
    rewards = torch.tensor([reward_of(prompt, answer) for prompt, answer in zip(given["prompts"], given["answers"])])
    told = backward(torch.tensor(given["prompts"]), answers, lengths, rewards, given["group"], given["beta"])
    norm = nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
    policy = trained
    return {"reward": rewards.mean().item(), "loss": told[0].item(), "kl": told[1].item(), "norm": norm.item()}


def step(prompts=torch.tensor(case["prompts"]), lengths=torch.tensor(case["lengths"])):
    began = time.perf_counter()
    answers = sample(prompts, lengths).clone()  # a tensor of inference mode takes no part in a backward pass
    rolled = time.perf_counter()
    drawn = [answer[:length] for answer, length in zip(answers.tolist(), case["lengths"])]
    rewards = torch.tensor([reward_of(prompt, answer) for prompt, answer in zip(case["prompts"], drawn)])
    rewarded = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    told = backward(prompts, answers, lengths, rewards, case["group"], case["beta"])
    norm = nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
    optimizer.step()
    told.tolist(), norm.item()
    return {"rollout": rolled - began, "reward": rewarded - rolled, "training": time.perf_counter() - rewarded}


for line in sys.stdin:
    asked = {"check": check, "step": step}.get(line.strip())
    if asked is None:
        break
    print(json.dumps(asked()), flush=True)
