"""Comparisons of like with like: what would settle a row, corrections over a source, contrasts named in settings, equal training."""

import csv
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from results_made import CLAIMS, made, page_of
from scipy import stats
from synthetic import change_metrics, fabricate, small_study
from test_compression import row

from chapters.ablation.figures import confirmation as confirmation_figure
from chapters.ablation.tables import confirmation
from lightweights.report.chapter import chapters
from lightweights.report.claims import Claim
from lightweights.report.contrasts import compare_contrasts
from lightweights.report.forest import LONGEST, forest, forest_rows, in_columns
from lightweights.report.scorecard import holm_by_source
from lightweights.report.statistics import bootstrap, from_numbers, improvement, one_sided, seeds_needed, sign_test, summarise
from lightweights.report.verdicts import Evidence, corrected, judge_value
from lightweights.report.words import in_words
from lightweights.settings.chapters import HOME
from lightweights.settings.reading import load_study
from lightweights.study.collect import collect, read_runs
from lightweights.study.layout import run_folder
from lightweights.study.plan import read_study

PLAIN = Claim("id", "source", "Table", "table", "method", "mnist", "", "test_accuracy_percent", "90", 90.0, 1.0, 3, None)
PAPER = Path("results/paper")


def test_seeds_needed_are_the_least_at_which_the_interval_is_narrow_enough() -> None:
    n = seeds_needed(2.0, 1.5)
    halves = [stats.t.ppf(0.975, k - 1) * 2.0 / math.sqrt(k) for k in (n - 1, n)]
    assert halves[0] > 1.5 >= halves[1]


def test_no_number_of_seeds_settles_what_the_published_spread_alone_leaves_open() -> None:
    published = from_numbers(90.0, 1.0, 3)  # its own half width: 4.303 / sqrt(3) = 2.484
    assert seeds_needed(0.5, 2.0, published) is None
    assert seeds_needed(0.5, 2.6, published) is not None
    told = judge_value(PLAIN, from_numbers(91.9, 0.5, 3))
    assert told.verdict == "open" and told.settles.startswith("no number of our seeds: the published spread (n = 3)")


def test_a_difference_that_does_not_survive_holm_is_open() -> None:
    claim = replace(PLAIN, reported_sd=0.1)
    alone = judge_value(claim, from_numbers(91.2, 0.3, 3))
    assert alone.verdict == "higher" and 0.005 < alone.difference.p < 0.05
    claims = [replace(claim, id=str(k)) for k in range(20)]
    same = judge_value(claim, from_numbers(90.1, 0.3, 3))
    found = [(one, True, Evidence(alone if k == 0 else same, from_numbers(91.2, 0.3, 3))) for k, one in enumerate(claims)]
    p, family = holm_by_source(found)
    assert family["source"] == 20 and p["0"] == pytest.approx(min(1, 20 * alone.difference.p))
    judged = corrected(alone, p["0"], claim, from_numbers(91.2, 0.3, 3), 20)
    assert judged.verdict == "open" and "20 direct comparisons" in judged.why and judged.settles
    assert corrected(alone, 0.01, claim, from_numbers(91.2, 0.3, 3), 20) is alone


def test_signs_bootstrap_improvement_and_one_sided_bounds_by_hand() -> None:
    assert sign_test([1.0] * 10) == (10, 10, pytest.approx(2 / 2**10))
    assert sign_test([0.0, 1.0, -1.0])[:2] == (1, 2)
    values = [1.0, 2.0, 6.0]
    low, high = bootstrap(values)
    assert (low, high) == bootstrap(values) and 1.0 <= low < 3.0 < high <= 6.0
    assert improvement([1, 2], [1, 0]) == (0.5 + 1 + 1 + 1) / 4
    own = summarise([1.0, 2.0, 3.0])
    assert one_sided(own)[1] == pytest.approx(2 + stats.t.ppf(0.95, 2) / math.sqrt(3))


def test_runs_of_one_value_are_told_as_such(tmp_path) -> None:
    study = small_study(protocols=False)
    fabricate(study, tmp_path)
    for run in study.runs():
        if run.variant == "bond_dim=4":
            change_metrics(run_folder(run, tmp_path), "final", test600_accuracy_percent=93.5)
    results = made(collect(study, tmp_path), study, tmp_path)
    assert "93.50 (3 runs with the same value)" in page_of("quantum_train", results)


def test_published_numbers_put_right_by_their_own_arithmetic() -> None:
    printed = {claim.id: claim.reported_mean for claim in CLAIMS}
    with (HOME / "quantum_train/corrections.csv").open() as file:
        right = {row["claim"]: float(row["mean"]) for row in csv.DictReader(file)}
    assert right["photonic_qt.chi10.test"] == pytest.approx((4 * printed["photonic_qt.chi10.test"] - 96.50 + 94.17) / 4)
    assert right["photonic_qt.chi9.test"] == pytest.approx((4 * printed["photonic_qt.chi9.test"] - 94.17 + 96.50) / 4)
    assert all((600 * value / 100) % 1 > 0.1 for value in (52.10, 84.40))  # no whole number of images


def test_gate_based_accuracies_come_from_another_test_set() -> None:
    """Means of three runs on 600 images are whole numbers of 1800 images, but for runs told to a hundredth and means to a thousandth."""

    def whole(claim, images: int) -> bool:
        room = images * claim.reported_n * (0.005 + 0.0005) / 100
        count = images * claim.reported_n * claim.reported_mean / 100
        return abs(count - round(count)) < room

    accuracies = [claim for claim in CLAIMS if claim.quantity == "test_accuracy_percent" and claim.reported_n == 3]
    gate = [claim for claim in accuracies if claim.method == "gate_based_qt"]
    others = [claim for claim in accuracies if claim.method in ("weight_sharing", "pruning")]
    assert (len(gate), len(others)) == (10, 10) and all(whole(claim, 600) for claim in others)
    assert sum(whole(claim, 600) for claim in gate) <= 1  # 29 of the 30 runs are none
    assert 30 - sum(abs(60 * claim.reported_mean - round(60 * claim.reported_mean)) > 0.03 for claim in gate) == 27  # of 2,000 images


def test_gate_based_numbers_are_not_comparable_and_ours_stands_beside() -> None:
    gate = [claim for claim in CLAIMS if claim.method == "gate_based_qt"]
    study = small_study(experiments={"gate_qt": {"method": "baseline", "baseline": {"kind": "gate_qt"}, "seeds": [0, 1, 2]}})
    runs = [
        row("gate_qt", seed, claim.reported_mean + (seed - 1) / 10, variant=claim.id, parameters_trained_used=claim.reported_parameters)
        for claim in gate  # level with the published, which would be reproduced if they were of the same images
        for seed in range(3)
    ]
    found = made(pd.DataFrame(runs), study).scores
    found = found[found.method == "gate_based_qt"]
    assert len(found) == 11 and set(found.verdict) == {"not comparable"} and set(found.n) == {3}
    assert found["mean"].tolist() == pytest.approx([claim.reported_mean for claim in gate])
    assert found.why.str.contains("29 are no fractions of 600").all()
    assert found.why.str.contains("the slide's mean").tolist() == [claim.source == "slides" for claim in gate]


def confirmed_study(**seeds):
    arms = ["photonic", "mps-only", "product-free", "distinguishable"]
    contrasts = {"of": "photonics.arm", "value": "last10", "margin": 0.5}
    contrasts |= {"primary": [["photonic", arm] for arm in arms[1:]], "secondary": [["distinguishable", "mps-only"]]}
    one = {"method": "quantum_train", "seeds": list(range(5, 15)), "contrasts": contrasts}
    one |= {"override": {"schedule.rounds": 12}, "vary": {"mapping.bond_dim": [1, 4, 10], "photonics.arm": arms}}
    return small_study(experiments={"confirmation": one} | {"classical": {"method": "classical", "seeds": [0]}})


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory):
    root, study = tmp_path_factory.mktemp("confirmed"), confirmed_study()
    fabricate(study, root)
    rng = np.random.default_rng(1)
    level = {"photonic": 80.0, "mps-only": 70.0, "product-free": 80.0, "distinguishable": 80.6}
    for run in study.runs():
        if run.experiment == "confirmation":
            arm = run.settings.photonics.arm
            wide = 3.0 if arm == "distinguishable" else 0.1
            change_metrics(run_folder(run, root), "last10", test10k_accuracy_percent=level[arm] + rng.normal(0, wide))
    return made(collect(study, root), study, root)


def test_contrasts_have_words_over_the_whole_family(confirmed) -> None:
    table = compare_contrasts(confirmed, "confirmation")
    primary = table[table.kind == "primary"]
    assert len(primary) == 9 and set(primary.n) == {10}
    words = primary.groupby("second").word.unique().map(set)
    assert words["mps-only"] == {"differs"} and words["product-free"] == {"equivalent"} and words["distinguishable"] == {"open"}
    ordered = primary.sort_values("p")
    assert ordered.p_holm.iloc[0] == pytest.approx(min(1, 9 * ordered.p.iloc[0]))
    assert set(table[table.kind == "secondary"].word) == {""}


def test_contrasts_that_have_not_landed_still_count_in_the_family(confirmed) -> None:
    runs = confirmed.runs
    part = replace(confirmed, runs=runs[(runs.experiment != "confirmation") | (runs.bond_dim == 4)])
    table = compare_contrasts(part, "confirmation")
    best = table[table.kind == "primary"].sort_values("p").iloc[0]
    assert best.p_holm == pytest.approx(min(1, 9 * best.p))


def test_the_confirmation_has_a_table_a_figure_and_words(confirmed) -> None:
    assert len(confirmation(confirmed).display) == 12
    assert len(confirmation_figure(confirmed).axes) == 3
    page = page_of("ablation", confirmed)
    assert "Confirmation on fresh seeds" in page and "**equivalent**" in page


@pytest.mark.whole
def test_the_second_edition_asks_for_what_the_plan_fixes() -> None:
    second = load_study(Path("params.yaml"))
    contrasts = second.experiments["confirmation"].contrasts
    assert contrasts is not None and contrasts.value == "last10" and contrasts.margin == 0.5
    assert contrasts.primary == [("photonic", arm) for arm in ("mps-only", "product-free", "distinguishable", "classical-light")]
    runs = [run for run in second.runs() if run.experiment == "confirmation"]
    assert len(runs) == 6 * 3 * 10 and {run.seed for run in runs} == set(range(5, 15))
    for name in ("noise_none", "noise_g2", "noise_mps_only", "noise_base_device"):
        assert second.experiments[name].seeds == list(range(8))


def test_equal_training_is_equal_and_measured_now_and_then() -> None:
    runs = [run for run in load_study(Path("params.yaml")).runs() if run.experiment.startswith("long_")]
    assert len(runs) == 6 * 2 * 5
    assert {(run.settings.schedule.epochs, run.settings.schedule.measure_every) for run in runs} == {(1000, 5)}


def test_the_picture_of_all_claims_measures_in_tolerances() -> None:
    row = {name: [""] for name in ("independent", "put_right", "settles", "why", "deviations")}
    row |= {
        "dataset": ["mnist-partial"],
        "chapter": ["quantum_train"],
        "method": ["photonic_qt"],
        "setting": ["bond_dim=4"],
        "quantity": ["generalisation_error"],
    }
    row |= {"verdict": ["reproduced"], "n": [3], "reported": ["0.10"], "reported_sd_ddof1": [0.01], "reported_n": [3], "mean": [0.13]}
    row |= {"ci95_low": [0.11], "ci95_high": [0.15], "independent_mean": [0.08], "difference_low": [0.01], "difference_high": [0.05]}
    found = forest_rows(pd.DataFrame(row | {"reported_parameters": [688]})).iloc[0]
    assert (found.ours, found.low, found.independent) == (pytest.approx(1.5), pytest.approx(0.5), pytest.approx(-1.0))


def test_what_the_picture_of_all_claims_leaves_out_is_counted_below_it() -> None:
    runs, study = read_runs(PAPER / "runs.csv"), read_study(PAPER / "settings/study.json")
    results = made(runs, study, PAPER.parent)
    judged = results.scores[(results.scores.n > 0) & (results.scores.verdict != "not run")]
    ranges = [row.claim for row in judged.itertuples() if not re.fullmatch(r"-?[\d.]+", row.reported) or float(row.reported) == 0]
    assert "compression.over_classical" in ranges
    assert f"{len(ranges)} judged ranges and bounds" in forest(results).legends[0].get_title().get_text()


def test_what_stands_beside_claims_is_read_and_known() -> None:
    from lightweights.report.beside import independent_of

    found = independent_of(chapters())
    assert [found[f"photonic_qt.chi{chi}.train"][0].mean for chi in (1, 10)] == [49.7, 98.5]
    assert "random inputs that stay fixed do not collapse" in found["ablation.random.test"][0].says


def test_a_heading_of_the_forest_stands_with_what_it_heads() -> None:
    assert in_columns(["A", 1, 2, "B", 3, 4]) == [["A", 1, 2], ["B", 3, 4]]  # the middle would part B from its rows
    assert in_columns(["A", 1, 2, 3, 4, "B", 5]) == [["A", 1, 2, 3], ["A, continued", 4, "B", 5]]
    assert in_columns(["A", 1, "B", 2, 3]) == [["A", 1], ["B", 2, 3]]
    assert in_columns([]) == [[], []]
    assert in_columns(["A", 1, 2, 3, "B", 4], {1: "a\nb\nc\nd\ne"}) == [["A", 1], ["A, continued", 2, 3, "B", 4]]  # of five lines


def test_names_of_the_forest_are_told_to_their_end() -> None:
    row = {name: [""] * 2 for name in ("independent", "put_right", "settles", "why", "deviations")}
    row |= {"dataset": ["none"] * 2, "chapter": ["cuts"] * 2, "method": ["multilevel"] * 2, "quantity": ["pairs_2", "pairs_4"]}
    row |= {"setting": ["circuits with phases of one size, processors=2", "processors=4"]}
    row |= {"verdict": ["open"] * 2, "n": [3] * 2, "reported": ["7", "8"]}
    row |= {"reported_sd_ddof1": [None] * 2, "reported_n": [None] * 2, "mean": [7.0, 8.0], "ci95_low": [6.9] * 2, "ci95_high": [7.1] * 2}
    row |= {"independent_mean": [math.nan] * 2, "reported_parameters": [688] * 2}
    labels = list(forest_rows(pd.DataFrame(row)).label)
    assert [" ".join(label.split("\n")) for label in labels] == [
        "circuits with phases of one size, processors 2, pairs 2",
        "processors 4, pairs 4",
    ]
    assert max(len(line) for label in labels for line in label.split("\n")) <= LONGEST


def test_what_is_published_of_several_data_sets_is_named_with_its_own() -> None:
    rows = pd.DataFrame(
        {"method": "teacher", "setting": setting, "quantity": "train_accuracy_percent", "dataset": dataset}
        for setting, dataset in (("", "mnist"), ("", "fashion-mnist"), ("wide", "mnist"))
    )
    first, second, alone = rows.itertuples()
    told = [in_words(row, {}, rows.itertuples()) for row in (first, second, alone)]
    assert told == ["mnist, teacher, train accuracy", "fashion-mnist, teacher, train accuracy", "teacher, wide, train accuracy"]
    results = made(read_runs(PAPER / "runs.csv"), read_study(PAPER / "settings/study.json"), PAPER.parent)
    labels = forest_rows(results.scores[results.scores.chapter == "distillation"]).label
    assert not labels.duplicated().any() and labels.str.startswith("fashion-mnist").sum() > 1
