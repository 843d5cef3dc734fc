"""The network that is adapted: a small causal transformer that foretells tokens (pre-norm, GELU, tied head; Radford et al. 2019)."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

BEGIN = 0
"""The token before the first one: that of padding, which is never foretold."""


class Block(nn.Module):
    """Causal self-attention and a layer of four times the width, each behind a norm and added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_wide = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Float[Tensor, "n length width"]) -> Float[Tensor, "n length width"]:
        """The same shape."""
        n, length, width = x.shape
        normed = self.norm_attention(x)
        q, k, v = (part(normed).view(n, length, self.heads, -1).transpose(1, 2) for part in (self.query, self.key, self.value))
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, length, width)
        x = x + self.out(attended)
        return x + self.narrow(F.gelu(self.wide(self.norm_wide(x))))


class Decoder(nn.Module):
    """Logits of the next token. Row i of the output foretells token i from those before it, so that inputs need not be shifted."""

    def __init__(self, vocabulary: int, length: int, layers: int, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"language.width = {width} is no multiple of language.heads = {heads}")
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if "norm" in name:
                    continue
                parameter.zero_()
                if parameter.dim() > 1:  # those that write into the stream are smaller, as the stream adds them up
                    spread = 0.02 / (2 * layers) ** 0.5 if name.endswith(("out.weight", "narrow.weight")) else 0.02
                    parameter.normal_(std=spread, generator=generator)

    def forward(self, tokens: Int[Tensor, "n length"]) -> Float[Tensor, "n length vocabulary"]:
        """Logits."""
        before = F.pad(tokens[:, :-1], (1, 0), value=BEGIN)
        x = self.tokens(before) + self.places.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.tokens.weight.T


def masked_loss(
    logits: Float[Tensor, "n length vocabulary"], tokens: Int[Tensor, "n length"], mask: Bool[Tensor, "n length"]
) -> Float[Tensor, ""]:
    """Mean cross-entropy of the real tokens in nats: padding is never counted."""
    return F.cross_entropy(logits[mask], tokens[mask])


@torch.no_grad()
def nats_a_token(network: nn.Module, tokens: Int[Tensor, "n length"], mask: Bool[Tensor, "n length"], batch: int = 64) -> float:
    """Mean cross-entropy of all real tokens of some texts, in nats."""
    network.eval()
    total, order = 0.0, mask.sum(1).argsort(stable=True)  # texts of one length together, so that little padding is computed
    for rows in order.split(batch):
        own, real = trimmed(tokens[rows], mask[rows])
        total += float(masked_loss(network(own), own, real)) * int(real.sum())
    return total / int(mask.sum())


def trimmed(tokens: Int[Tensor, "n length"], mask: Bool[Tensor, "n length"]) -> tuple[Int[Tensor, "n shorter"], Bool[Tensor, "n shorter"]]:
    """Without the columns that are padding in all rows."""
    longest = int(mask.sum(1).max())
    return tokens[:, :longest].long(), mask[:, :longest]
