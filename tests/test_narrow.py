"""Wide figures on narrow screens: panels stacked, nothing lost, nothing cut off."""

import itertools

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.text import Text
from results_made import CHAPTERS

from lightweights.report.figure import ONE_COLUMN, TWO_COLUMNS, render, style
from lightweights.report.make import read_results
from lightweights.report.narrow import WIDTH, narrowed
from lightweights.report.results import Results
from lightweights.study.layout import study_settings_file

SMALLEST = 7.0
"""Pixels of type where a figure is 400 pixels wide."""


def wide(rows: int = 1, columns: int = 2, **shared) -> Figure:
    with style():
        figure = Figure(figsize=(TWO_COLUMNS, 2.5), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **shared)
        for number, axis in enumerate(axes.flatten()):
            axis.plot([0, 1], [0, number], label=f"line {number}")
            axis.set(title=str(number), xlabel="a label that is longer than a narrow panel has room for, by far")
        axes[0][0].set_ylabel("height")
        title = "what the lines are, in a sentence that is longer than a narrow figure has room for on one line"
        figure.legend(loc="outside lower center", ncols=columns, title=title)
        figure.supxlabel("what stands below all panels, in a sentence that is longer than a narrow figure has room for")
    return figure


def drawn(figure: Figure) -> tuple[list[str], list]:
    """Titles from top to bottom, and the boxes of the panels in that order."""
    FigureCanvasAgg(figure).draw()
    axes = sorted(figure.axes, key=lambda axis: -axis.get_position().y0)
    return [axis.get_title() for axis in axes], [axis.get_position() for axis in axes]


def test_panels_stand_below_each_other_and_nothing_is_cut_off() -> None:
    figure = wide(columns=3)
    render(figure, "pdf")  # which fixes the wide layout
    figure = narrowed(figure)
    titles, boxes = drawn(figure)
    assert figure.get_figwidth() == WIDTH and titles == ["0", "1", "2"]
    assert all(above.y0 > below.y1 for above, below in itertools.pairwise(boxes))
    assert len({round(box.x0, 3) for box in boxes}) == 1
    renderer = figure.canvas.get_renderer()
    labels = [*(axis.xaxis.label for axis in figure.axes), *figure.texts, *figure.legends]
    for box in (label.get_window_extent(renderer) for label in labels):
        assert box.x0 >= -1 and box.x1 <= figure.bbox.width + 1 and box.y0 >= -1
    legend = figure.legends[0].get_window_extent(renderer)
    assert not legend.overlaps(figure.texts[0].get_window_extent(renderer))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["line 0", "line 1", "line 2"]


@pytest.mark.parametrize(
    ("shared", "order"),
    [({}, "0123"), ({"sharex": "col"}, "0213"), ({"height_ratios": [2, 1]}, "0213"), ({"height_ratios": [2, 1], "sharey": "row"}, "0123")],
)
def test_rows_that_belong_together_stay_together(shared: dict, order: str) -> None:
    assert "".join(drawn(narrowed(wide(2, 2, **shared)))[0]) == order


def test_panels_that_shared_an_axis_have_its_label_and_numbers_each() -> None:
    figure = narrowed(wide(sharey=True))
    drawn(figure)
    assert [axis.get_ylabel() for axis in figure.axes] == ["height", "height"]
    assert all(label.get_visible() for axis in figure.axes for label in axis.get_yticklabels())


def test_a_label_that_a_wide_figure_shows_once_is_shown_in_each_panel() -> None:
    figure = wide()
    for axis in figure.axes:
        axis.set_ylabel("depth", visible=axis is figure.axes[0])
    assert [axis.yaxis.label.get_visible() for axis in narrowed(figure).axes] == [True] * len(figure.axes)


def test_a_figure_of_one_column_stays() -> None:
    figure = Figure(figsize=(ONE_COLUMN, 2), layout="constrained")
    figure.subplots()
    before = render(figure, "png")
    assert render(narrowed(figure), "png") == before


@pytest.fixture(scope="module")
def landed() -> Results:
    return read_results(study_settings_file("paper"))


def words_along(axis: Axes) -> list[list[Text]]:
    """Labels of ticks that are words, along x and along y."""
    both = (axis.get_xticklabels(), axis.get_yticklabels())
    return [[text for text in labels if sum(map(str.isalpha, text.get_text())) > 1 and "$" not in text.get_text()] for labels in both]


def area(text: Text) -> Path:
    """The path round a text that was drawn with a box, turned as it is."""
    patch = text.get_bbox_patch()
    return patch.get_path().transformed(patch.get_transform())


@pytest.mark.slow
@pytest.mark.parametrize(("chapter", "name"), [(chapter, name) for chapter in CHAPTERS for name in CHAPTERS[chapter].figures])
def test_words_along_the_axes_of_every_figure_of_the_study_can_be_read_at_400_pixels(landed: Results, chapter: str, name: str) -> None:
    figure = narrowed(CHAPTERS[chapter].function("figures", name)(landed))
    FigureCanvasAgg(figure).draw()
    figure.set_layout_engine("none")
    lines = [words for axis in figure.axes for words in words_along(axis)]
    for text in itertools.chain(*lines):
        text.set_bbox({"pad": 0})
    FigureCanvasAgg(figure).draw()
    named = [label for axis in figure.axes for label in (axis.xaxis.label, axis.yaxis.label) if label.get_visible() and label.get_text()]
    for text in itertools.chain(figure.texts, named, *lines):
        box, size = text.get_window_extent(), text.get_fontsize() / 72 * 400 / figure.get_figwidth()
        assert size >= SMALLEST, f"{text.get_text()!r} is {size:.1f} pixels high"
        inside = box.x0 >= -2 and box.y0 >= -2 and box.x1 <= figure.bbox.width + 2 and box.y1 <= figure.bbox.height + 2
        assert inside, f"cut off: {text.get_text()!r}"
    for one, other in itertools.chain(*map(itertools.pairwise, lines)):
        assert not area(one).intersects_path(area(other)), f"{one.get_text()!r} lies on {other.get_text()!r}"
