"""How much the photons move, and matter, in trained generators: a table and a figure of what the runs measured of themselves."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lightweights.study.claims import Claim
from lightweights.study.figures import BLACK, BLUE, TWO_COLUMNS, VERMILLION, styled, without_runs
from lightweights.study.statistics import summarise
from lightweights.study.tables import Table, format_number

_ACCURACIES = {
    "trained": "as trained",
    "shuffled": "P shuffled",
    "ones": "P = its mean",
    "redrawn": "new random phases",
}
_MEASURES = {
    "moved_total_variation": "Moved by training\n(total variation)",
    "random_total_variation": "Independent phases\n(total variation)",
    "variance_share_of_term": "Variance share\nof B P (%)",
    "variance_share_of_pattern": "Variance share of\nP's pattern (%)",
    "trained_accuracy_percent": "Accuracy (%)\nas trained",
    "shuffled_accuracy_percent": "Accuracy (%)\nP shuffled",
    "ones_accuracy_percent": "Accuracy (%)\nP = its mean",
    "redrawn_accuracy_percent": "Accuracy (%)\nnew phases",
}


def influence_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs of the arm ``photonic`` that measured the photons' influence."""
    if "photons_moved_total_variation" not in runs:
        return runs.iloc[:0]
    return runs[(runs.arm == "photonic") & runs.photons_moved_total_variation.notna()]


def photons_table(runs: pd.DataFrame) -> Table | None:
    """One row a bond dimension: how far the photons moved, what they carry, what remains without them; None without such runs."""
    own = influence_runs(runs)
    if own.empty:
        return None
    rows, cells = [], []
    for (bond_dim, rounds), group in own.groupby(["bond_dim", "rounds"]):
        cell = {"Bond\ndimension": str(bond_dim), "n": str(len(group))}
        for name, heading in _MEASURES.items():
            found = summarise(group[f"photons_{name}"])
            rows.append({"bond_dim": bond_dim, "rounds": rounds, "quantity": name} | found.columns())
            scale = 100 if name.startswith("variance") else 1
            spread = "" if np.isnan(found.sd) else f" ± {format_number(scale * found.sd, name)}"
            cell[heading] = format_number(scale * found.mean, name) + spread
        start, end = group.photons_effective_phases_at_start, group.parameters_phases_effective
        cell["Effective phases\nstart, end"] = f"{_range(start)}, {_range(end)}"
        rows.append(
            {"bond_dim": bond_dim, "rounds": rounds, "quantity": "effective_phases_at_start", "n": len(group), "mean": start.mean()}
        )
        rows.append({"bond_dim": bond_dim, "rounds": rounds, "quantity": "effective_phases_at_end", "n": len(group), "mean": end.mean()})
        cells.append(cell)
    caption = (
        "How much the photons move and matter in trained photonic Quantum-Train: mean ± sd (ddof = 1) over n seeds. Total variation "
        "between the normalised P before and after training, and between P of independent random phases, for scale. Shares of the "
        "variance of the weights w = A + B P: cov(B P, w) / var(w), and the same for P minus its mean. Accuracies on the largest test set "
        "with P as trained, shuffled, replaced by its mean (which is near 1), and from newly drawn phases, the mapping as trained."
    )
    return Table("photons", caption, pd.DataFrame(rows), pd.DataFrame(cells))


@styled
def photons(runs: pd.DataFrame, histories: pd.DataFrame, claims: list[Claim]) -> Figure:
    """Movement of P in training, shares of the weights' variance, and accuracy with P changed after training, by bond dimension."""
    own = influence_runs(runs)
    figure = Figure(figsize=(TWO_COLUMNS, 2.5), layout="constrained")
    if own.empty:
        return without_runs(figure)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 1.35])
    dims = sorted(own.bond_dim.unique())
    looks = {"moved": (BLUE, "o", "by training"), "random": (BLACK, "s", "independent phases")}
    for name, (colour, marker, label) in looks.items():
        _points(axes[0], own, dims, f"photons_{name}_total_variation", 1, colour, marker, label)
    axes[0].set(ylabel="Total variation of P", ylim=(0, 1))
    for name, colour, marker, label in (("term", BLUE, "o", "B P"), ("pattern", VERMILLION, "^", "B (P - mean)")):
        _points(axes[1], own, dims, f"photons_variance_share_of_{name}", 100, colour, marker, label)
    axes[1].set(ylabel="Share of the weights' variance (%)")
    axes[1].axhline(0, color=BLACK, linewidth=0.5)
    colours = (BLACK, BLUE, "#009E73", VERMILLION)
    for (name, label), colour, marker in zip(_ACCURACIES.items(), colours, "oD^s", strict=True):
        _points(axes[2], own, dims, f"photons_{name}_accuracy_percent", 1, colour, marker, label)
    axes[2].set(ylabel="Test accuracy (%)", ylim=(0, 100))
    for axis in axes:
        axis.set_xticks(range(len(dims)), [str(dim) for dim in dims])
        axis.set_xlim(-0.5, len(dims) - 0.5)
        axis.set_xlabel("Bond dimension")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.28), ncols=2 if axis is axes[2] else 1, handletextpad=0.3)
    return figure


def _points(axis, own: pd.DataFrame, dims: list[int], column: str, scale: float, colour: str, marker: str, label: str) -> None:
    for place, dim in enumerate(dims):
        values = scale * own[own.bond_dim == dim][column]
        axis.plot([place] * len(values), values, linestyle="none", marker=marker, color=colour, alpha=0.35, markersize=2.6)
    means = [scale * own[own.bond_dim == dim][column].mean() for dim in dims]
    axis.plot(range(len(dims)), means, color=colour, marker=marker, label=label)


def _range(values: pd.Series) -> str:
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low}-{high}"
