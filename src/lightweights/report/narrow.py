"""A wide figure for narrow screens: its panels below each other, its legend above in two columns. PDF and SVG stay wide, for papers."""

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.legend import Legend
from matplotlib.offsetbox import VPacker

from lightweights.report.figure import ONE_COLUMN

WIDTH = 4.2
"""Inches: where the picture is 400 px wide small type is 9 px high."""
LINE = 0.14
"""Inches that a line of small type takes."""
LONGEST, LABEL = 66, 34
"""Characters of a line below or above all panels, and of an axis' label."""


def narrowed(figure: Figure) -> Figure:
    """The same figure, changed: ``WIDTH`` wide, panels stacked. One that fits one column, or that is made of subfigures, stays."""
    panels = [axis for axis in figure.axes if axis.get_subplotspec() is not None]
    if figure.get_figwidth() <= ONE_COLUMN or figure.subfigs:
        return figure
    if not panels:
        figure.set_figwidth(WIDTH)
        return figure
    figure.set_layout_engine("constrained", w_pad=0.08)  # anew: files that were written before have fixed the layout
    panels = _in_order(panels)
    ratios = [_share(panel) for panel in panels]
    stack = GridSpec(len(panels), 1, figure=figure, height_ratios=ratios)
    for place, panel in enumerate(panels):
        panel.set_subplotspec(stack[place])
        panel.set_in_layout(True)
        panel.tick_params(labelleft=True, labelbottom=True)
        panel.set_xlabel(textwrap.fill(panel.get_xlabel(), LABEL))
        siblings = panel.get_shared_y_axes().get_siblings(panel)
        panel.set_ylabel(panel.get_ylabel() or max((own.get_ylabel() for own in siblings), key=len), visible=True)
    more = sum(_in_columns(legend) for legend in figure.legends)
    for text in figure.texts:
        text.set_text("\n".join(textwrap.fill(line, LONGEST) for line in text.get_text().split("\n")))
    figure.set_size_inches(WIDTH, figure.get_figheight() * sum(ratios) + more)
    return figure


def _in_order(panels: list[Axes]) -> list[Axes]:
    """Panels in the order of reading: column by column where the rows of a column belong together, which share x or differ in height, else
    row by row.
    """
    spans = [(panel.get_subplotspec().rowspan.start, panel.get_subplotspec().colspan.start) for panel in panels]  # type: ignore[union-attr]
    pairs = [(one, two) for one in range(len(panels)) for two in range(one)]
    in_column = [panels[one].get_shared_x_axes().joined(panels[one], panels[two]) for one, two in pairs if spans[one][1] == spans[two][1]]
    in_row = [panels[one].get_shared_y_axes().joined(panels[one], panels[two]) for one, two in pairs if spans[one][0] == spans[two][0]]
    by_column = any(in_column) or (len({round(_share(panel), 6) for panel in panels}) > 1 and not any(in_row))
    order = sorted(range(len(panels)), key=lambda place: spans[place][::-1] if by_column else spans[place])
    return [panels[place] for place in order]


def _share(panel: Axes) -> float:
    """The share of the figure's height that a panel has."""
    spec: Any = panel.get_subplotspec()
    ratios = spec.get_gridspec().get_height_ratios()
    return sum(ratios[row] for row in spec.rowspan) / sum(ratios)


def _in_columns(legend: Legend) -> float:
    """Lay the entries of a legend out anew in two columns, or one where they are long; the inches that it takes."""
    box: Any = legend._legend_handle_box
    entries = [entry for column in box.get_children() for entry in column.get_children()]
    columns = 1 if max((len(text.get_text()) for text in legend.get_texts()), default=0) > LONGEST / 2 - 4 else 2
    size = -(-len(entries) // columns)
    parts = [entries[first : first + size] for first in range(0, len(entries), size)]
    sep = legend.labelspacing * legend._fontsize
    box._children = [VPacker(pad=0, sep=sep, align="baseline", children=part) for part in parts]
    for column in box._children:
        column.set_figure(legend.get_figure())
    title = legend.get_title()
    title.set_text(textwrap.fill(title.get_text(), LONGEST))
    if legend._outside_loc is not None:
        legend.set_loc("outside upper center")  # below it would lie on words that stand there
    return LINE * (size + title.get_text().count("\n"))
