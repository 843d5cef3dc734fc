"""Table 4 and Figure 4: our numbers and the published ones meet where they belong; the claim about gains is judged by its rule."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from results_made import CLAIMS, made, page_of
from synthetic import small_study

from chapters.compression import RATES, figures, tables
from chapters.compression.facts import at_equal_numbers, phase_steps
from chapters.compression.tables import METHODS
from lightweights.report.claims import matching_runs
from lightweights.report.statistics import Difference
from lightweights.report.table import to_latex, to_markdown
from lightweights.report.verdicts import judge_range
from lightweights.settings.reading import load_study

SIZES = {"weight_sharing": 4770, "pruning": 3370, "gate_qt": 1367, "low_rank": 1024, "quantum_train": 3271, "merlin_variant": 342}


def row(experiment: str, seed: int, accuracy: float, **other) -> dict:
    rounds = {"quantum_train": (200, 5), "merlin_variant": (10, 0)}.get(experiment, (None, None))
    return {
        "rounds": rounds[0], "mapping_epochs": rounds[1], "epochs": None if rounds[0] else 50,
        "experiment": experiment, "variant": "v=1", "seed": seed, "dataset": "mnist-partial", "network": "cnn", "arm": None,
        "bond_dim": 10 if experiment == "quantum_train" else None,
        "parameters_target": 6690, "parameters_trained_used": SIZES.get(experiment),
        "train_accuracy_percent": accuracy, "test600_accuracy_percent": accuracy, "test10k_accuracy_percent": accuracy + 0.5,
        "test600_generalisation_error": 0.1, "test10k_generalisation_error": 0.1,
        "baseline.rows": 10 if experiment == "weight_sharing" else None, "baseline.ratio": 0.5 if experiment == "pruning" else None,
    } | other  # fmt: skip


@pytest.fixture
def runs() -> pd.DataFrame:
    levels = {"weight_sharing": 88.0, "pruning": 94.0, "gate_qt": 92.0, "low_rank": 93.0, "quantum_train": 95.5, "merlin_variant": 9.0}
    rows = [row(name, seed, level + 0.1 * seed) for name, level in levels.items() for seed in range(3)]
    return pd.DataFrame(rows).astype(dict.fromkeys(("bond_dim", "rounds", "mapping_epochs", "epochs"), "Int64") | {"arm": "str"})


def test_how_long_each_was_trained_is_told(runs) -> None:
    epochs = tables.compression(made(runs)).display.set_index("Method").Epochs
    assert (epochs["photonic QT"], epochs["pruning at the start"], epochs["MerLin's photonic variant"]) == ("1000", "50", "10 rounds")


def test_published_numbers_stand_beside_the_same_method_and_size(runs) -> None:
    table = tables.compression(made(runs))
    found = table.data[table.data.quantity == "test600_accuracy_percent"].set_index("experiment")
    assert found.published_mean["weight_sharing"] == 88.666 and found.published_mean["pruning"] == 94.443
    assert np.isnan(found.published_mean["gate_qt"])  # of another test set
    assert found.published_mean["quantum_train"] == 95.502
    assert np.isnan(found.published_mean["low_rank"])
    assert found["mean"]["pruning"] == pytest.approx(94.1) and found.compression["pruning"] == pytest.approx(6690 / 3370)
    assert table.data[table.data.quantity == "test10k_accuracy_percent"].published_mean.isna().all()
    assert "94.44 ± 1.13" in to_markdown(table)  # the sd with ddof = 1
    assert r"\begin{tabular}" in to_latex(table)


def test_the_nearest_size_of_each_method_stands_beside_photons_of_as_many_numbers(runs) -> None:
    further = runs[runs.experiment == "pruning"].assign(variant="v=2", parameters_trained_used=3130, test10k_accuracy_percent=50.0)
    small = runs[runs.experiment == "quantum_train"].assign(variant="v=3", bond_dim=1, parameters_trained_used=202)
    (size,) = at_equal_numbers(pd.concat([runs, further, small]), "test10k_accuracy_percent")
    assert size.bond_dim == 10 and set(size.methods) == {"quantum_train", "pruning"}
    assert size.others == {"higher": [], "lower": ["pruning"], "open": []}
    assert (size.methods["pruning"].numbers, size.methods["pruning"].accuracy.mean) == (3370, pytest.approx(94.6))
    text = page_of("compression", made(pd.concat([runs, further, small])))
    assert re.search(r"\| photonic QT \| 96.10 ± 0.10 \(3271, \d+ epochs, n = 3\) \|", " ".join(text.split()))
    assert re.search(r"\| pruning at the start \| 94.60 ± 0.10 \(3370, \d+ epochs, n = 3\) \|", " ".join(text.split()))


def test_methods_that_no_size_of_the_page_has_have_no_row(runs) -> None:
    photons, pruned, variant = (runs[runs.experiment == name] for name in ("quantum_train", "pruning", "merlin_variant"))
    sizes = [pd.concat([photons.assign(bond_dim=k), pruned, pruned.assign(experiment="low_rank")]) for k in (4, 6, 8, 10)]
    sizes.append(pd.concat([photons.assign(bond_dim=1), variant.assign(experiment="merlin_cnn")]))  # one more than there is room for
    every = pd.concat([own.assign(variant=f"v={k}", parameters_trained_used=2**k * 300) for k, own in enumerate(sizes)])
    assert "merlin_cnn" in {name for size in at_equal_numbers(every, "test10k_accuracy_percent") for name in size.methods}
    table = [line for line in page_of("compression", made(every)).splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in table[2:]] == ["photonic QT", "pruning at the start", "low rank"]


def test_sizes_further_away_than_a_hundredth_stand_alone(runs) -> None:
    runs.loc[runs.experiment == "gate_qt", "parameters_trained_used"] = 1390
    data = tables.compression(made(runs)).data
    assert data[data.experiment == "gate_qt"].published_mean.isna().all()
    claim = next(c for c in CLAIMS if c.id == "gate_qt.p1365.test")
    assert matching_runs(claim, runs).empty


def test_without_baselines_there_is_no_table(runs) -> None:
    assert tables.compression(made(runs[runs.experiment == "quantum_train"])) is None


def test_figure_shows_ours_and_the_published_within_its_frame(runs) -> None:
    figure = figures.compression(made(runs))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    labels = [text.get_text() for axis in figure.axes for text in axis.get_legend().get_texts()]
    assert METHODS["pruning"] in labels and "hollow: published" in labels and METHODS["low_rank"] in labels
    for axis in figure.axes:
        box = axis.xaxis.label.get_window_extent(canvas.get_renderer())
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("gains", "n", "verdict"),
    [
        ([(7, 6.5, 7.5), (8, 7, 9)], 3, "holds"),
        ([(7, 6.5, 7.5), (1, 0.5, 1.5)], 3, "fails"),
        ([(7, 6.5, 7.5), (6, 5, 7)], 3, "open"),
        ([(7, 6.5, 7.5), (8, 7, 9)], 2, "too few runs"),
        ([(7, 6.5, 7.5), (8, 7, 9)], 0, "not run"),
    ],
)
def test_a_claim_of_a_range_is_judged_by_all_its_intervals(gains, n, verdict) -> None:
    named = {str(k): Difference(*gain) for k, gain in enumerate(gains)}
    assert judge_range((6, 12), named, n).verdict == verdict


def test_scorecard_judges_baselines_and_the_claimed_gain(runs) -> None:
    study = small_study(
        experiments={
            "quantum_train": {"method": "quantum_train", "seeds": [0, 1, 2]},
            "pruning": {"method": "baseline", "baseline": {"kind": "pruning"}, "seeds": [0, 1, 2]},
            "weight_sharing": {"method": "baseline", "baseline": {"kind": "weight_sharing"}, "seeds": [0, 1, 2]},
        }
    )
    own = runs[runs.experiment.isin(study.experiments)].assign(variant="base")
    scores = made(own, study).scores.set_index("claim")
    assert scores.verdict["pruning.ratio0.5.test"] == "reproduced" and scores.n["pruning.ratio0.5.test"] == 3
    assert scores.verdict["pruning.ratio0.9.test"] == "not run"
    gain = scores.loc["compression.over_classical"]
    assert gain.verdict == "fails" and "1.50 [1.27, 1.73] over pruning" in gain.why and "7.50 [7.27, 7.73] over weight sharing" in gain.why


LONG_SIZES = {
    "quantum_train": (667, 3271),
    "long_plain": (692, 3289),
    "long_low_rank": (537, 3418),
    "long_magnitude_pruning": (688, 3292),
}


@pytest.fixture
def long() -> pd.DataFrame:
    """Photons at 92 and 96 % at the two sizes, each of the others a point above the one before."""
    rows = [
        row(name, seed, 92.0 + 4 * place + more + 0.1 * seed, variant=f"v={count}", parameters_trained_used=count)
        | ({"bond_dim": (4, 10)[place]} if name == "quantum_train" else {"epochs": 1000})
        for more, (name, counts) in enumerate(LONG_SIZES.items())
        for place, count in enumerate(counts)
        for seed in range(3)
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(("bond_dim", "rounds", "mapping_epochs", "epochs"), "Int64") | {"arm": "str"})


def test_equal_training_takes_the_size_nearest_to_photons_and_tells_numbers_epochs_and_needs(long) -> None:
    table = tables.equal_training(made(long))
    found = table.data.set_index(["bond_dim", "experiment"])
    for place, bond_dim in enumerate((4, 10)):
        assert list(found.loc[bond_dim].index) == list(LONG_SIZES)
        assert found.loc[bond_dim].parameters.tolist() == [counts[place] for counts in LONG_SIZES.values()]
        means = [92.0 + 4 * place + more + 0.1 + 0.5 for more in range(4)]  # on test10k
        assert found.loc[bond_dim]["mean"].tolist() == pytest.approx(means)
    assert set(found.epochs) == {1000} and set(found.n) == {3} and set(found.quantity) == {"test10k_accuracy_percent"}
    assert table.display.Needs.tolist() == 2 * ["-", "-", "-", "a trained network first"]
    assert "94.60 ± 0.10\n[94.35, 94.85]" in table.display["Test accuracy (%)"].tolist()
    text = page_of("compression", made(long))
    told = "at bond dimension 4 (667 numbers) shown higher smaller CNN, labels alone (692 numbers) +1.00 [0.77, 1.23], low rank (537 "
    assert "low rank (537 numbers, 19 % fewer) +2.00" in text and "6 of these 6 differences survive Holm's correction over all." in text
    assert "In the mean of the last" not in text and "by their single intervals not" not in text
    assert told in text and text.count("At equal training, 1000 epochs each") == 1 and "Not at equal training yet" not in text
    assert "Not yet trained so long: tensor train, hypernetwork, distilled smaller CNN." in text
    assert "| low rank | 94.60 ± 0.10 (537, n = 3) | 98.60 ± 0.10 (3418, n = 3) |" in " ".join(text.split())
    assert found.loc[4].minus_photons_value.tolist()[1:] == pytest.approx([1.0, 2.0, 3.0])
    assert table.display["Minus photonic QT\n(points)"].tolist()[:2] == ["-", "+1.00 [0.77, 1.23]"]
    assert phase_steps(long.assign(**{"schedule.phase_steps": 20, "schedule.phase_batch_size": 1000})) == (4000, 1000)
    two = page_of("compression", made(long[long.seed < 2]))
    assert "at bond dimension 4 (667 numbers) too few runs for an interval; at bond dimension 10" in two
    assert tables.equal_training(made(long[long.experiment == "quantum_train"])) is None


def test_accuracy_against_epochs_counts_photons_passes_and_marks_what_needs_a_network(long) -> None:
    figure = figures.equal_training(made(long))
    FigureCanvasAgg(figure).draw()
    assert [axis.get_title() for axis in figure.axes] == [f"Beside bond dimension {k} (in brackets: numbers)" for k in (4, 10)]
    for place, axis in enumerate(figure.axes):
        lines = {line.get_label(): line for line in axis.lines}
        photons, plain = lines[f"photonic QT ({(667, 3271)[place]})"], lines[f"smaller CNN, labels alone ({(692, 3289)[place]})"]
        assert list(photons.get_xdata()) == [5, 10, 15] and list(plain.get_xdata()) == [1, 2, 3]
        assert photons.get_ydata() == pytest.approx([92.6 + 4 * place] * 3)
        dashed = [label for label, line in lines.items() if line.get_linestyle() == "--"]
        assert dashed == [f"magnitude pruning (6690, then {(688, 3292)[place]})"]
    assert figures.equal_training(made(long[long.experiment == "quantum_train"])).texts[0].get_text() == "not run"


def test_the_learning_rate_of_a_method_is_the_best_over_both_sizes_and_all_seeds() -> None:
    reached = {3e-4: (90.0, 92.0), 1e-3: (93.0, 90.0), 3e-3: (94.0, 87.0)}  # best at the small size, at the large one: another
    runs = pd.DataFrame(
        row("rate_plain", seed, accuracy + 0.1 * seed, variant=f"{rate},{count}", parameters_trained_used=count)
        | {"schedule.lr": rate, "test_accuracy_percent": accuracy + (seed - 1000)}
        for rate, accuracies in reached.items()
        for accuracy, count in zip(accuracies, (692, 3289), strict=True)
        for seed in (1000, 1001)
    )
    table = tables.learning_rates(made(runs))
    found = table.data.set_index("lr")
    assert set(found.experiment) == {"long_plain"} and set(found.n) == {4}
    assert found["mean"].to_dict() == pytest.approx({3e-4: 91.5, 1e-3: 92.0, 3e-3: 91.0})
    assert found.chosen.to_dict() == {3e-4: False, 1e-3: True, 3e-3: False}
    assert found.loc[1e-3, ["mean_small", "mean_large"]].tolist() == pytest.approx([93.5, 90.5])
    assert table.display["Rate 0.001"].tolist() == ["92.00\n(93.50 and 90.50)"] and table.display.Numbers.tolist() == ["692 and 3289"]
    assert "at an end of what was tried" not in page_of("compression", made(runs))
    least = page_of("compression", made(runs[runs["schedule.lr"] > 3e-4]))
    assert "1 of these 1 stand at an end of what was tried" in least
    assert table.display[["Method", "Chosen"]].to_numpy().tolist() == [["smaller CNN, labels alone", "0.001"]]
    told = "the best of the learning rates that were tried is 0.001 for smaller CNN, labels alone ([all rates](tables/learning_rates.md))."
    assert told in page_of("compression", made(runs))
    assert tables.learning_rates(made(runs.assign(experiment="long_plain"))) is None


def test_learning_rates_are_chosen_on_images_and_seeds_that_nothing_else_uses() -> None:
    study = load_study(Path("params.yaml"), Path("workflow/presets/learning_rates.yaml"))
    assert {run.experiment for run in study.runs()} == set(RATES)
    for name in RATES:
        own = [run for run in study.runs() if run.experiment == name]
        assert {run.settings.schedule.lr for run in own} == {3e-4, 1e-3, 3e-3} and {run.seed for run in own} == {1000, 1001}
        assert {run.settings.dataset.name for run in own} == {"lightweights.datasets.held_out:held_out"} and len(own) == 12
