"""The table of an experiment: a row a variant, at most five columns."""

import math

import pandas as pd

from lightweights.report.experiments.measured import Variant, heading_of, measured, told, variants_of
from lightweights.report.measures import NOTHING, heading, set_name
from lightweights.report.results import Results
from lightweights.report.table import Table, summary_cell

OWN_COLUMNS = 2
"""Settings that have a column each; where more are varied they stand together in one."""
NOT_RUN = "not run"


def of_experiment(results: Results, experiment: str) -> Table | None:
    """What varied, n, what was reached with its interval, and the numbers trained; None without runs."""
    runs = results.of(experiment)
    if runs.empty:
        return None
    column, variants = measured(runs), variants_of(runs, results.study, experiment)
    data = pd.DataFrame([_row(variant, column) for variant in variants]).astype({"numbers_trained": "Int64"})
    method = results.study.experiments[experiment].method
    what = f"{heading(column).replace(chr(10), ' ')}, {set_name(column)}: mean ± sd (ddof = 1) over n seeds" if column else "no measure"
    caption = f"Experiment {experiment} (method {method}). {what}; in brackets the 95 % t interval of the mean, from three seeds on."
    return Table(f"experiment_{experiment}", caption, data, pd.DataFrame([_cells(variant, column, experiment) for variant in variants]))


def _row(variant: Variant, column: str) -> dict[str, object]:
    numbers = None if math.isnan(variant.numbers) else round(variant.numbers)
    row = {"variant": variant.name} | {path: told(value) for path, value in variant.varied.items()}
    return row | {"quantity": column, "numbers_trained": numbers} | variant.summary.columns()


def _cells(variant: Variant, column: str, experiment: str) -> dict[str, str]:
    few = len(variant.varied) <= OWN_COLUMNS
    own = {heading_of(path): told(value) for path, value in variant.varied.items()} if few else {"Variant": variant.name}
    cells = own or {"Experiment": experiment}
    cells["Numbers trained"] = NOTHING if math.isnan(variant.numbers) else f"{variant.numbers:,.0f}"
    cells["n"] = str(variant.summary.n)
    return cells | {heading(column) if column else "Measure": summary_cell(variant.summary, column) if variant.summary.n else NOT_RUN}
