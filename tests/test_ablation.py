"""Arms compared seed by seed: the plan's three words on numbers whose answer is known, tables, figures and text."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from results_made import CHAPTERS, made, page_of
from scipy import stats
from synthetic import small_study

from chapters.ablation import figures, tables
from chapters.ablation.arms import ARM_LABELS, compare_arms, differences_asked
from lightweights.mapping import ARMS
from lightweights.report.chapter import catalogue, shown
from lightweights.report.comparisons import word
from lightweights.report.table import to_latex, to_markdown

MEANS = {
    "photonic": 92.0,
    "photonic-frozen": 90.05,
    "mps-only": 90.0,
    "product-free": 92.1,
    "distinguishable": 92.0,
    "gaussian-matched": 90.0,
}


def findings(runs: pd.DataFrame, study) -> str:
    """The page with its lines joined, as readers see it."""
    return page_of("ablation", made(runs, study))


def row(arm: str | None, seed: int, accuracy: float, bond_dim: int = 4, **other) -> dict:
    return {
        "experiment": "ablation", "variant": f"bond_dim={bond_dim},arm={arm}", "seed": seed, "method": "quantum_train",
        "dataset": "mnist-partial", "network": "cnn", "bond_dim": bond_dim, "arm": arm, "protocol": "gradient", "rounds": 60,
        "mapping_epochs": 5, "device": "cpu: made up", "test600_accuracy_percent": accuracy + 0.2, "test10k_accuracy_percent": accuracy,
        "last10_test10k_accuracy_percent": accuracy,
        "parameters_trained_published": 688, "parameters_trained_used": 667, "parameters_trained_effective": 575,
        "parameters_phases_effective": 79, "photonics.mesh": "notebook", "photonics.input_state": "spaced",
        "photonics.circuits": "[[9, 4], [8, 4]]", "photons_moved_total_variation": 0.4 if arm == "photonic" else np.nan,
        "photons_random_total_variation": 0.8, "photons_variance_share_of_term": 0.7, "photons_variance_share_of_pattern": 0.6,
        "photons_effective_phases_at_start": 79.0, "photons_trained_accuracy_percent": accuracy, "photons_shuffled_accuracy_percent": 10.0,
        "photons_ones_accuracy_percent": 11.0, "photons_redrawn_accuracy_percent": 9.0,
    } | other  # fmt: skip


def frame(rows: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype({c: "Int64" for c in ("bond_dim", "rounds")} | {"arm": "str"})


@pytest.fixture
def runs() -> pd.DataFrame:
    """Six arms, five seeds: a seed's own level is shared by all arms, so that only pairing shows the small differences."""
    noise = np.random.default_rng(0)
    levels = noise.normal(0, 6, 5)
    main = [row(arm, seed, mean + levels[seed] + noise.normal(0, 0.1)) for arm, mean in MEANS.items() for seed in range(5)]
    few = [row(arm, seed, 10.0, experiment="other_arms") for arm in ("paper-random",) for seed in range(3)]
    few += [row("gaussian-fixed", seed, 90.0, experiment="other_arms") for seed in range(3)]
    sweep = [row(None, seed, 91.0 + seed, experiment=name) for name in ("circuits", "meshes") for seed in range(2)]
    return frame(main + few + sweep)


def test_pairing_finds_what_the_spread_between_seeds_hides(runs) -> None:
    table = compare_arms(runs, "mps-only").set_index("arm")
    assert table.word["photonic"] == "differs" and table.word["product-free"] == "differs"
    assert table.word["photonic-frozen"] == "equivalent" and table.word["gaussian-matched"] == "equivalent"
    assert table["mean"]["photonic"] == pytest.approx(2.0, abs=0.2)
    values = runs[runs.experiment == "ablation"].pivot(index="seed", columns="arm", values="test10k_accuracy_percent")
    expected = stats.ttest_rel(values["photonic"], values["mps-only"])
    assert table.p["photonic"] == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (table.ci95_low["photonic"], table.ci95_high["photonic"]) == pytest.approx((interval.low, interval.high))
    assert stats.ttest_ind(values["photonic"], values["mps-only"]).pvalue > 0.05


def test_correction_runs_over_the_comparisons_that_are_tested(runs) -> None:
    table = compare_arms(runs, "mps-only")
    tested = table[table.n >= 5].sort_values("p")
    stepped = np.maximum.accumulate(tested.p.to_numpy() * np.arange(len(tested), 0, -1)).clip(max=1)
    assert tested.p_holm.to_numpy() == pytest.approx(stepped)
    assert table[table.n < 5].p_holm.isna().all() and set(table[table.n < 5].word) == {"open"}


def test_arms_are_compared_within_one_setting_only(runs) -> None:
    other = frame([row("photonic", seed, 50.0, bond_dim=1) for seed in range(5)])
    assert set(compare_arms(pd.concat([runs, other]), "mps-only").bond_dim) == {4}
    longer = frame([row("mps-only", seed, 99.0, rounds=200) for seed in range(5)])
    pd.testing.assert_frame_equal(compare_arms(pd.concat([runs, longer]), "mps-only"), compare_arms(runs, "mps-only"))


@pytest.mark.parametrize(
    ("n", "p_holm", "p_equivalence", "expected"),
    [
        (5, 0.04, 0.9, "differs"),
        (5, 0.06, 0.04, "equivalent"),
        (5, 0.06, 0.06, "open"),
        (4, 0.001, 0.001, "open"),
        (5, 0.01, 0.01, "differs"),
    ],
)
def test_three_words(n, p_holm, p_equivalence, expected) -> None:
    assert word(n, p_holm, p_equivalence) == expected


def test_every_arm_has_a_label() -> None:
    assert set(ARM_LABELS) == set(ARMS)


def test_table_has_a_row_an_arm_and_both_references(runs) -> None:
    table = tables.ablation(made(runs))
    assert list(table.display.Arm)[:2] == ["photons, trained", "photons, frozen"] and len(table.display) == 8
    mine = table.data.set_index("arm")
    assert mine.minus_mps_only_word["photonic"] == "differs"
    assert mine["mean"]["photonic"] == pytest.approx(
        runs[(runs.arm == "photonic") & (runs.experiment == "ablation")].test10k_accuracy_percent.mean()
    )
    assert "differs" in to_markdown(table) and r"\begin{tabular}" in to_latex(table)
    assert tables.ablation(made(runs[runs.experiment == "circuits"])) is None


def test_circuits_are_told_with_their_spread(runs) -> None:
    table = tables.circuits(made(runs))
    assert list(table.display["Modes, photons of each circuit"]) == ["(9, 4), (8, 4)"] * 2 and list(table.display.n) == ["2", "2"]
    assert list(table.data["mean"]) == [91.5, 91.5] and list(table.display["Effective phases"]) == ["79", "79"]
    assert tables.circuits(made(runs[runs.experiment == "ablation"])) is None


@pytest.mark.whole
def test_photons_are_set_against_a_larger_product_state_of_as_many_numbers(runs) -> None:
    assert "which a larger matrix product state could have instead" not in findings(runs, small_study())
    larger = frame([row("mps-only", seed, 95.0, bond_dim=7, parameters_trained_used=600) for seed in range(5)])
    text = findings(pd.concat([runs, larger]), small_study())
    own = runs[(runs.arm == "photonic") & (runs.experiment == "ablation")].test10k_accuracy_percent
    assert f"photons at bond dimension 4 (667 numbers) minus MPS only at 7 (600): {own.mean() - 95:.2f} [" in text
    assert "effective as counted above they are 575 beside " in text and "machines of different kinds" not in text
    assert "in the mean of the last 10 rounds" in text.split("photons at bond dimension 4 (667 numbers)")[1].split(".\n")[0]
    elsewhere = findings(pd.concat([runs, larger.assign(device="cuda: H200")]), small_study())
    assert "5 of these 5 pairs were trained on machines of different kinds" in elsewhere
    nearer = frame([row("mps-only", seed, 94.0, bond_dim=8, parameters_trained_used=700) for seed in range(5)])
    text = findings(pd.concat([runs, larger, nearer]), small_study())
    assert f"minus MPS only at 8 (700): {own.mean() - 94:.2f} [" in text and "MPS only at 7" not in text


def test_interference_is_told_by_intervals_alone(runs) -> None:
    assert "minus distinguishable ones all contain 0. The plan fixed no word" in findings(runs, small_study())
    worse = runs.copy()
    worse.loc[worse.arm == "distinguishable", "test10k_accuracy_percent"] -= 5
    assert "minus distinguishable ones lie wholly above 0 at bond dimension 4." in findings(worse, small_study())


@pytest.mark.whole
def test_findings_say_what_the_numbers_say(runs) -> None:
    text = findings(runs, small_study())
    assert "better than MPS only (P = 1), by more than chance explains" in text
    assert "trained photons and free product vectors are equivalent" in text or "comparison with free product vectors is open" in text
    assert "published collapse is reproduced (10.0 % of MNIST's 10,000 test images at bond dimension 4, n = 3)" in text
    assert "90.0 % with random numbers that stay (n = 3)" in text
    assert "Trained photons add" in text and "shown at bond dimension 4" in text
    assert "by the last round alone" not in text and "Numbers are not equal" not in text and "All this is exploratory" not in text
    more = runs.copy()
    more.loc[more.arm == "product-free", "parameters_trained_effective"] = 661
    told = "Numbers are not equal: effective in all (of the mapping all numbers are counted, also "
    told += "[those that leave the weights as they are](../../docs/ablation.md#reading-the-comparison)), "
    told += "at bond dimension 4, are 575 with photons, 575 without, 661 with ordinary ones"
    assert told in findings(more, small_study())
    assert "Photons that are not trained, minus MPS only (P = 1), by bond dimension: " in text and "(equivalent) at 4." in text
    lower = runs.copy()
    own = (lower.arm == "photonic") & (lower.experiment == "ablation")
    lower.loc[own, "test10k_accuracy_percent"] -= 4
    assert "worse than MPS only" in findings(lower, small_study())
    alive = runs.copy()
    alive.loc[alive.arm == "paper-random", "test10k_accuracy_percent"] = 80.0
    assert "published collapse" not in findings(alive, small_study())


def test_what_hangs_on_the_last_round_is_told(runs) -> None:
    assert "mean of the last 10 rounds, " not in findings(runs, small_study())
    later = runs.copy()
    own = (later.arm == "photonic") & (later.experiment == "ablation")
    later.loc[own, "last10_test10k_accuracy_percent"] -= 2
    told = "Judged by the mean of the last 10 rounds, bond dimension 4 minus MPS only (P = 1) would be equivalent, not differs"
    assert told in findings(later, small_study())
    assert "(at 4 by the last round alone, not by the mean of the last ten)" in findings(later, small_study())


def test_words_are_provisional_until_all_differences_have_landed(runs) -> None:
    arms = [arm for arm in MEANS if arm != "mps-only"]
    seeds = {"method": "quantum_train", "seeds": list(range(5))}
    asked = {"ablation": seeds | {"vary": {"mapping.bond_dim": [4, 7], "photonics.arm": [*arms, "mps-only"]}}}
    asked["other_arms"] = {"method": "quantum_train", "seeds": [0, 1, 2], "vary": {"photonics.arm": ["gaussian-fixed", "mps-only"]}}
    study = small_study(experiments=asked)
    assert differences_asked(study, "mps-only") == 2 * len(arms)
    assert "5 of 10 differences have landed" in findings(runs, study)
    del asked["ablation"]["vary"]["mapping.bond_dim"]
    assert "differences have landed" not in findings(runs, small_study(experiments=asked))


def test_findings_without_runs_say_so(runs) -> None:
    assert "no runs of the ablation yet" in findings(runs[runs.experiment == "circuits"], small_study())


@pytest.mark.parametrize("shape", ["all", "one seed", "nothing"])
@pytest.mark.parametrize("name", CHAPTERS["ablation"].figures)
def test_figures_are_drawn_for_every_shape_within_their_frame(runs, name, shape) -> None:
    part = {"all": runs, "one seed": runs[runs.seed == 0], "nothing": runs.iloc[:0]}[shape]
    figure = getattr(figures, name)(made(part))
    assert figure.get_figwidth() in (3.4, 7.0)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for artist in [*figure.legends, *(axis.xaxis.label for axis in figure.axes)]:
        box = artist.get_window_extent(canvas.get_renderer())
        assert box.x0 >= figure.bbox.x0 - 1 and box.x1 <= figure.bbox.x1 + 1


def test_photons_table_shows_movement_and_what_remains(runs) -> None:
    table = tables.photons(made(runs))
    found = table.data.set_index("quantity")["mean"]
    assert found["moved_total_variation"] == pytest.approx(0.4) and found["shuffled_accuracy_percent"] == 10
    assert "70.00" in to_markdown(table)
    assert tables.photons(made(runs.drop(columns="photons_moved_total_variation"))) is None


def test_tables_and_figures_are_shown_where_one_of_their_experiments_is() -> None:
    assert shown(catalogue("tables"), {"classical"}) == ["classical"]
    assert "arms" in shown(catalogue("figures"), {"other_arms"}) and "ablation" not in shown(catalogue("figures"), {"other_arms"})
