"""GRPO, Dr. GRPO, DAPO and REINFORCE, answer by answer and token by token (arXiv 2402.03300, 2503.20783, 2503.14476): what the
papers' sums say, with nothing batched."""

import math


def ending(answer, stop):
    """Tokens up to the first stop token, which counts; a truncated answer has none."""
    return answer.index(stop) + 1 if stop in answer else len(answer)


def advantages(rewards, group_size, baseline, scale):
    result = []
    for start in range(0, len(rewards), group_size):
        group = rewards[start:start + group_size]
        mean = sum(group) / group_size if baseline == "Group" else sum(rewards) / len(rewards)
        squares = sum((reward - mean) ** 2 for reward in group)
        divisor = {
            "None": 1.0,
            "StandardDeviation": math.sqrt(squares / group_size),
            "SampleStandardDeviation": math.sqrt(squares / (group_size - 1)),
        }[scale]
        dead = baseline == "Group" and len(set(group)) == 1
        result += [0.0 if dead else (reward - mean) / divisor for reward in group]
    return result


def loss(log_probs, old, reference, rewards, group_size, objective):
    """log_probs, old and reference: a list of scalars for each answer. Returns the loss, and how near a ratio is to a kink."""
    baseline, weighting = objective.get("Baseline", "Group"), objective.get("Weighting", "ByAnswer")
    low, high = 1 - objective.get("ClipLow", 0.2), 1 + objective.get("ClipHigh", 0.2)
    beta = objective.get("KlWeight", 0.0)
    A = advantages(rewards, group_size, baseline, objective.get("Scale", "SampleStandardDeviation"))
    kept = list(range(len(rewards)))
    if objective.get("DropDeadGroups"):
        kept = [i for i in kept if len(set(rewards[i // group_size * group_size:][:group_size])) > 1]
    tokens = sum(len(log_probs[i]) for i in kept)
    total, margin = 0.0, math.inf
    for i in kept:
        of_answer = 0.0
        for new, before, base in zip(log_probs[i], old[i], reference[i]):
            ratio = (new - before).exp()
            clipped = ratio if low <= ratio <= high else ratio * 0 + (low if ratio < low else high)
            term = ratio * A[i] if ratio * A[i] <= clipped * A[i] else clipped * A[i]
            if beta:
                term = term - beta * ((base - new).exp() - (base - new) - 1)
            of_answer = of_answer + term
            margin = min(margin, abs(ratio.item() - low), abs(ratio.item() - high))
        if weighting == "ByAnswer":
            total = total + of_answer / len(log_probs[i]) / len(kept)
        elif weighting == "ByConstant":
            total = total + of_answer / objective["ConstantLength"] / len(kept)
        else:
            total = total + of_answer / tokens
    return -total, margin
