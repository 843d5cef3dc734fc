"""Ordinary methods trained as long as the mapping of photonic Quantum-Train, and how their learning rates are chosen."""

import math

import pandas as pd

from lightweights.report.comparisons import compared_column
from lightweights.report.measures import set_name, with_interval
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, summary_cell

from . import LONG, NEED_A_NETWORK
from .facts import chosen_rates, equal_training


def equal_training_table(results: Results) -> Table | None:
    """Photonic Quantum-Train and ordinary methods at about equal numbers and equal epochs; None without runs."""
    found, column = equal_training(results), compared_column(results.runs)
    rows, cells = [], []
    for size in found:
        for name, reached in size.methods.items():
            needs = "a trained network first" if name in NEED_A_NETWORK else ""
            label = LONG.get(name, "photonic QT")
            row = {"bond_dim": size.bond_dim, "experiment": name, "parameters": reached.numbers, "epochs": reached.epochs}
            rows.append(row | {"quantity": column} | reached.accuracy.columns())
            cell = {"As bond\ndimension": str(size.bond_dim), "Method": label, "Parameters": f"{reached.numbers:.0f}"}
            cell |= {"Epochs": str(reached.epochs), "Needs": needs or "-", "n": str(reached.accuracy.n)}
            cell["Test accuracy (%)"] = summary_cell(reached.accuracy, column)
            minus = size.minus_photons(name) if name != "quantum_train" else None
            rows[-1] |= {f"minus_photons_{part}": getattr(minus, part, math.nan) for part in ("value", "low", "high")}
            told = with_interval(minus.value, minus.low, minus.high, column, signed=True) if minus else "-"
            cells.append(cell | {"Minus photonic QT\n(points)": told})
    if not rows:
        return None
    caption = (
        f"Ordinary methods at about as many numbers as photonic Quantum-Train and trained for as many epochs, {set_name(column)}. "
        "Photonic QT's epochs are those of its mapping; its phases are trained besides. Each other method has its own learning rate, "
        "chosen on one set of images cut from training, by seeds that no reported run uses. Methods that need a trained network first "
        "stand last. Mean ± sd (ddof = 1) over n seeds, in brackets the 95 % t interval; differences with Welch's."
    )
    return Table("equal_training", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def learning_rates_table(results: Results) -> Table | None:
    """Accuracy on images cut from training by learning rate, and the rate that is chosen; None without runs."""
    rows, cells, chosen = [], [], chosen_rates(results)
    for name, best in chosen.items():
        runs = results.of(name.replace("long_", "rate_"))
        cell = {"Method": LONG[name]}
        for rate, part in runs.groupby("schedule.lr"):
            own = summarise(part["test_accuracy_percent"])
            rows.append({"experiment": name, "lr": rate, "chosen": rate == best, "quantity": "test_accuracy_percent"} | own.columns())
            by_size = part.groupby("parameters_trained_used")["test_accuracy_percent"].mean()
            rows[-1] |= {f"mean_{size}": mean for size, mean in zip(("small", "large"), by_size, strict=True)}
            cell["Numbers"] = " and ".join(map(str, by_size.index))
            cell[f"Rate {rate:g}"] = f"{own.mean:.2f}\n({' and '.join(f'{mean:.2f}' for mean in by_size)})"
        cells.append(cell | {"Chosen": f"{best:g}"})
    if not rows:
        return None
    caption = (
        "Accuracy (%) on one set of 1000 images cut from training by learning rate, mean over two sizes (in brackets each of them) and "
        f"{runs.seed.nunique()} tuning seeds. The best mean is chosen once; schedule.lr of the experiment that trains on all images is set "
        "to it. One image more right of 4000 is 0.025 points."
    )
    return Table("learning_rates", caption, pd.DataFrame(rows), pd.DataFrame(cells).fillna("-"))
