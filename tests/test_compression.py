"""Table 4 and Figure 4: our numbers and the published ones meet where they belong; the claim about gains is judged by its rule."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from results_made import CLAIMS, made, page_of
from synthetic import small_study

from chapters.compression import figures, tables
from chapters.compression.facts import at_equal_numbers
from chapters.compression.tables import METHODS
from lightweights.report.claims import matching_runs
from lightweights.report.statistics import Difference
from lightweights.report.table import to_latex, to_markdown
from lightweights.report.verdicts import judge_range

SIZES = {"weight_sharing": 4770, "pruning": 3370, "gate_qt": 1367, "low_rank": 1024, "quantum_train": 3271, "merlin_variant": 342}


def row(experiment: str, seed: int, accuracy: float, **other) -> dict:
    rounds = {"quantum_train": (200, 5), "merlin_variant": (10, 0)}.get(experiment, (None, None))
    return {
        "rounds": rounds[0], "mapping_epochs": rounds[1], "epochs": None if rounds[0] else 50,
        "experiment": experiment, "variant": "v=1", "seed": seed, "dataset": "mnist-partial", "network": "cnn", "arm": None,
        "bond_dim": 10 if experiment == "quantum_train" else None, "parameters_target": 6690, "parameters_trained_used": SIZES[experiment],
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
    assert size.bond_dim == 10 and set(size.methods) == {"quantum_train", "pruning"} and size.above == []
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
