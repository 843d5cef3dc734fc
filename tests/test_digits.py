"""Numbers as they are written: the digits they deserve, intervals no further than is possible; own arms among others."""

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from results_made import CHAPTERS, made
from synthetic import fabricate, small_study

from lightweights.report.comparisons import signed_summary
from lightweights.report.figure import ends_of, mark_cut
from lightweights.report.measures import with_interval
from lightweights.report.statistics import summarise
from lightweights.report.table import summary_cell
from lightweights.report.words import chapter_page
from lightweights.study.alike import alike
from lightweights.study.collect import collect
from lightweights.study.consistency import check_run
from lightweights.study.csv_text import computed_csv, deserved
from lightweights.study.findings import Findings
from lightweights.study.layout import model_file


@pytest.mark.parametrize(
    ("value", "written"), [(92.46123456, 92.4612), (1234567.0, 1234567.0), (0.000123456789, 0.000123457), (3e-17, 0.0), (-3e-17, 0.0)]
)
def test_computed_numbers_have_six_digits_and_whole_ones_all(value: float, written: float) -> None:
    assert deserved(value) == written and math.copysign(1, deserved(value)) > 0
    assert math.isnan(deserved(math.nan)) and deserved(math.inf) == math.inf


def test_a_table_computed_on_another_processor_is_the_same_bytes() -> None:
    here = pd.DataFrame({"mean": [92.4612, 0.03125, 1.0], "p": [0.0123, 1e-12, 0.5], "n": [3, 4, 5]})
    there = here.assign(mean=here["mean"] * (1 + 1e-9), p=here.p + 1e-15)
    assert computed_csv(here) == computed_csv(there)


def test_drawn_files_are_alike_to_a_tolerance() -> None:
    assert alike(b"mean 92.46123 [91, 94]", b"mean 92.46124 [91, 94]")
    assert not alike(b"mean 92.46 [91, 94]", b"mean 92.47 [91, 94]")
    assert not alike(b"reproduced 92.46", b"open 92.46") and not alike(b"1 2", b"1")


def test_no_interval_reaches_beyond_what_is_possible_and_none_of_two_values_is_shown() -> None:
    near, two = summarise([99.9, 99.0, 97.0]), summarise([60.0, 84.0])
    assert near.high > 100 and summary_cell(near, "test_accuracy_percent").endswith(", 100.00]")
    assert with_interval(99.5, 98.0, 101.0, "test_accuracy_percent").endswith(", 100.00]")
    assert with_interval(0.5, -1.0, 101.0, "test_accuracy_percent", signed=True).endswith("[-1.00, 101.00]")  # a difference may
    assert summary_cell(two, "test_accuracy_percent") == "72.00 ± 16.97\n(n = 2, no interval)"
    assert signed_summary(summarise([0.5, 1.5]), "test_accuracy_percent") == "+1.00 (n = 2, no interval)"
    assert ends_of(near, "95 % t interval", "test_accuracy_percent")[1] == 100


def test_a_bar_that_is_cut_ends_in_an_arrow() -> None:
    axis = Figure().subplots()
    axis.errorbar([1.0, 2.0], [90.0, 95.0], yerr=[[1.0, 1.0], [20.0, 1.0]], color="C0")
    axis.set_ylim(80, 99)
    before = len(axis.lines)
    mark_cut(axis)
    (arrow,) = axis.lines[before:]
    assert arrow.get_xydata().tolist() == [[1.0, 99.0]] and axis.get_ylim() == (80, 99)


@pytest.mark.whole
def test_an_arm_of_ones_own_stands_in_every_figure_and_page_of_arms(tmp_path) -> None:
    arms = ["photonic", "mps-only", "product-free", "my_arm:make"]
    vary = {"photonics.arm": arms, "mapping.bond_dim": [1, 4]}
    experiment = {"method": "quantum_train", "seeds": [0, 1, 2], "vary": vary}
    study = small_study(
        dataset="digits", experiments={"ablation": experiment, "other_arms": experiment | {"vary": vary | {"mapping.bond_dim": [4]}}}
    )
    fabricate(study, tmp_path)
    results, chapter = made(collect(study, tmp_path), study, tmp_path), CHAPTERS["ablation"]
    for name in ("ablation", "arms", "budget", "generalisation_by_arm"):
        figure = chapter.function("figures", name)(results)
        FigureCanvasAgg(figure).draw()
        texts = [text.get_text() for text in figure.findobj(mpl.text.Text)]
        assert any("my_arm:make" in text for text in texts), name
    page = chapter_page(chapter, results)
    assert "Arms of this study's own" in page and "| my_arm:make | 4 " in " ".join(page.split()).replace("| my_arm:make | 1", "")


def test_arms_that_differ_little_are_not_squeezed_by_one_that_collapsed(tmp_path) -> None:
    experiment = {"method": "quantum_train", "seeds": [0, 1, 2], "vary": {"photonics.arm": ["photonic", "mps-only", "paper-random"]}}
    study = small_study(dataset="digits", experiments={"other_arms": experiment})
    fabricate(study, tmp_path)
    results = made(collect(study, tmp_path), study, tmp_path)
    runs = results.runs
    runs.loc[runs.arm == "paper-random", "test_accuracy_percent"] = np.array([9.5, 10.0, 10.5])
    low, high = CHAPTERS["ablation"].function("figures", "arms")(results).axes
    others = runs[runs.arm != "paper-random"].test_accuracy_percent
    assert low.get_xlim()[1] < 20 < high.get_xlim()[0]
    assert np.ptp(high.get_xlim()) < 1.5 * max(np.ptp(others), 1)


def test_weights_of_another_study_in_a_runs_place_are_found(tmp_path) -> None:
    study = small_study(dataset="digits", experiments={"classical": {"method": "classical", "seeds": [0]}})
    fabricate(study, tmp_path)
    (run,) = study.runs()
    for written, found in ((False, 0), (True, 1)):
        if written:
            model_file(run, tmp_path).write_bytes(b"weights of another study")
        findings = Findings()
        check_run(run, tmp_path, findings)
        assert sum("of another run or study" in line for line in findings.wrong) == found
