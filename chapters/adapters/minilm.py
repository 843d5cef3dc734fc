"""MiniLM, a sentence encoder of 22.7 million numbers, read from a package that ships it (Wang et al., 2020, arXiv 2002.10957; trained as
all-MiniLM-L6-v2 by the authors of sentence-transformers, Apache 2.0), and its tokens: BERT's word pieces (Devlin et al., 2019).
"""

import hashlib
import re
import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights.datasets import DataError

from .package import MODULE, PACKAGE, missing

SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
LAYERS, WIDTH, WIDE, HEADS, VOCABULARY, PLACES = 6, 384, 1536, 12, 30_522, 512
EPSILON = 1e-12
"""Of the norms."""
SMALL = 0.02
"""Spread of the head's initial values, BERT's."""
UNKNOWN, FIRST, LAST = 100, 101, 102
"""Tokens: no known piece, before a text, behind it."""
LONGEST_WORD = 100
_PIECE = re.compile(r"\w+|[^\w\s]|_")


@lru_cache(maxsize=2)
def file(name: str) -> Path:
    """A file of the package, its digest as it is pinned. Raises DataError where it is missing or another."""
    spec = find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise DataError(missing())
    path = Path(spec.origin).parent / "model" / name
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if found != SHA256[name]:
        raise DataError(f"{path}: expected SHA-256 {SHA256[name]}, found {found}; install {PACKAGE} again")
    return path


class WordPieces:
    """BERT's tokens of lower-cased text: words and marks, cut into the longest known pieces from the left."""

    vocabulary = VOCABULARY

    def __init__(self, pieces: list[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(pieces)}

    def encode(self, text: str) -> list[int]:
        """The tokens of a text between those that begin and end it."""
        plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
        return [FIRST, *(token for word in _PIECE.findall(plain) for token in self._word(word)), LAST]

    def _word(self, word: str) -> list[int]:
        found: list[int] = []
        start = 0
        while start < len(word):
            ends = range(len(word), start, -1) if len(word) <= LONGEST_WORD else ()
            begin = "##" if start else ""
            end = next((end for end in ends if begin + word[start:end] in self._numbers), None)
            if end is None:
                return [UNKNOWN]
            found.append(self._numbers[begin + word[start:end]])
            start = end
        return found


def word_pieces() -> WordPieces:
    """The tokens of MiniLM. Raises DataError where the package is not here."""
    return WordPieces(file("vocab.txt").read_text(encoding="utf-8").split("\n")[:VOCABULARY])


class Layer(nn.Module):
    """Self-attention of the real tokens and a wide layer, a norm behind each sum."""

    def __init__(self, width: int = WIDTH, wide: int = WIDE, heads: int = HEADS) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.wide, self.narrow = nn.Linear(width, wide), nn.Linear(wide, width)
        self.norm_attention, self.norm_wide = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)

    def forward(self, x: Float[Tensor, "n length width"], mask: Bool[Tensor, "n length"]) -> Float[Tensor, "n length width"]:
        """The same shape; padding is not attended to."""
        n, length, width = x.shape
        q, k, v = (part(x).view(n, length, self.heads, -1).transpose(1, 2) for part in (self.query, self.key, self.value))
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
        x = self.norm_attention(x + self.out(attended.transpose(1, 2).reshape(n, length, width)))
        return self.norm_wide(x + self.narrow(F.gelu(self.wide(x))))


class Lower(nn.Module):
    """Embeddings and the first layers, which nothing is trained in."""

    def __init__(self, layers: int, vocabulary: int = VOCABULARY, places: int = PLACES) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, WIDTH), nn.Embedding(places, WIDTH)
        self.kind = nn.Parameter(torch.zeros(WIDTH))  # of the two kinds of sentences that BERT knows the first one's
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))

    def forward(self, tokens: Int[Tensor, "n length"], mask: Bool[Tensor, "n length"]) -> Float[Tensor, "n length width"]:
        """What the last of these layers gives."""
        x = self.norm(self.tokens(tokens) + self.places.weight[: tokens.shape[1]] + self.kind)
        for layer in self.layers:
            x = layer(x, mask)
        return x


class Upper(nn.Module):
    """The last layers, the mean over the real tokens, and a linear head that starts small, the same each time."""

    def __init__(self, layers: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.head = nn.Linear(WIDTH, classes)
        nn.init.normal_(self.head.weight, std=SMALL, generator=torch.Generator().manual_seed(0))
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Float[Tensor, "n length width"], mask: Bool[Tensor, "n length"]) -> Float[Tensor, "n classes"]:
        """Logits."""
        return self.head(self.pooled(x, mask))

    def pooled(self, x: Float[Tensor, "n length width"], mask: Bool[Tensor, "n length"]) -> Float[Tensor, "n width"]:
        """The mean over the real tokens."""
        for layer in self.layers:
            x = layer(x, mask)
        real = mask[:, :, None].to(x.dtype)
        return (x * real).sum(1) / real.sum(1)


def read(adapted_layers: int, classes: int) -> tuple[Lower, Upper]:
    """MiniLM, cut where adapters begin. Raises DataError where the package is not here."""
    tensors = load_file(file("model.safetensors"))
    lower, upper = Lower(LAYERS - adapted_layers), Upper(adapted_layers, classes)
    state = {"tokens.weight": "word_embeddings.weight", "places.weight": "position_embeddings.weight"}
    state |= {"norm.weight": "LayerNorm.weight", "norm.bias": "LayerNorm.bias"}
    own = {name: tensors[f"embeddings.{theirs}"] for name, theirs in state.items()}
    own["kind"] = tensors["embeddings.token_type_embeddings.weight"][0]
    lower.load_state_dict(own | _layers(tensors, range(LAYERS - adapted_layers)))
    upper.load_state_dict(upper.state_dict() | _layers(tensors, range(LAYERS - adapted_layers, LAYERS)))
    return lower.eval().requires_grad_(False), upper.requires_grad_(False)


def _layers(tensors: dict[str, Tensor], numbers: range) -> dict[str, Tensor]:
    """Layers of the file under the names of ours, counted from 0."""
    theirs = {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "out": "attention.output.dense",
        "norm_attention": "attention.output.LayerNorm",
        "wide": "intermediate.dense",
        "narrow": "output.dense",
        "norm_wide": "output.LayerNorm",
    }
    return {
        f"layers.{place}.{name}.{kind}": tensors[f"encoder.layer.{number}.{other}.{kind}"]
        for place, number in enumerate(numbers)
        for name, other in theirs.items()
        for kind in ("weight", "bias")
    }
