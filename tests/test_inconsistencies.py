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


def test_swapped_values_put_right_follow_from_table_3(found, published):
    ten, nine = published["photonic_qt.chi10.test"], published["photonic_qt.chi9.test"]
    text = found["inconsistent.swapped_values"].arithmetic
    assert f"= {(4 * ten - 96.50 + 94.17) / 4:.2f} at 10" in text and f"= {(4 * nine - 94.17 + 96.50) / 4:.2f} at 9" in text


def test_summaries_pair_an_accuracy_with_another_sizes_compression(found):
    assert f"6690 / 3292 = {6690 / 3292:.2f}; 6690 / 688 = {6690 / 688:.2f}" == found["inconsistent.tenfold"].arithmetic.replace(
        " (bond dimension 10)", ""
    )


def test_averaging_is_worth_the_ratio_of_variances(found):
    beta = 0.9
    text = found["inconsistent.pqkd.ema"].arithmetic
    assert f"= {(1 - beta) / (1 + beta):.3f} = 1 / {(1 + beta) / (1 - beta):.0f}" in text and f"= {89.05 / 46.68:.2f}" in text


def test_widths_of_the_teacher_have_the_parameters_told(found):
    def parameters(a: int, b: int, c: int) -> int:
        return (25 * a + a) + (9 * a * b + b) + (9 * b * c + c) + (10 * c + 10)

    text = found["inconsistent.pqkd.widths"].arithmetic
    assert all(f"{w!s} has {parameters(*w):,}" in text for w in ((32, 64, 128), (64, 128, 128)))


def test_what_the_second_edition_of_the_plan_lists_is_there(found):
    asked = "swapped_values no_fractions classical_run tenfold epochs optimiser pruning gate_based_test_set pqkd.ema pqkd.control"
    asked += " pqkd.delta_inf pqkd.mixing pqkd.standardisation pqkd.widths"
    assert {f"inconsistent.{name}" for name in asked.split()} <= set(found)


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
