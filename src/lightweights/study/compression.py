"""Photonic Quantum-Train beside other ways to use fewer parameters: Table 4 and Figure 4."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from lightweights.study.claims import Claim
from lightweights.study.collect import reported_test_sets
from lightweights.study.figures import (
    BLACK,
    BLUE,
    GREEN,
    TWO_COLUMNS,
    VERMILLION,
    log_error,
    parameters_label,
    round_numbers,
    styled,
    without_runs,
)
from lightweights.study.statistics import summarise
from lightweights.study.tables import PUBLISHED_DATASET, Table, format_number, short_cell, summary_cell

METHODS = {
    "quantum_train": ("photonic QT", BLUE, "o"),
    "weight_sharing": ("weight sharing", "#E69F00", "s"),
    "pruning": ("pruning at the start", GREEN, "^"),
    "gate_qt": ("gate-based QT", "#CC79A7", "D"),
    "magnitude_pruning": ("magnitude pruning", GREEN, "v"),
    "low_rank": ("low rank", "#E69F00", "s"),
    "tensor_train": ("tensor train", "#56B4E9", "P"),
    "hypernetwork": ("hypernetwork", VERMILLION, "X"),
    "small_cnn": ("distilled smaller CNN", BLACK, "D"),
    "merlin_cnn": ("MerLin's network", BLACK, "*"),
    "merlin_variant": ("MerLin's photonic variant", VERMILLION, "*"),
}
"""Experiments, with label, colour and marker. The first four are the paper's and its authors'."""
PUBLISHED_METHODS = {"photonic_qt": "quantum_train", "weight_sharing": "weight_sharing", "pruning": "pruning", "gate_based_qt": "gate_qt"}
EQUAL_NUMBERS = 0.05
"""Methods whose numbers of trained parameters differ by no more than this share are compared."""
LEFT, RIGHT = tuple(METHODS)[:4], ("quantum_train", *tuple(METHODS)[4:9])


def compression_table(runs: pd.DataFrame, claims: list[Claim]) -> Table | None:
    """Table 4: every way to use fewer parameters, ours beside the published; None without runs of a baseline."""
    mine = runs[runs.experiment.isin(METHODS) | (runs.experiment == "classical")]
    if mine[~mine.experiment.isin(("quantum_train", "classical"))].empty:
        return None
    sets = reported_test_sets(mine.dropna(axis=1, how="all"))
    rows, cells = [], []
    for experiment in ("classical", *METHODS):
        label = METHODS[experiment][0] if experiment in METHODS else "target network"
        groups = [group for _, group in mine[mine.experiment == experiment].groupby("variant")]
        for group in sorted(groups, key=lambda part: part.parameters_trained_used.mean()):
            first = group.iloc[0]
            trained, target = float(group.parameters_trained_used.mean()), int(first.parameters_target)
            cell = {"Method": label, "Setting": _setting(str(first.variant)), "Parameters": f"{trained:.0f}"}
            cell |= {"Compression": f"{target / trained:.2f}", "Epochs": _epochs(first), "n": str(len(group))}
            known = _published(experiment, first, claims)
            for name in sets:
                column = f"{name}_accuracy_percent"
                found = summarise(group[column])
                row = {"experiment": experiment, "variant": first.variant, "parameters": trained, "compression": target / trained}
                row |= {"quantity": column} | found.columns()
                row |= dict.fromkeys(("published_mean", "published_sd_ddof1", "published_parameters"), math.nan)
                heading = {"test600": "Test 600", "test10k": "Test 10k"}.get(name, "Test")
                cell[f"{heading}\naccuracy (%)"] = summary_cell(found, column)
                if name == "test600":
                    cell["Published\n(parameters)"] = "-"
                    if known is not None:
                        row |= {"published_mean": known.reported_mean, "published_sd_ddof1": known.sd or math.nan}
                        row |= {"published_parameters": known.reported_parameters}
                        spread = f" ± {format_number(known.sd, column)}" if known.sd is not None else ""
                        size = f"\n({known.reported_parameters})" if known.reported_parameters else ""
                        cell["Published\n(parameters)"] = format_number(known.reported_mean or math.nan, column) + spread + size
                rows.append(row)
            cells.append(cell)
    caption = (
        "Ways to use fewer parameters than the target network. Parameters: trained numbers in use; photonic QT counts the phases that "
        "enter the circuits. Compression: the target network's parameters divided by these. Epochs: passes over the training images "
        "(photonic QT: of its mapping). Which weights magnitude pruning keeps is not counted. Mean ± sd (ddof = 1) over n seeds, in "
        "brackets the 95 % t interval. Published: on the 600 images of test600; sds converted to ddof = 1 where n is known."
    )
    return Table("compression", caption, pd.DataFrame(rows), pd.DataFrame(cells).fillna("-"))


def at_equal_numbers(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Photonic Quantum-Train beside the size of every other method that is nearest to it: a column a bond dimension that has such, a row
    a method.
    """
    groups = [group for _, group in runs[runs.experiment.isin(METHODS)].groupby(["experiment", "variant"], sort=False)]
    cells: dict[str, dict[str, str]] = {}
    for own in [group for group in groups if group.experiment.iloc[0] == "quantum_train"]:
        count = own.parameters_trained_used.mean()
        near: dict[str, pd.DataFrame] = {}
        for group in sorted(groups, key=lambda part: -abs(part.parameters_trained_used.mean() - count)):
            if abs(group.parameters_trained_used.mean() - count) <= EQUAL_NUMBERS * count:
                near[str(group.experiment.iloc[0])] = group
        for experiment, group in near.items() if len(near) > 1 else ():
            cell = f"{short_cell(summarise(group[column]), column)} ({group.parameters_trained_used.mean():.0f}, n = {len(group)})"
            cells.setdefault(experiment, {})[f"As bond dimension {own.bond_dim.iloc[0]}"] = cell
    return pd.DataFrame([{"Method": METHODS[name][0]} | cells[name] for name in METHODS if name in cells]).fillna("-")


@styled
def compression(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
    """Figure 4: accuracy against trained parameters. Left the paper's methods and the published points, right what it leaves out."""
    figure = Figure(figsize=(TWO_COLUMNS, 3.7), layout="constrained")
    mine = runs[runs.experiment.isin(METHODS)]
    if mine.empty:
        return without_runs(figure)
    sets = reported_test_sets(mine)
    axes = figure.subplots(1, 2, sharey=True)
    for axis, experiments, name in zip(axes, (LEFT, RIGHT), (sets[0], sets[-1]), strict=True):
        for experiment in experiments:
            _method(axis, mine[mine.experiment == experiment], f"{name}_accuracy_percent", *METHODS[experiment])
        if axis is axes[0] and str(mine.dataset.iloc[0]) == PUBLISHED_DATASET:
            _published_points(axis, claims, set(mine.experiment))
    for axis, name in zip(axes, (sets[0], sets[-1]), strict=True):
        log_error(axis)
        where = {"test600": "600 test images", "test10k": "10,000 test images"}.get(name, "test images")
        axis.set_ylabel(f"Accuracy on {where} (%), log error")
        axis.set(xscale="log", xlabel=parameters_label(mine))
        axis.xaxis.set_major_locator(FixedLocator(round_numbers(*axis.get_xlim())))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, handlelength=1.8)
    axes[1].yaxis.set_tick_params(labelleft=True)
    low = min(axis.dataLim.y0 for axis in axes)
    axes[0].set_ylim(100 - 1.15 * (100 - low), 99)
    axes[0].set_title("The paper's comparison", fontsize=7.5)
    axes[1].set_title(f"What it leaves out{unequal_epochs(mine)}", fontsize=7.5)
    return figure


def unequal_epochs(runs: pd.DataFrame) -> str:
    """How long the methods were trained, which is not equal."""
    rounds = (runs.rounds * runs.mapping_epochs).max()
    if pd.isna(rounds) or runs.epochs.isna().all():
        return ""
    return f" (epochs: photonic QT {rounds:.0f}, others {runs.epochs.max():.0f})"


def _method(axis: Axes, runs: pd.DataFrame, column: str, label: str, colour: str, marker: str) -> None:
    groups = [group for _, group in runs.groupby("variant")]
    points = sorted((float(group.parameters_trained_used.mean()), *_numbers(group[column])) for group in groups)
    if points:
        x, means, lows, highs = np.array(points).T
        spread = [means - lows, highs - means]
        axis.errorbar(x, means, yerr=spread, color=colour, marker=marker, label=label, elinewidth=0.7, linewidth=0.9)


def _published_points(axis: Axes, claims: list[Claim], named: set[str]) -> None:
    axis.plot([], [], color=BLACK, marker="o", markerfacecolor="white", linestyle="none", label="hollow: published")
    for claim in claims:
        if claim.method in PUBLISHED_METHODS and claim.quantity == "test_accuracy_percent" and claim.reported_parameters:
            label, colour, marker = METHODS[PUBLISHED_METHODS[claim.method]]
            look = {"color": colour, "marker": marker, "markerfacecolor": "white", "linestyle": "none", "zorder": 3}
            new = PUBLISHED_METHODS[claim.method] not in named
            axis.plot(claim.reported_parameters, claim.reported_mean, **look, label=f"{label}, published" if new else None)
            named = named | {PUBLISHED_METHODS[claim.method]}


def _published(experiment: str, run: pd.Series, claims: list[Claim]) -> Claim | None:
    """The published number of the same method and nearest parameter count, if that is within 1 % (photonic QT: the bond dimension)."""
    if run.dataset != PUBLISHED_DATASET:
        return None
    methods = PUBLISHED_METHODS | {"classical_target": "classical", "cnn_978": "merlin_cnn", "photonic_logit_tanh": "merlin_variant"}
    own = [
        c for c in claims if methods.get(c.method) == experiment and c.quantity == "test_accuracy_percent" and c.reported_mean is not None
    ]
    if experiment == "quantum_train":
        return next((c for c in own if c.bond_dim == run.bond_dim), None)
    if len(own) == 1:
        return own[0]
    count = float(run.parameters_trained_used)
    near = [c for c in own if c.reported_parameters and abs(c.reported_parameters - count) <= 0.01 * count]
    return min(near, key=lambda c: abs((c.reported_parameters or 0) - count), default=None)


def _numbers(values: pd.Series) -> tuple[float, float, float]:
    found = summarise(values)
    return found.mean, found.mean if math.isnan(found.low) else found.low, found.mean if math.isnan(found.high) else found.high


def _epochs(run: pd.Series) -> str:
    """Passes over the training images; without any, the rounds in which phases alone are trained."""
    if not pd.isna(run.epochs):
        return str(run.epochs)
    epochs = run.rounds * run.mapping_epochs
    return str(epochs) if epochs else f"{run.rounds} rounds"


def _setting(variant: str) -> str:
    """The first thing that a variant varies, in words."""
    return "" if variant == "base" or variant.startswith("name=") else variant.split(",")[0].replace("bond_dim", "bond dimension")
