"""Multiple choice by log-likelihood, one option at a time: a text is put together, encoded and read alone, without batches and without
padding, and its tokens' log-probabilities are added up in float64.

questions.json has three questions of the medical knowledge base, each in English and in Arabic, as MedicalQuestions wrote them.
"""

import json
from pathlib import Path

import torch

import bpe
import huggingface
import reference

QUESTIONS = json.loads((Path(__file__).parent / "questions.json").read_text(encoding="utf-8"))
SAMPLE = "\n".join("\n".join([q["question"], q["cue"], *q["options"], *q["statements"]]) for q in QUESTIONS)
CLEAR = 2e-4  # between the best and the second score of every item

# Case: the family whose model it is; its tokenizer; the token that texts begin with; what stands in the question's place for the
# unconditional likelihood.
CASES = {
    "byte-level": ("llama3-rope", lambda: bpe.ByteLevel(huggingface.LLAMA3_TOKENS, digits=3, nfc=False, pairs_as_lists=False, merges=150, sample=SAMPLE),
                   huggingface.LLAMA3_TOKENS[0], ""),
    "metaspace": ("mistral", lambda: bpe.Metaspace(as_normalizer=True, merges=150, sample=SAMPLE), None, "Answer: "),
}


def in_full(question):
    return question["question"] + "\n" + question["cue"], [" " + option for option in question["options"]]


def by_letter(question):
    letters = "ABCD"
    listed = [f"{letter}. {option}" for letter, option in zip(letters, question["options"])]
    return "\n".join([question["question"], *listed, question["cue"]]), [" " + letter for letter in letters]


def as_statement(question):
    return question["passage"], question["statements"]


ASKED = {"InFull": in_full, "ByLetter": by_letter, "AsStatement": as_statement}


def log_likelihood(log_probs, encode, begin, context, option):
    """Of the option's tokens after the context, and their number. What the context's text has as tokens belongs to the context."""
    stripped = context.rstrip(" \n")
    option = context[len(stripped):] + option
    before, whole = begin + encode(stripped), begin + encode(stripped + option)
    rows = log_probs(whole[:-1])
    return sum(rows[at - 1, whole[at]].item() for at in range(len(before), len(whole))), len(whole) - len(before)


def asked_of(question, asked, log_probs, encode, begin, neutral):
    """What the file holds of one item: each option's likelihoods, and under each normalisation the scores and the choice."""
    context, options = ASKED[asked](question)
    spaces = context[len(context.rstrip(" \n")):]
    read = [log_likelihood(log_probs, encode, begin, context, option) for option in options]
    alone = [log_likelihood(log_probs, encode, begin, neutral.rstrip(" "), spaces + option) for option in options]
    scores = {
        "None": [likelihood for likelihood, _ in read],
        "PerToken": [likelihood / tokens for likelihood, tokens in read],
        "PerByte": [likelihood / len(option.encode("utf-8")) for (likelihood, _), option in zip(read, options)],
        "Unconditional": [likelihood - other for (likelihood, _), (other, _) in zip(read, alone)]}
    return {
        "question": question["id"], "asked": asked, "tokens": [tokens for _, tokens in read], "scores": scores,
        "chosen": {name: values.index(max(values)) for name, values in scores.items()}}


def margin(item):
    """Between the best and the second score of an item, the smallest over the normalisations. After nothing, an option's unconditional
    score is 0, like every other's: no rounding changes that."""
    ordered = [sorted(values, reverse=True) for values in item["scores"].values()]
    return min(values[0] - values[1] for values in ordered if values[0] != values[-1])


def write_case(folder, name):
    family, make_tokenizer, first, neutral = CASES[name]
    fields, _, dtype, _ = huggingface.FAMILIES[family]
    tokenizer = make_tokenizer()
    config = {
        **huggingface.COMMON, **fields, "vocab_size": tokenizer.size, "max_position_embeddings": 1024,
        "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": str(dtype).removeprefix("torch.")}
    begin = [tokenizer.special[first]] if first else []

    for seed in range(1, 100):
        stored = huggingface.weights_of(config, dtype, torch.Generator().manual_seed(seed))
        weights = {key: tensor.double() for key, tensor in stored.items()}

        def log_probs(tokens):
            return huggingface.forward(config, weights, torch.tensor(tokens), reference.Choices()).log_softmax(-1)

        # Without a token to begin with there is nothing to read before a statement that no passage precedes.
        items = [
            asked_of(question, asked, log_probs, tokenizer.encode, begin, neutral)
            for asked in ASKED for question in QUESTIONS if begin or ASKED[asked](question)[0]]
        if min(margin(item) for item in items) > CLEAR:
            break
    else:
        raise RuntimeError(f"{name}: every draw has a close choice.")

    folder = folder / name
    huggingface.write_weights(folder, stored, files=1)
    huggingface.write_json(folder / "config.json", dict(sorted(config.items())))
    huggingface.write_json(folder / "tokenizer.json", tokenizer.json())
    huggingface.write_json(folder / "expected.json", {"begin": begin[0] if begin else None, "neutral": neutral, "questions": QUESTIONS, "items": items})
