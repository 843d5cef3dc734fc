"""Wide figures on narrow screens: panels stacked, nothing lost, nothing cut off."""

import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lightweights.report.figure import ONE_COLUMN, TWO_COLUMNS, render, style
from lightweights.report.narrow import WIDTH, narrowed


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


def test_a_figure_of_one_column_stays() -> None:
    figure = Figure(figsize=(ONE_COLUMN, 2), layout="constrained")
    figure.subplots()
    before = render(figure, "png")
    assert render(narrowed(figure), "png") == before
