"""Drops paired by seed, the claim on them, and the tables and figures of imperfect devices."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from results_made import CHAPTERS, made, page_of
from synthetic import change_metrics, fabricate_run, small_study

from chapters.noise import figures
from chapters.noise.devices import alone_table, heralding_rates
from chapters.noise.facts import facts
from chapters.noise.figures import duration
from chapters.noise.sweeps import drop, regenerated_drop, sweep, sweep_drops
from chapters.noise.tables import noise as noise_table
from lightweights.report.verdicts import FAILS, HOLDS, NOT_RUN, OPEN, TOO_FEW
from lightweights.settings.study import Study
from lightweights.study.collect import collect

BASE = {"brightness": 0.6, "indistinguishability": 0.95, "g2": 0.02, "transmittance": 0.7}


def fixed(*without: str) -> dict[str, float]:
    return {f"photonics.noise.{name}": value for name, value in BASE.items() if name not in without}


def noise_study(seeds: tuple[int, ...] = (0, 1, 2)) -> Study:
    def experiment(override: dict, vary: dict) -> dict:
        return {"method": "quantum_train", "seeds": list(seeds), "override": override, "vary": vary}

    experiments = {
        "noise_none": {
            "method": "quantum_train",
            "seeds": list(seeds),
            "regenerate": {"noise": BASE, "vary": {"g2": [0.001, 0.1], "cycles": [10**7]}},
        },
        "noise_mps_only": experiment(fixed() | {"photonics.arm": "mps-only"}, {}),
        "noise_g2": experiment(fixed("g2"), {"photonics.noise.g2": [0.001, 0.1]}),
        "noise_brightness": experiment(fixed("brightness"), {"photonics.noise.brightness": [0.2, 0.75]}),
        "noise_transmittance": experiment(fixed("transmittance"), {"photonics.noise.transmittance": [0.4]}),
        "noise_indistinguishability": experiment(fixed("indistinguishability"), {"photonics.noise.indistinguishability": [0.9]}),
        "noise_cycles": experiment(fixed(), {"photonics.cycles": [10**5, 10**7]}),
        "noise_phase_error": experiment(fixed(), {"photonics.noise.phase_error": [0.1, 0.3]}),
        "noise_detectors": experiment(fixed(), {"photonics.detectors": ["pnr"]}),
        "noise_staleness": experiment({}, {"photonics.staleness": [0, 2]}),
        "noise_map": experiment(
            fixed("g2", "transmittance"), {"photonics.noise.g2": [0.01, 0.1], "photonics.noise.transmittance": [0.4, 0.9]}
        ),
    }
    return small_study(experiments=experiments)


LOST = {"noise_none": 0.0, "noise_mps_only": 4.0, "g2=0.1": 2.0, "g2=0.001": 0.5, "brightness=0.2": 1.0, "brightness=0.75": 1.5}


def made_up(study: Study, results: Path, lost: dict[str, float] = LOST, spread: float = 0.1) -> pd.DataFrame:
    """Runs with accuracy 93 % + seed, minus what the variant loses, scattered by ``spread``."""
    for run in study.runs():
        folder = fabricate_run(run, results)
        loss = lost.get(run.experiment, lost.get(run.variant.split(",")[0], 1.0)) if run.experiment != "noise_map" else 1.0
        value = 93.0 + run.seed - loss + (0 if run.experiment == "noise_none" else spread * (run.seed - 1))
        change_metrics(folder, "final", test600_accuracy_percent=value, test10k_accuracy_percent=value)
        if run.experiment == "noise_none":
            lost_again = {"base": 1, "g2=0.1": 5, "cycles=1e+07": 6}
            add_photons(folder, {f"regenerated_{device}_accuracy_percent": value - points for device, points in lost_again.items()})
    return collect(study, results)


def add_photons(folder: Path, values: dict[str, float]) -> None:
    import json

    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    path.write_text(json.dumps(metrics | {"photons": values}))


def test_drops_are_paired_by_seed(tmp_path: Path) -> None:
    runs = made_up(noise_study(), tmp_path)
    points = sweep(made(runs, noise_study()).runs, "noise_g2")
    assert list(points.value) == [0.001, 0.1]
    for found, wanted in zip(points["drop"], (0.5, 2.0), strict=True):
        assert found.n == 3
        assert found.mean == pytest.approx(wanted)
        assert found.sd == pytest.approx(0.1)  # the seeds' own spread of 1 point cancels
    assert [found.n for found in points.regenerated] == [0, 3]
    assert points.regenerated[1].mean == pytest.approx(5)
    assert regenerated_drop(runs, "cycles=1e+07").mean == pytest.approx(6)


def test_training_under_noise_is_told_beside_training_without_on_the_same_device(tmp_path: Path) -> None:
    """Of the made-up runs two devices generate weights anew and were trained under, and at one more point they generate nothing."""
    study = noise_study()
    runs = made_up(study, tmp_path)
    runs.loc[(runs.experiment == "noise_staleness") & (runs.seed == 1), "test10k_accuracy_percent"] = 99.0
    found = facts(made(runs.sample(frac=1, random_state=0), study))
    assert [(where, round(lost.mean, 6)) for where, lost in found.generated] == [("clock cycles 10,000,000", 6), ("g2 0.1", 5)]
    assert [left for _, _, left in found.unready] == [True, True]  # of two tests each p is far below a half of 0.05
    assert [(where, round(gained.mean, 6)) for where, gained, _ in found.unready] == [("clock cycles 10,000,000", 5), ("g2 0.1", 3)]
    assert found.paired == 2
    assert set(found.late) == {0, 2} and found.late[0] == pytest.approx([91.9, 99, 94.1])  # seeds in their order
    text = page_of("noise", made(runs, study))
    assert (
        "clock cycles 10,000,000 +6.00" in text and "wholly above 0 at 2 of 2 devices" in text and "g2 0.1 +3.00" not in text
    )  # its interval reaches below the bound


def test_runs_of_another_schedule_are_not_compared(tmp_path: Path) -> None:
    runs = made_up(noise_study(), tmp_path)
    runs.loc[runs.experiment == "noise_none", "rounds"] = 99
    assert drop(runs, runs[runs.experiment == "noise_g2"], "test10k_accuracy_percent").n == 0


def verdict(runs: pd.DataFrame, study: Study) -> pd.Series:
    scores = made(runs, study).scores
    return scores[scores.claim == "noise.worst_drop"].iloc[0]


@pytest.mark.parametrize(
    ("worst", "spread", "wanted"), [(2.0, 0.1, HOLDS), (3.5, 0.1, FAILS), (2.5, 0.6, OPEN), (3.2, 0.6, OPEN), (-1.0, 0.1, HOLDS)]
)
def test_the_claim_is_judged_by_the_worst_point(worst: float, spread: float, wanted: str, tmp_path: Path) -> None:
    study = noise_study()
    found = verdict(made_up(study, tmp_path, LOST | {"g2=0.1": worst}, spread), study)
    assert found.verdict == wanted
    assert found["mean"] == pytest.approx(max(worst, 1.5))
    assert found.n == 3
    assert ("g2=0.1" if worst > 1.5 else "brightness=0.75") in found.why
    assert "worst of the 6 points of the four sweeps" in found.why


@pytest.mark.parametrize("missing", ["noise_transmittance", "noise_g2,g2=0.001"])
def test_the_claim_does_not_hold_on_a_part_of_the_sweeps_but_can_fail(missing: str, tmp_path: Path) -> None:
    study = noise_study()
    experiment, _, point = missing.partition(",")
    runs = made_up(study, tmp_path)
    part = runs[(runs.experiment != experiment) | ~runs.variant.str.startswith(point)]
    assert verdict(part, study).verdict == OPEN
    part.loc[part.variant.str.startswith("g2=0.1"), "test600_accuracy_percent"] -= 5
    assert verdict(part, study).verdict == FAILS


def test_a_study_without_one_of_the_sweeps_leaves_the_claim_open(tmp_path: Path) -> None:
    study = small_study(experiments={k: v.model_dump() for k, v in noise_study().experiments.items() if k != "noise_transmittance"})
    assert verdict(made_up(study, tmp_path), study).verdict == OPEN


def test_a_point_that_may_lie_above_keeps_the_claim_open_although_another_is_worst_on_average(tmp_path: Path) -> None:
    study = noise_study()
    runs = made_up(study, tmp_path)
    at = (runs.experiment == "noise_brightness") & runs.variant.str.startswith("brightness=0.2,")
    runs.loc[at, "test600_accuracy_percent"] += [-2.0, 0.0, 2.0]
    found = verdict(runs, study)
    assert found.verdict == OPEN
    assert "g2=0.1" in found.why
    assert "the one-sided 95 % upper bounds of 5 points lie below 3" in found.why


def test_too_few_seeds_judge_nothing(tmp_path: Path) -> None:
    study = noise_study(seeds=(0, 1))
    assert verdict(made_up(study, tmp_path), study).verdict == TOO_FEW
    none = small_study()
    runs = collect(none, tmp_path, partial=True)
    assert sweep_drops(runs.assign(test600_accuracy_percent=1.0), "test600_accuracy_percent") == {}
    assert verdict(made_up(study, tmp_path / "other").iloc[:1], study).verdict == NOT_RUN


def test_the_table_tells_both_drops(tmp_path: Path) -> None:
    table = noise_table(made(made_up(noise_study(), tmp_path), noise_study()))
    assert table is not None
    row = table.data[table.data.variant.str.startswith("g2=0.1") & (table.data.experiment == "noise_g2")].iloc[0]
    assert (row.drop_mean, row.regenerated_drop_mean) == pytest.approx((2, 5))
    assert table.data.set_index("experiment").regenerated_drop_mean["noise_none"] == pytest.approx(1)
    assert "stay at brightness 0.6, indistinguishability 0.95, g2 0.02, transmittance 0.7, with" in table.caption
    assert set(table.display.Varied) >= {
        "no noise",
        "MPS only (no photons)",
        "g2 0.1",
        "cycles 10,000,000",
        "detectors pnr",
    }


def test_what_noise_costs_is_told(tmp_path: Path) -> None:
    study = noise_study()
    text = page_of("noise", made(made_up(study, tmp_path), study))
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    worst = lines[0]
    again, alone, counted = (
        next(line for line in lines if said in line) for said in ("transmittance 0.7: ", "which no noise can change", "100,000 cycles")
    )
    assert any(
        "The mean over these points on MNIST's 10,000 test images is +1.17 [0.92, 1.42] points (seeds that all points have, n = 3)" in line
        for line in lines
    )
    assert "worst of 6 points" in worst and "g2=0.1, it is +2.00" in worst and "of 6 points lie below 3" in worst
    assert "transmittance 0.7: +1.00 (3 pairs with the same difference) points (n = 3)" in again
    assert "MPS only), which no noise can change: +4.00" in alone
    assert "100,000 cycles +1.00" in counted and "10,000,000 cycles +1.00" in counted
    assert "points lose from" in text and "Not all points have" not in text
    fewer = made_up(study, tmp_path)
    fewer = fewer[~((fewer.experiment == "noise_brightness") & (fewer.seed == 2))]
    wanted = f"Not all points have 3 seeds: {fewer[fewer.experiment == 'noise_brightness'].variant.nunique()} of 6 have fewer, at least 2."
    assert wanted in page_of("noise", made(fewer, study))
    nothing = page_of("noise", made(collect(study, tmp_path / "nothing", partial=True), study))
    assert "The published sweeps were not run." in nothing and "points (n = " not in nothing


def test_every_figure_draws_and_says_where_there_are_no_runs(tmp_path: Path) -> None:
    study = noise_study()
    runs = made_up(study, tmp_path)
    for name in CHAPTERS["noise"].figures:
        draw = getattr(figures, name)
        figure = draw(made(runs, study))
        assert isinstance(figure, Figure)
        assert figure.axes
        assert draw(made(runs.iloc[:0].assign(test600_accuracy_percent=[]), study)).texts[0].get_text() == "not run"
    without = runs[runs.experiment != "noise_staleness"]
    assert not figures.noise_staleness(made(without, study)).axes


def test_the_sweep_figure_shows_the_drops_and_the_bound(tmp_path: Path) -> None:
    study = noise_study()
    figure = figures.noise(made(made_up(study, tmp_path), study))
    columns = len(figure.axes) // 2
    place = next(k for k, axis in enumerate(figure.axes) if axis.get_xlabel() == "g2") % columns
    lines = {line.get_label(): line for axis in figure.axes[place::columns] for line in axis.lines}
    assert np.allclose(lines["noise at generation only"].get_ydata()[1], 5)
    assert np.allclose(lines["trained under noise"].get_ydata(), [0.5, 2.0])
    assert np.allclose(lines["claimed bound, 3 points"].get_ydata(), 3)
    assert np.allclose(lines["MPS only (feels no noise)"].get_ydata(), 4)


def test_the_time_on_a_device_is_cycles_times_evaluations_over_the_clock(tmp_path: Path) -> None:
    study = noise_study()
    figure = figures.noise_cycles(made(made_up(study, tmp_path), study))
    (above,) = figure.axes[0].child_axes
    ticks = above.xaxis.get_major_locator().locs
    assert np.allclose(ticks, [12 * 22 * cycles / 80e6 for cycles in (10**5, 10**7)])
    assert duration(ticks[1]) == "33 s"


@pytest.mark.parametrize(("seconds", "text"), [(0.0125, "12.5 ms"), (1.0, "1 s"), (90, "1.5 min"), (7200, "2 h"), (172_800, "2 d")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# Computed tables


def test_losses_alone_change_nothing_and_all_else_does() -> None:
    data = alone_table(noise_study()).data
    largest = data.groupby("device").largest.max()
    nothing = {"brightness 0.2", "transmittance 0.4", "brightness 0.2, transmittance 0.4", "g2 0.1, number-resolving detectors"}
    assert set(largest[largest < 1e-12].index) == nothing
    assert largest.drop(list(nothing)).min() > 1e-4


def test_rates_follow_brightness_to_the_fourth_power() -> None:
    table = heralding_rates(noise_study())
    assert table is not None
    data = table.data[table.data.modes == 9].set_index("device")
    assert (data.rate_hz == data.herald * 80e6).all()
    assert np.allclose(data.seconds * data.rate_hz, 10_000)
    ratio = data.herald["brightness=0.75"] / data.herald["brightness=0.2"]
    assert ratio == pytest.approx((0.75 / 0.2) ** 4, rel=0.1)  # second photons add a little
    assert heralding_rates(small_study()) is None


def test_rates_of_devices_with_random_phases_can_be_told() -> None:
    experiments = {name: experiment.model_dump() for name, experiment in noise_study().experiments.items()}
    experiments["noise_g2"]["override"]["photonics.noise.phase_error"] = 0.1
    study = small_study(experiments=experiments)
    assert heralding_rates(study) is not None
