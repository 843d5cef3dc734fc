import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from results_made import CHAPTERS
from results_made import made as made_of
from synthetic import fabricate, small_study

from chapters.quantum_train import figures
from chapters.quantum_train.figures import accuracy_against_parameters, generalisation_error, protocols, training_curves
from lightweights.report.figure import render
from lightweights.report.make import write_figure
from lightweights.report.results import Results
from lightweights.study.collect import collect

ROOT = Path(__file__).parents[1]
FIGURES = list(CHAPTERS["quantum_train"].figures)

STUDIES = {
    "paper": {"bond_dims": (1, 4, 10)},
    "demo": {"dataset": "digits", "seeds": (0, 1), "bond_dims": (2, 4)},
    "one seed": {"seeds": (0,), "bond_dims": (4,), "protocols": False},
}


def load(tmp_path_factory, **shape) -> Results:
    root = tmp_path_factory.mktemp("results")
    study = small_study(**shape)
    fabricate(study, root)
    return made_of(collect(study, root), study, root)


def parts(results: Results):
    return results.runs, results.history(results.runs)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return {name: load(tmp_path_factory, **shape) for name, shape in STUDIES.items()}


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


@pytest.mark.whole
@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_for_every_shape_of_study_within_its_frame(made, study, name):
    figure = getattr(figures, name)(made[study])
    assert figure.get_figwidth() in (3.4, 7.0)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    frame = figure.bbox
    for artist in [*figure.legends, *(axis.xaxis.label for axis in figure.axes), *(axis.yaxis.label for axis in figure.axes)]:
        box = artist.get_window_extent(canvas.get_renderer())
        assert box.x0 >= frame.x0 - 1 and box.x1 <= frame.x1 + 1 and box.y0 >= frame.y0 - 1 and box.y1 <= frame.y1 + 1


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_bytes_are_the_same_each_time_and_carry_no_date(made, kind):
    first, second = (render(accuracy_against_parameters(made["paper"]), kind) for _ in range(2))
    assert first == second
    assert b"CreationDate" not in first and b"<dc:date>" not in first


def test_text_stays_text_in_svg_and_fonts_are_embedded_in_pdf(made):
    figure = generalisation_error(made["paper"])
    assert b">Bond dimension</text>" in render(figure, "svg")
    pdf = render(figure, "pdf")
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf


@pytest.mark.whole
def test_three_files_are_written(made, tmp_path):
    write_figure("protocols", replace(made["paper"], root=shutil.copytree(made["paper"].root, tmp_path / "copy")))
    assert sorted(path.name for path in (tmp_path / "copy/made-up/figures").iterdir()) == [
        "protocols.json",
        "protocols.pdf",
        "protocols.png",
        "protocols.svg",
    ]


def test_short_training_curves_are_plain_means_with_the_range_of_the_seeds(made):
    _, histories = parts(made["paper"])
    axis = training_curves(made["paper"]).axes[0]
    own = histories[(histories.experiment == "quantum_train") & (histories.variant == "bond_dim=4")]
    by_round = own.groupby("round").last_batch_loss
    np.testing.assert_allclose(axis.lines[1].get_ydata(), by_round.mean())
    band = axis.collections[1].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(by_round.min().min()) and band[:, 1].max() == pytest.approx(by_round.max().max())


def test_long_training_curves_are_smoothed_and_say_so(tmp_path_factory):
    results = load(tmp_path_factory, bond_dims=(4,), seeds=(0,), rounds=60, protocols=False)
    histories = results.history(results.runs)
    figure = training_curves(results)
    loss = histories[histories.experiment == "quantum_train"].last_batch_loss.to_numpy()
    drawn = figure.axes[0].lines[0].get_ydata()
    assert drawn[30] == pytest.approx(loss[28:33].mean()) and drawn[0] == pytest.approx(loss[:3].mean())
    assert any("running mean of 5 rounds" in text for text in texts(figure))


def test_unsmoothed_curves_claim_no_smoothing_and_one_seed_no_range(made):
    said = " ".join(texts(training_curves(made["one seed"])))
    assert "running mean" not in said and "one seed" in said and "range" not in said


def test_accuracies_stand_at_their_parameters_beside_the_published(made):
    runs = made["paper"].runs
    figure = accuracy_against_parameters(made["paper"])
    drawn = {c.get_label(): c.lines[0] for c in figure.axes[0].containers}
    chosen = runs[runs.experiment == "quantum_train"].groupby("bond_dim")
    np.testing.assert_allclose(drawn["photonic QT, test 10k"].get_ydata(), chosen.test10k_accuracy_percent.mean())
    np.testing.assert_allclose(drawn["photonic QT, test 10k"].get_xdata(), [202, 667, 3271], rtol=0.02)
    assert list(drawn["published QT, test 600"].get_xdata()) == [223, 316, 471, 688, 967, 1308, 1711, 2176, 2703, 3292]
    assert drawn["published QT, test 600"].get_ydata()[3] == 93.292


def test_a_study_on_other_data_shows_no_published_points(made):
    for draw in (accuracy_against_parameters, generalisation_error):
        assert not [text for text in texts(draw(made["demo"])) if "published" in text]


def test_what_bars_mean_is_said(made):
    assert any("bars and bands: 95 % t interval" in text for text in texts(generalisation_error(made["paper"])))
    assert any("bars and bands: sd (ddof = 1)" in text for text in texts(generalisation_error(made["demo"])))


def test_protocols_are_drawn_over_epochs_on_the_mapping(made):
    lines = protocols(made["paper"]).axes[1].lines
    assert {line.get_label() for line in lines} == {"COBYLA on the phases", "gradients on the phases"}
    assert all(list(line.get_xdata()) == list(range(5, 51, 5)) for line in lines)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_without_runs_says_so(tmp_path, name):
    runs = collect(small_study(), tmp_path, partial=True)
    assert "not run" in texts(getattr(figures, name)(made_of(runs, root=tmp_path)))


@pytest.mark.whole
def test_none_of_this_loads_torch():
    code = (
        "import sys, lightweights.report.figure, lightweights.report.words, lightweights.report.scorecard, lightweights.report.make;"
        "import chapters.distillation.figures, chapters.noise.tables; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})


@pytest.mark.whole
@pytest.mark.parametrize(
    ("surroundings", "matplotlibrc"),
    [
        ({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, ""),
        ({}, "figure.facecolor: black\ntext.color: white\nfont.size: 20\nlines.linestyle: --\ntext.usetex: True\nbackend: TkAgg\n"),
    ],
)
def test_figures_do_not_depend_on_what_the_surroundings_say_of_matplotlib(tmp_path: Path, surroundings: dict, matplotlibrc: str):
    (tmp_path / "matplotlibrc").write_text(matplotlibrc)
    code = (
        "import hashlib, sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\n"
        "from lightweights.report.chapter import chapter_of\n"
        "from results_made import made\nfrom synthetic import fabricate, small_study\nfrom lightweights.study.collect import collect\n"
        f"root, study = Path({str(tmp_path)!r}), small_study(dataset='digits', seeds=(0,), bond_dims=(2,), protocols=False)\n"
        "fabricate(study, root)\n"
        "draw = chapter_of('figures', 'training_curves').function('figures', 'training_curves')\n"
        "figure = draw(made(collect(study, root), study, root))\n"
        "from lightweights.report.figure import render\n"
        "print(*[hashlib.sha256(render(figure, kind)).hexdigest() for kind in ('svg', 'pdf', 'png')])"
    )
    plain = {name: value for name, value in os.environ.items() if name not in ("MPLBACKEND", "MATPLOTLIBRC")}
    plain |= {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    found = [
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=plain | more, capture_output=True, text=True).stdout
        for more in ({}, surroundings | {"MATPLOTLIBRC": str(tmp_path)})
    ]
    assert found[0] == found[1] and found[0].strip()
