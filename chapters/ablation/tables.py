"""Tables of the ablation: every arm, the circuit as a factor, and how much the photons move and matter."""

import numpy as np
import pandas as pd

from lightweights.report.comparisons import STATISTICS, compared_column, listed, signed_interval
from lightweights.report.measures import format_number, set_name
from lightweights.report.results import Results
from lightweights.report.statistics import span, summarise
from lightweights.report.table import Table, counts_cell, counts_of, summary_cell

from . import CIRCUITS, CONFIRMATION
from .arms import ARM_LABELS, REFERENCES, arm_label, arm_runs, compare_arms, in_order
from .confirmation import confirmation_table
from .generalisation import generalisation_table
from .secondary import secondary_table

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


def ablation(results: Results) -> Table | None:
    """Every arm at every bond dimension: accuracy, honest counts, and differences to both references; None without such runs."""
    runs = results.runs
    named = arm_runs(runs)
    if named.empty:
        return None
    column = compared_column(runs)
    differences = pd.concat([compare_arms(runs, reference) for reference in REFERENCES], ignore_index=True)
    found = differences.set_index(["bond_dim", "rounds", "arm", "reference"])
    order = {arm: place for place, arm in enumerate(in_order(named.arm))}
    cells, rows = [], []
    for (_, arm), group in sorted(named.groupby(["setting", "arm"]), key=lambda item: (item[0][0], order[item[0][1]])):
        first, own = group.iloc[0], summarise(group[column])
        counts = counts_of(group)
        row = {"bond_dim": first.bond_dim, "rounds": first.rounds, "arm": arm} | counts
        row |= {"quantity": column} | own.columns()
        cell = {
            "Bond\ndimension": str(first.bond_dim),
            "Arm": arm_label(arm),
            "Parameters": counts_cell(pd.Series(counts)),
            "n": str(own.n),
        }
        cell["Test accuracy (%)"] = summary_cell(own, column)
        for reference in REFERENCES:
            key, short = (first.bond_dim, first.rounds, arm, reference), reference.replace("-", "_")
            heading = f"Minus\n{ARM_LABELS[reference].split(' (')[0]}"
            if key not in found.index:
                cell[heading] = "-"
                continue
            difference = found.loc[key]
            cell[heading] = f"{signed_interval(difference, column)}\n{difference.word}"
            row |= {f"minus_{short}_{name}": difference[name] for name in ("n", "mean", "ci95_low", "ci95_high", "p", "p_holm")}
            row |= {f"minus_{short}_p_equivalence": difference.p_equivalence, f"minus_{short}_word": difference.word}
        rows.append(row)
        cells.append(cell)
    rounds = sorted(named.rounds.dropna().unique())
    caption = (
        f"Arms of the ablation at equal training ({listed([str(n) for n in rounds])} rounds), {set_name(column)}. They share seeds, "
        f"initial mapping and order of batches. {STATISTICS} Parameters: as published / used / effective."
    )
    return Table("ablation", caption, pd.DataFrame(rows), pd.DataFrame(cells).fillna("-"))


def confirmation(results: Results) -> Table | None:
    """The primary and secondary contrasts on fresh seeds; None without such runs."""
    return confirmation_table(results)


def secondary(results: Results) -> Table | None:
    """Trained photons minus the arms that the plan names secondary; None without such runs."""
    return secondary_table(results)


def generalisation_by_arm(results: Results) -> Table | None:
    """Gap, test loss at its best round and gap at equal training loss, for every arm; None without such runs."""
    return generalisation_table(results)


def circuits(results: Results) -> Table | None:
    """The circuit as a factor: sizes, meshes, input states, with both networks; None without such runs."""
    mine, column = results.of(*CIRCUITS), compared_column(results.runs)
    rows, cells = [], []
    for (experiment, variant), group in mine.groupby(["experiment", "variant"], sort=False):
        first, own = group.iloc[0], summarise(group[column])
        counts = counts_of(group)
        rows.append({"experiment": experiment, "variant": variant, "quantity": column} | counts | own.columns())
        cells.append(
            {
                "Modes, photons of each circuit": circuit_sizes(first),
                "Mesh": first["photonics.mesh"],
                "Input state": first["photonics.input_state"],
                "Network": first.network,
                "Effective phases": span(group.parameters_phases_effective.astype(int)),
                "Parameters": counts_cell(pd.Series(counts)),
                "n": str(own.n),
                "Test accuracy (%)": summary_cell(own, column),
            }
        )
    if not rows:
        return None
    caption = (
        f"Trained photons in other circuits, at bond dimension {listed([str(dim) for dim in sorted(mine.bond_dim.unique())])}, "
        f"{listed([str(n) for n in sorted(mine.rounds.unique())])} rounds, {set_name(column)}. Mean ± sd (ddof = 1) over n seeds; in "
        "brackets the 95 % t interval. Parameters: as published / used / effective."
    )
    return Table("circuits", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def circuit_sizes(run: pd.Series) -> str:
    """Modes and photons of each circuit: ``(9, 4), (8, 4)``."""
    return str(run["photonics.circuits"]).replace("[", "(").replace("]", ")").removeprefix("(").removesuffix(")")


def influence_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs of the arm ``photonic``, of the exploratory comparison and of the confirmation, that measured the photons' influence."""
    if "photons_moved_total_variation" not in runs:
        return runs.iloc[:0]
    own = runs[runs.experiment.isin(("ablation", CONFIRMATION)) & (runs.arm == "photonic")]
    return own[own.photons_moved_total_variation.notna()]


def photons(results: Results) -> Table | None:
    """One row a bond dimension: how far the photons moved, what they carry, what remains without them; None without such runs."""
    own = influence_runs(results.runs)
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


def _range(values: pd.Series) -> str:
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low}-{high}"
