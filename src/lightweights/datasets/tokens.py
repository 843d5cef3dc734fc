"""Cutting text into tokens: bytes, and byte pairs (Sennrich, Haddow and Birch 2016; on bytes as in Radford et al. 2019).

Token 0 is padding, 1 to 256 are the bytes, and each learnt pair is a token more. Pairs never reach across words; a word begins with the
blank before it.
"""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

BYTES = 257
"""Padding and the bytes: the vocabulary before any pair is learnt."""

_WORD = re.compile(rb" ?[^ ]+| +")
Pair = tuple[int, int]


class BytePairs:
    """Bytes, with the pairs of tokens that are one token more, in the order in which they were learnt; without pairs plain bytes."""

    def __init__(self, pairs: Sequence[Pair] = ()) -> None:
        self.pairs = tuple(pairs)
        self.vocabulary = BYTES + len(self.pairs)
        self._made = {pair: BYTES + rank for rank, pair in enumerate(self.pairs)}
        self._known: dict[bytes, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """The tokens of a text in UTF-8."""
        return [token for word in _WORD.findall(text.encode()) for token in self._word(word)]

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; padding is nothing."""
        left, spelt = list(tokens)[::-1], bytearray()
        while left:
            token = left.pop()
            if token >= BYTES:
                left += self.pairs[token - BYTES][::-1]
            elif token:
                spelt.append(token - 1)
        return spelt.decode(errors="replace")

    def _word(self, word: bytes) -> list[int]:
        if word not in self._known:
            tokens = [byte + 1 for byte in word]
            while found := [self._made[pair] for pair in itertools.pairwise(tokens) if pair in self._made]:
                token = min(found)
                tokens = merged(tokens, self.pairs[token - BYTES], token)
            self._known[word] = tokens
        return self._known[word]


def learn(texts: Iterable[str], pairs: int) -> BytePairs:
    """The pairs that are most frequent in the texts, one after the other; of equally frequent ones that of the smaller tokens. Fewer than
    ``pairs`` where no pair is left that occurs twice.
    """
    counts = Counter(word for text in texts for word in _WORD.findall(text.encode()))
    words = [[byte + 1 for byte in word] for word in counts]
    often = list(counts.values())
    frequency: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)
    for place, tokens in enumerate(words):
        for pair in itertools.pairwise(tokens):
            frequency[pair] += often[place]
            places[pair].add(place)
    waiting = [(-count, pair) for pair, count in frequency.items()]
    heapify(waiting)
    learnt: list[Pair] = []
    while len(learnt) < pairs and waiting:
        count, best = heappop(waiting)
        if -count != frequency[best]:
            continue  # a newer entry tells its count
        if -count < 2:
            break
        changed = set()
        for place in places.pop(best):
            before, words[place] = words[place], merged(words[place], best, BYTES + len(learnt))
            if len(before) == len(words[place]):
                continue  # an earlier pair took it
            for sign, tokens in ((-1, before), (1, words[place])):
                for pair in itertools.pairwise(tokens):
                    frequency[pair] += sign * often[place]
                    changed.add(pair)
                    if sign > 0:
                        places[pair].add(place)
        for pair in changed:
            heappush(waiting, (-frequency[pair], pair))
        learnt.append(best)
    return BytePairs(learnt)


def merged(tokens: list[int], pair: Pair, token: int) -> list[int]:
    """The tokens with each occurrence of the pair, from the left, become one token."""
    found, place = [], 0
    while place < len(tokens):
        both = tuple(tokens[place : place + 2]) == pair
        found.append(token if both else tokens[place])
        place += 1 + both
    return found
