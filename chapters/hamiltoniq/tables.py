"""Score curves by optimiser, and scores under noise of one kind."""

import pandas as pd

from lightweights.report.measures import with_interval
from lightweights.report.results import Results
from lightweights.report.statistics import span, summarise
from lightweights.report.table import Table, short_cell

from .facts import Cell, cells_of

OPTIMISERS = {"powell": "Powell's", "scipy": "SciPy's"}
NOISY = {
    "hamiltoniq_readout": ("benchmark.readout_error", "bit read wrongly"),
    "hamiltoniq_layers": ("benchmark.layer_error", "layer lost"),
}
"""Experiments under noise: the setting that says how much, and words."""


def hamiltoniq_curves(results: Results) -> Table | None:
    """Distance from the published curve and H-score of a noiseless simulator, by optimiser; None without runs."""
    found = cells_of(results)
    if not found:
        return None
    display = []
    for qubits, layers in dict.fromkeys((cell.qubits, cell.layers) for cell in found):
        own = [cell for cell in found if (cell.qubits, cell.layers) == (qubits, layers)]
        row = {"Qubits": str(qubits), "Layers": str(layers), "n": span(cell.score.n for cell in own)}
        for cell in own:
            row |= _display(cell)
        display.append(row | {"Start\nH": short_cell(own[0].idle, "h_score")})
    caption = (
        "A noiseless simulator against the published score curves, which 10,000 such runs each gave, by implementation of COBYLA. "
        "Distance: largest distance of the distribution functions at the points of the curve that are here, a lower bound, all attempts "
        "together; in brackets what chance exceeds once in twenty, in italics beyond that, in bold where it is also beyond what chance "
        "exceeds once in twenty over all tests of the table. H: mean ± sd (ddof = 1) over n seeds, 1 by construction where the curve is "
        "right. Energies: number asked for, mean. Start: H of the angles that attempts start from, never optimised."
    )
    data = pd.DataFrame([cell.columns() for cell in found])
    return Table("hamiltoniq_curves", caption, data, pd.DataFrame(display).fillna("-"))


def _display(cell: Cell) -> dict[str, str]:
    name = OPTIMISERS[cell.optimiser]
    mark = "**" if cell.rejected else "*" * cell.far
    distance = f"{mark}{cell.distance:.3f}{mark}"
    return {
        f"{name}\ndistance": f"{distance} ({cell.chance:.3f})",
        f"{name}\nH": short_cell(cell.score, "h_score"),
        f"{name}\nenergies": f"{cell.energies:.0f}",
    }


def hamiltoniq_noise(results: Results) -> Table | None:
    """Scores under noise of one kind and stated size; None without runs."""
    rows, display = [], []
    for experiment, (path, words) in NOISY.items():
        for error, part in results.of(experiment).groupby(path):
            first, score = part.iloc[0], summarise(part["h_score"])
            qubits, layers = int(first["benchmark.qubits"]), int(first["benchmark.layers"])
            rows.append({"experiment": experiment, "qubits": qubits, "layers": layers, "error": error} | score.columns())
            cell = {"Noise": words, "Probability": f"{error:g}", "Qubits": str(qubits), "Layers": str(layers), "n": str(score.n)}
            display.append(cell | {"H [95 % interval]": with_interval(score.mean, score.low, score.high, "h_score")})
    if not rows:
        return None
    caption = (
        "H-scores under noise of one kind, the optimiser seeing what the noise leaves: a bit read wrongly with some probability, or a "
        "layer after which only uniform outcomes are left. Mean over n seeds. No device is meant."
    )
    return Table("hamiltoniq_noise", caption, pd.DataFrame(rows), pd.DataFrame(display))
