"""Two small byte-pair tokenizers in Hugging Face's tokenizer.json: byte-level (GPT-2, Llama 3, Qwen) and metaspace with byte
fallback (SentencePiece's, as Llama 2 and Mistral have it). Trained here, on the sentences below unless others are given, and run
here too; the ids and texts that this gave for those were compared once with Hugging Face's own @huggingface/tokenizers 0.2.0 and
were the same.
"""

import re
import sys
import unicodedata
from collections import Counter

SAMPLE = """The model reads the text and then the model writes the text. A reader of the page sees the number 2025 and the sum 12 + 30.
If the weights were other weights, the other numbers would be there: it isn't the reader's fault, and they're not the reader's numbers.
Le café est fermé; der Schlüssel liegt über der Tür; el niño no está aquí; мы читаем текст; النص هنا والنموذج هنا.
for (int i = 0; i < 10; i++) { sum += i; }   // the sum
    return sum;
"""

TEXTS = [
    "",
    "The model reads the text.",
    " leading and  double   spaces ",
    "it's THE READER'S number: 20251231, isn't it?",
    "line one\nline two\r\n\n    indented\tby tab\n",
    "café und Schlüssel, мы читаем النص هنا",
    "cafe\u0301 is decomposed",
    "unseen: 漢字 🙂 \u00a0 ½",
    "sum += i;   // the sum",
]

# ---------------------------------------------------------------------------------------------------------------------------
# Byte-pair encoding


def merged(symbols, pair):
    result, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair:
            result.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            result.append(symbols[i])
            i += 1
    return result


def train(words, count):
    """The merges of the most frequent pair, again and again; ties go to the pair that sorts first."""
    parts, merges = Counter(words), []
    parts = [(list(word), frequency) for word, frequency in sorted(parts.items())]
    for _ in range(count):
        pairs = Counter()
        for symbols, frequency in parts:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += frequency
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        parts = [(merged(symbols, best), frequency) for symbols, frequency in parts]
    return merges


def numbered(tokens):
    if len(set(tokens)) != len(tokens):
        raise RuntimeError("Two merges make the same token; change the sample or the number of merges.")
    return {token: i for i, token in enumerate(tokens)}


def encode_word(symbols, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    while len(symbols) > 1:
        best = min(zip(symbols, symbols[1:]), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        symbols = merged(symbols, best)
    return symbols


def on_segments(text, special, encode):
    """Encodes what lies between special tokens; the tokens themselves are single ids."""
    pieces = re.split("(" + "|".join(re.escape(token) for token in special) + ")", text)
    ids, at = [], 0
    for piece in pieces:
        if piece in special:
            ids.append(special[piece])
        elif piece:
            ids += encode(piece, at == 0)
        at += len(piece)
    return ids


# ---------------------------------------------------------------------------------------------------------------------------
# Byte level


def characters_of(kind):
    """A regular-expression class of all code points whose Unicode category begins with this letter."""
    points = [c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c))[0] == kind]
    ranges, start = [], points[0]
    for point, following in zip(points, points[1:] + [None]):
        if following != point + 1:
            ranges.append(f"\\U{start:08x}-\\U{point:08x}")
            start = following
    return "".join(ranges)


def byte_characters():
    """GPT-2's printable stand-in for every byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, spare = {byte: chr(byte) for byte in printable}, 256
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(spare)
            spare += 1
    return table


class ByteLevel:
    def __init__(self, special, digits, nfc, pairs_as_lists, first_token=None, merges=40, sample=SAMPLE):
        """digits: how many of a number stay together; pairs_as_lists: the newer form of merges; first_token: put before a text."""
        self.pattern = (
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + ("" if digits == 1 else "{1,%d}" % digits)
            + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
        letters, numbers = characters_of("L"), characters_of("N")
        # Outside a class the property becomes a class; within one it becomes ranges.
        pattern = re.sub(r"(\[[^\]]*)\\p\{L\}\\p\{N\}", lambda m: m[1] + letters + numbers, self.pattern)
        self.words = re.compile(pattern.replace(r"\p{L}", f"[{letters}]").replace(r"\p{N}", f"[{numbers}]"))
        self.nfc, self.lists, self.first = nfc, pairs_as_lists, first_token
        self.table = byte_characters()
        self.merges = train(self.split(sample), merges)
        tokens = [self.table[byte] for byte in sorted(self.table, key=lambda b: self.table[b])] + [a + b for a, b in self.merges]
        self.vocabulary = numbered(tokens)
        self.special = {token: len(tokens) + i for i, token in enumerate(special)}
        self.size = len(tokens) + len(special)

    def split(self, text):
        return ["".join(self.table[byte] for byte in word.encode()) for word in self.words.findall(text)]

    def encode(self, text):
        def plain(segment, _):
            segment = unicodedata.normalize("NFC", segment) if self.nfc else segment
            return [self.vocabulary[symbol] for word in self.split(segment) for symbol in encode_word(list(word), self.merges)]

        return on_segments(text, self.special, plain)

    def decode(self, ids):
        byte_of = {character: byte for byte, character in self.table.items()}
        data = {i: bytes(byte_of[c] for c in token) for token, i in self.vocabulary.items()}
        data.update({i: token.encode() for token, i in self.special.items()})
        return b"".join(data[i] for i in ids).decode()

    def json(self):
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
        split = {"type": "Split", "pattern": {"Regex": self.pattern}, "behavior": "Isolated", "invert": False}
        return document(
            self,
            normalizer={"type": "NFC"} if self.nfc else None,
            pre_tokenizer={"type": "Sequence", "pretokenizers": [split, byte_level]},
            decoder={**byte_level, "add_prefix_space": True, "use_regex": True},
            model={"unk_token": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": not self.nfc})


# ---------------------------------------------------------------------------------------------------------------------------
# Metaspace with byte fallback


class Metaspace:
    MARK = "▁"

    def __init__(self, as_normalizer, merges=40, sample=SAMPLE):
        """as_normalizer: the mark is put before every segment (Llama 2's file); otherwise only before the text, and only where it
        does not begin with a space (the Metaspace pre-tokenizer with prepend_scheme "first", newer Mistral's file)."""
        self.as_normalizer, self.lists = as_normalizer, not as_normalizer
        self.first = "<s>"
        words = [self.MARK + word for word in sample.split()] + [self.MARK * 4] * 3
        self.merges = train(words, merges)
        tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
        tokens += [a + b for a, b in self.merges] + sorted(set(sample.replace(" ", self.MARK)) - {"\n"})
        self.vocabulary = numbered(tokens)
        self.special = {"<unk>": 0, "<s>": 1, "</s>": 2}
        self.size = len(tokens)

    def encode(self, text):
        def plain(segment, first):
            segment = segment.replace(" ", self.MARK)
            if self.as_normalizer or (first and not segment.startswith(self.MARK)):
                segment = self.MARK + segment
            symbols = []
            for character in segment:
                known = character in self.vocabulary
                symbols += [character] if known else [f"<0x{byte:02X}>" for byte in character.encode()]
            return [self.vocabulary[symbol] for symbol in encode_word(symbols, self.merges)]

        return on_segments(text, self.special, plain)

    def decode(self, ids):
        names, data = {i: token for token, i in self.vocabulary.items()}, b""
        for i in ids:
            data += bytes([i - 3]) if 3 <= i < 259 else names[i].replace(self.MARK, " ").encode()
        text = data.decode()
        return text[1:] if text.startswith(" ") else text

    def json(self):
        replace = {"type": "Replace", "pattern": {"String": " "}, "content": self.MARK}
        metaspace = {"type": "Metaspace", "replacement": self.MARK, "prepend_scheme": "first", "split": False}
        decoders = [
            {"type": "Replace", "pattern": {"String": self.MARK}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
        prepend = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": self.MARK}, replace]}
        return document(
            self,
            normalizer=prepend if self.as_normalizer else None,
            pre_tokenizer=None if self.as_normalizer else metaspace,
            decoder={"type": "Sequence", "decoders": decoders},
            model={"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True, "ignore_merges": False})


def document(tokenizer, normalizer, pre_tokenizer, decoder, model):
    added = [
        {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for token, i in tokenizer.special.items()]
    post_processor = None
    if tokenizer.first:
        name, identity = tokenizer.first, tokenizer.special[tokenizer.first]
        single = [{"SpecialToken": {"id": name, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
        second = [{"SpecialToken": {"id": name, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}]
        post_processor = {
            "type": "TemplateProcessing", "single": single, "pair": single + second,
            "special_tokens": {name: {"id": name, "ids": [identity], "tokens": [name]}}}
    merges = [list(pair) if tokenizer.lists else " ".join(pair) for pair in tokenizer.merges]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": decoder,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            **model, "vocab": tokenizer.vocabulary, "merges": merges}}


def expectations(tokenizer):
    """Each text, its ids without and with what the post-processor adds, and what the ids decode to."""
    before = [tokenizer.special[tokenizer.first]] if tokenizer.first else []
    names, results = list(tokenizer.special), []
    for text in [*TEXTS, f"{names[1]}the text{names[-1]} of the reader{names[1]}"]:
        ids = tokenizer.encode(text)
        results.append({"text": text, "ids": ids, "with_special_tokens": before + ids, "decoded": tokenizer.decode(ids)})
    return results
