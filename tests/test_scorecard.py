from dataclasses import replace

import pandas as pd
import pytest
from results_made import CLAIMS, made
from synthetic import change_metrics, fabricate, small_study

from chapters.quantum_train.judges import relative_loss
from lightweights.report.chapter import chapters
from lightweights.report.claims import COLUMNS, Claim, ClaimsError, matching_runs, published, read_claims
from lightweights.report.make import write_texts
from lightweights.report.published import deviations, published_settings
from lightweights.report.scorecard import scorecard_markdown
from lightweights.report.statistics import from_numbers, summarise
from lightweights.report.verdicts import judge_bound, judge_value
from lightweights.settings.reading import with_chapters
from lightweights.settings.study import parse_study
from lightweights.study.collect import collect, flatten
from lightweights.study.layout import run_folder

PLAIN = Claim("id", "2603.14898", "Table 1", "table", "teacher", "mnist", "", "test_accuracy_percent", "90", 90.0, None, None, None)


def against(mean, sd, n, *, published_sd=None, published_n=None, quantity="test_accuracy_percent", published_mean=90.0):
    claim = replace(PLAIN, quantity=quantity, reported_mean=published_mean, reported_sd=published_sd, reported_n=published_n)
    return judge_value(claim, from_numbers(mean, sd, n))


# Two arms of n = 3 and equal sd s: Welch has 4 degrees of freedom, and half the interval is 2.7764 * s * sqrt(2/3) = 2.2669 s.
@pytest.mark.parametrize(
    ("difference", "sd", "verdict"),
    [
        (0.0, 5.0, "reproduced"),  # within a point, however wide the interval (11.3)
        (1.0, 5.0, "reproduced"),  # exactly a point
        (-1.0, 0.01, "reproduced"),  # within a point, although the interval excludes 0
        (1.2, 0.80, "reproduced"),  # interval +-1.81: contains 0, narrower than 2
        (-1.9, 0.88, "reproduced"),  # interval +-1.995
        (-1.9, 0.89, "open"),  # interval +-2.018
        (1.2, 1.00, "open"),  # interval +-2.27
        (1.2, 0.52, "higher"),  # interval +-1.18
        (-1.2, 0.52, "lower"),
        (1.2, 0.54, "reproduced"),  # interval +-1.22
        (9.0, 1.00, "higher"),
    ],
)
def test_verdicts_with_welch_intervals_by_hand(difference, sd, verdict):
    assert against(90 + difference, sd, 3, published_sd=sd, published_n=3).verdict == verdict


# The publication's n is unknown: our interval alone, half of it 4.3027 * s / sqrt(3) = 2.4842 s.
@pytest.mark.parametrize(("sd", "verdict"), [(0.60, "higher"), (0.61, "reproduced"), (0.80, "reproduced"), (0.81, "open")])
def test_verdicts_with_our_interval_alone_by_hand(sd, verdict):
    judgement = against(91.5, sd, 3, published_sd=0.35)
    assert judgement.verdict == verdict
    assert judgement.difference.half_width == pytest.approx(2.484137724 * sd)


def test_the_sd_of_the_notebooks_is_converted_before_it_is_used():
    notebook = replace(PLAIN, ddof=0, reported_sd=0.8 / 1.5**0.5, reported_n=3)
    judgement = judge_value(notebook, from_numbers(91.2, 0.8, 3))
    assert judgement.difference.half_width == pytest.approx(2.7764451052 * 0.8 * (2 / 3) ** 0.5)


# For generalisation errors the tolerance is 0.02, and the interval may reach 0.04.
@pytest.mark.parametrize(
    ("ours", "sd", "verdict"),
    [
        (0.169 + 0.0199, 0.5, "reproduced"),
        (0.199, 0.01, "higher"),
        (0.139, 0.01, "lower"),
        (0.199, 0.0175, "reproduced"),
        (0.199, 0.018, "open"),
    ],
)
def test_verdicts_on_generalisation_errors_by_hand(ours, sd, verdict):
    judgement = against(ours, sd, 3, published_sd=sd, published_n=3, quantity="generalisation_error", published_mean=0.169)
    assert judgement.verdict == verdict


@pytest.mark.parametrize(("ours", "verdict"), [(0.2629, "reproduced"), (0.2631, "higher"), (0.2149, "lower")])
def test_cross_entropies_may_differ_by_a_tenth(ours, verdict):
    judgement = against(ours, 1e-6, 3, published_sd=1e-6, published_n=3, quantity="validation_cross_entropy", published_mean=0.239)
    assert judgement.verdict == verdict


def test_fewer_than_three_runs_are_too_few_and_none_are_not_run():
    assert against(90.0, 0.1, 2, published_sd=0.1, published_n=3).verdict == "too few runs"
    assert judge_value(PLAIN, summarise([90.0])).verdict == "too few runs"
    assert judge_value(PLAIN, summarise([])).verdict == "not run"


# sd = 0.2, n = 3: the interval reaches 0.497 to either side.
@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([2.0, 2.2, 2.4], "holds"),
        ([2.3, 2.5, 2.7], "holds"),
        ([2.31, 2.51, 2.71], "open"),
        ([2.8, 3.0, 3.2], "open"),
        ([3.29, 3.49, 3.69], "open"),
        ([3.3, 3.5, 3.7], "fails"),
        ([1.0, 1.0], "too few runs"),
        ([], "not run"),
    ],
)
def test_bounds_by_hand(values, verdict):
    assert judge_bound(3.0, summarise(values), "relative_accuracy_loss_percent_below").verdict == verdict


@pytest.fixture(scope="module")
def claims():
    return CLAIMS


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    study = small_study()
    fabricate(study, results)
    return study, results, collect(study, results)


def set_finals(study, results, experiment, variant, column, values):
    for run in study.runs():
        if (run.experiment, run.variant) == (experiment, variant):
            change_metrics(run_folder(run, results), "final", **{column: values[run.seed]})


def test_every_claim_has_one_row_and_those_of_this_study_come_first(finished, claims):
    study, _, runs = finished
    scores = made(runs, study).scores
    assert sorted(scores.claim) == sorted(claim.id for claim in claims)
    assert list(scores.judgeable) == sorted(scores.judgeable, reverse=True)
    assert list(scores.claim[:3]) == ["classical.train", "classical.test", "classical.gen"]
    rest = scores[~scores.judgeable]
    assert list(rest.dataset == "mnist-partial") == sorted(rest.dataset == "mnist-partial", reverse=True)


def test_published_numbers_of_runs_at_exactly_those_values_are_reproduced(tmp_path, claims):
    study = small_study(protocols=False)
    fabricate(study, tmp_path)
    set_finals(study, tmp_path, "quantum_train", "bond_dim=4", "test600_accuracy_percent", [93.0, 93.3, 93.6])
    row = made(collect(study, tmp_path), study).scores.set_index("claim").loc["photonic_qt.chi4.test"]
    assert row.verdict == "reproduced"
    assert (row.n, row["mean"], row.sd_ddof1) == (3, pytest.approx(93.3), pytest.approx(0.3))
    assert row.difference == pytest.approx(93.3 - 93.292)
    assert row.reported_sd == 0.62 and row.reported_sd_ddof1 == pytest.approx(0.62 * (4 / 3) ** 0.5)


def test_the_papers_test_set_judges_not_the_larger_one(tmp_path, claims):
    study = small_study(protocols=False)
    fabricate(study, tmp_path)
    set_finals(study, tmp_path, "classical", "base", "test10k_accuracy_percent", [10.0, 10.0, 10.0])
    set_finals(study, tmp_path, "classical", "base", "test600_accuracy_percent", [96.8, 96.9, 97.0])
    row = made(collect(study, tmp_path), study).scores.set_index("claim").loc["classical.test"]
    assert row.verdict == "reproduced"


def test_claims_without_runs_are_not_run(finished, claims):
    study, _, runs = finished
    scores = made(runs, study).scores.set_index("claim")
    assert scores.verdict["photonic_qt.chi2.test"] == "not run" and scores.judgeable["photonic_qt.chi2.test"]
    for name in ("pruning.ratio0.5.test", "noise.worst_drop", "teacher.mnist.train_accuracy_percent"):
        assert scores.verdict[name] == "not run" and not scores.judgeable[name]


def test_the_tenfold_compression_is_judged_by_the_loss_paired_by_seed(tmp_path, claims):
    study = small_study(protocols=False)
    fabricate(study, tmp_path)
    set_finals(study, tmp_path, "classical", "base", "test600_accuracy_percent", [96.0, 97.0, 98.0])
    set_finals(study, tmp_path, "quantum_train", "bond_dim=4", "test600_accuracy_percent", [93.6, 94.575, 95.55])
    scores = made(collect(study, tmp_path), study).scores.set_index("claim")
    bound, text = scores.loc["compression.tenfold.relative_loss"], scores.loc["compression.tenfold.relative_loss_text"]
    assert bound["mean"] == pytest.approx(2.5) and bound.sd_ddof1 == pytest.approx(0.0, abs=1e-9)
    assert bound.verdict == "holds" and "3 pairs" in bound.why
    assert text.verdict == "reproduced" and text.difference == pytest.approx(-1.0)


def test_only_seeds_that_both_have_make_pairs(tmp_path, claims):
    tree = {
        "classical": {"method": "classical", "seeds": [0, 1, 2]},
        "quantum_train": {"method": "quantum_train", "seeds": [1, 2, 3, 4], "vary": {"mapping.bond_dim": [4]}},
    }
    study = small_study(experiments=tree)
    fabricate(study, tmp_path)
    runs = collect(study, tmp_path)
    claim = next(c for c in claims if c.id == "compression.tenfold.relative_loss")
    assert list(relative_loss(runs[runs.experiment == "classical"], matching_runs(claim, runs)).index) == [1, 2]
    assert made(runs, study).scores.set_index("claim").verdict[claim.id] == "too few runs"


def test_variants_with_the_same_bond_dimension_are_never_pooled(tmp_path, claims):
    tree = {"quantum_train": {"method": "quantum_train", "seeds": [0, 1, 2], "vary": {"schedule.rounds": [3, 4]}}}
    study = small_study(experiments=tree)
    fabricate(study, tmp_path)
    row = made(collect(study, tmp_path), study).scores.set_index("claim").loc["photonic_qt.chi4.test"]
    assert row.verdict == "not run" and "rounds=3, rounds=4" in row.why


def test_deviations_from_the_notebooks_are_listed():
    runs = small_study(rounds=200).runs()
    classical, gradient = runs[0].settings, runs[3].settings
    of = published_settings(chapters())
    assert deviations(flatten(classical), of["classical"]) == []
    assert deviations(flatten(gradient), of["quantum_train"]) == [
        "phases trained by gradients (20 Adam steps a round), not COBYLA",
        "bias matrices start at the identity with noise of 1e-09, TorchMPS's at the identity itself",
    ]
    cobyla = next(run.settings for run in runs if run.variant.startswith("schedule=cobyla"))
    assert deviations(flatten(cobyla), of["protocols"]) == [
        "bias matrices start at the identity with noise of 1e-09, TorchMPS's at the identity itself",
        "schedule.rounds = 10, not 200",
    ]
    assert deviations(flatten(cobyla), None) == []
    other = small_study(rounds=200, network={"name": "cnn-relu"}, photonics={"mesh": "clements"}).runs()[3].settings
    found = deviations(flatten(other), of["quantum_train"])
    assert "network.name = cnn-relu, not cnn" in found and "photonics.mesh = clements, not notebook" in found


def test_what_distillation_does_otherwise_is_told():
    study = with_chapters({"study": {"chapters": ["distillation"], "only": ["pqkd_student", "pqkd_teacher"]}, "seeds": [0]})
    runs = parse_study(study).runs()
    student = next(run.settings for run in runs if run.experiment == "pqkd_student")
    told = "; ".join(deviations(flatten(student), published_settings(chapters())["pqkd_student"]))
    for words in (
        "input state",
        "rank and widths",
        "fresh validation batches",
        "images split by seed",
        "biases start at random",
        "never run",
    ):
        assert words in told, words


def test_the_markdown_explains_the_rule_counts_verdicts_and_names_sources(finished, claims):
    study, _, runs = finished
    scores = made(runs, study).scores
    text = scorecard_markdown(scores, study, chapters())
    assert "How to read it" in text and "*reproduced*" in text
    assert f"{(scores.verdict == 'not run').sum()} not run" in text and f"**{len(claims)} published numbers" in text
    assert "## challenge-report, Table 3" in text and "phases trained by gradients" in text
    assert "2505.08474, text (as quoted by the MerLin reproduction)" in text
    for claim in claims:
        assert claim.reported in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_a_study_on_other_data_says_so_once_and_judges_nothing(tmp_path, claims):
    study = small_study(dataset="digits", seeds=(0, 1), bond_dims=(2, 4))
    fabricate(study, tmp_path)
    scores = made(collect(study, tmp_path), study).scores
    assert set(scores.verdict) == {"not run"} and len(scores) == len(claims)
    assert "published for mnist-partial; this study trains on digits" in set(scores.why)
    text = scorecard_markdown(scores, study, chapters())
    assert "it trains on digits" in text and len(text.splitlines()) == 3


def test_a_scorecard_without_any_run_says_not_run(tmp_path, claims):
    study = small_study()
    scores = made(collect(study, tmp_path, partial=True), study).scores
    assert set(scores.verdict) == {"not run"}
    assert "33" not in scorecard_markdown(scores, study, chapters()).split("\n\n")[1].replace(str(len(claims)), "")


def test_files_are_the_same_for_the_same_runs(finished, claims, tmp_path):
    study, _, runs = finished
    for name in ("a", "b"):
        write_texts("scorecard", made(runs, study, tmp_path / name))
    for file in ("scorecard.csv", "scorecard.md"):
        assert (tmp_path / "a/made-up" / file).read_bytes() == (tmp_path / "b/made-up" / file).read_bytes()
    written = pd.read_csv(tmp_path / "a/made-up/scorecard.csv").query("verdict != 'inconsistent'")
    assert set(written.claim) == {claim.id for claim in claims if claim.chapter == "quantum_train"}  # the one whose experiments are here


def test_claims_are_read_with_their_types(claims):
    by_id = {claim.id: claim for claim in claims}
    chi4 = by_id["photonic_qt.chi4.test"]
    assert (chi4.at("bond_dim"), chi4.reported_mean, chi4.reported_sd, chi4.reported_n, chi4.reported_parameters) == (
        4,
        93.292,
        0.62,
        4,
        688,
    )
    assert by_id["compression.over_classical"].reported == "6 to 12" and by_id["compression.over_classical"].reported_mean is None
    assert by_id["gate_qt.p1365.test"].reported_n is None and by_id["gate_qt.p1365.test"].sd is None
    assert [c.at("bond_dim") for c in published(claims, "photonic_qt", "test_accuracy_percent", "mnist-partial")] == list(range(1, 11))


HEADER = ",".join(COLUMNS) + "\n"
ROW = "a,notebooks,Fig. 4,notebook,pruning,mnist-partial,,test_accuracy_percent,1,1,3,675,0,pruning,baseline.ratio=0.9\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + ROW.replace(",1,1,3,", ",1,x,3,"), "row 2: reported_sd is 'x'"),
        (HEADER + ROW + ROW, "'a' stands there twice"),
        (HEADER + ROW.replace("675", "675,extra"), "row 2: has another number of fields"),
        (HEADER + ROW.replace("pruning,mnist", ",mnist"), "row 2: method is empty"),
        (HEADER + ROW.replace("baseline.ratio=0.9", "ratio of 0.9"), "expected column=value"),
        (HEADER + ROW.replace("675,0,", "675,2,"), "ddof is '2'"),
        (HEADER.replace("location", "place") + ROW, "columns are"),
    ],
)
def test_a_broken_claims_file_names_row_and_column(tmp_path, text, message):
    (tmp_path / "claims.csv").write_text(text)
    with pytest.raises(ClaimsError, match=message):
        read_claims(tmp_path / "claims.csv")


def test_a_missing_claims_file_is_named(tmp_path):
    with pytest.raises(ClaimsError, match=r"claims.csv: cannot be read"):
        read_claims(tmp_path / "claims.csv")
