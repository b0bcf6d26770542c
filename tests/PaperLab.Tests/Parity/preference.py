"""DPO, pair by pair (arXiv 2305.18290, equation 7)."""

import torch


def dpo(chosen, rejected, reference_chosen, reference_rejected, beta):
    """Log-probabilities of whole answers, a list of scalars each. Returns the loss, and the implicit rewards [2, pairs]."""
    total, rewards = 0.0, ([], [])
    for c, r, base_c, base_r in zip(chosen, rejected, reference_chosen, reference_rejected):
        reward_c, reward_r = beta * (c - base_c), beta * (r - base_r)
        total = total - torch.log(torch.sigmoid(reward_c - reward_r))
        rewards[0].append(reward_c.detach())
        rewards[1].append(reward_r.detach())
    return total / len(chosen), torch.stack([torch.stack(row) for row in rewards])
