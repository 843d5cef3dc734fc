"""Contradictions within the sources: their arithmetic is recomputed from the published numbers."""

import math
from pathlib import Path

import pytest

from lightweights.report.chapter import chapters
from lightweights.report.claims import ClaimsError, claims_of
from lightweights.report.contradictions import contradiction_rows, contradictions_markdown, contradictions_of, read_contradictions

FILE = Path(__file__).parents[1] / "chapters/quantum_train/contradictions.csv"


@pytest.fixture(scope="module")
def found():
    return {item.id: item for item in contradictions_of(chapters())}


@pytest.fixture(scope="module")
def published():
    return {claim.id: claim.reported_mean for claim in claims_of(chapters())}


def test_relative_loss_follows_from_the_tables(found, published):
    lost = published["classical.test"] - published["photonic_qt.chi4.test"]
    relative = 100 * lost / published["classical.test"]
    for name in ("inconsistent.relative_loss.table", "inconsistent.relative_loss.text"):
        assert f"= {lost:.3f}; " in found[name].arithmetic and f"= {relative:.2f} %" in found[name].arithmetic
    assert relative > published["compression.tenfold.relative_loss"]
    assert not math.isclose(relative, published["compression.tenfold.relative_loss_text"], abs_tol=0.005)


def test_gains_over_the_classical_baselines_follow_from_the_tables(found, published):
    best = published["photonic_qt.chi10.test"]
    text = found["inconsistent.over_classical"].arithmetic
    gains = [best - published["weight_sharing.rows10.test"], best - published["pruning.ratio0.5.test"]]
    assert all(f"= {gain:.3f} over" in text for gain in gains)
    assert not all(6 <= gain <= 12 for gain in gains)


def test_phase_counts_are_those_of_the_three_formulas(found):
    ways = [lambda m: m * (m + 1) // 2, lambda m: 3 * m * (m - 1) // 2, lambda m: sum(3 * ((m - layer % 2) // 2) for layer in range(m - 1))]
    text = found["inconsistent.phase_count"].arithmetic
    for way in ways:
        assert f"{way(9)} + {way(8)} = {way(9) + way(8)}" in text


def test_input_states_of_paper_and_notebooks_differ(found):
    spaced = [k * 8 // 3 for k in range(4)]
    text = found["inconsistent.input_state"].arithmetic
    assert f"1 3 5 7 against {' '.join(map(str, spaced))}" in text


def test_ablation_value_is_that_of_the_claims(found, published):
    text = found["inconsistent.ablation_value"]
    assert str(published["ablation.random.notebooks.test"]) in text.second_says
    assert f"= {published['ablation.random.notebooks.test'] - published['ablation.random.test']:.3f}" in text.arithmetic


def test_every_row_has_two_sources_and_the_verdict(found):
    rows = contradiction_rows(list(found.values()))
    assert set(rows.verdict) == {"inconsistent"} and len(rows) == len(found) >= 9
    assert contradictions_markdown(list(found.values())).count("**inconsistent**") == len(found)


@pytest.mark.parametrize(
    ("change", "message"), [(("2505.08474", "somewhere"), "source 'somewhere'"), (("abstract,", ","), "fields must be filled")]
)
def test_a_broken_row_is_named(tmp_path, change, message):
    text = FILE.read_text().replace(*change)
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ClaimsError, match=f"row 2: .*{message}"):
        read_contradictions(tmp_path / "x.csv", ["2505.08474", "challenge-report", "notebooks", "slides"])
