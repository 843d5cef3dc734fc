"""The forecasters of the tables and figures: which runs are whose, and what they are called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

VALUE = "test_r2"
"""The column that forecasters are compared by."""


@dataclass(frozen=True, eq=False)
class Arm:
    """A forecaster: its name in tables, family, experiment, and the settings that its runs have."""

    label: str
    family: str
    experiment: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def of(self, runs: pd.DataFrame, task: str) -> pd.DataFrame:
        """Its runs on a series, by seed."""
        own = runs[(runs.experiment == self.experiment) & (runs.dataset == task)]
        for path, value in self.settings.items():
            own = own[own[path].astype(str) == str(value)] if path in own else own.iloc[:0]
        return own.sort_values("seed")


def _circuits(shape: str, experiment: str) -> Arm:
    segments, _, qubits = shape.partition("x")
    family = "whole" if segments == "1" else "split"
    return Arm(
        f"{qubits} qubits" if family == "whole" else f"{segments} x {qubits} qubits", family, experiment, {"forecaster.shape": shape}
    )


def _lstm(hidden: int, experiment: str) -> Arm:
    return Arm(f"LSTM, {hidden} units", "LSTM", experiment, {"forecaster.hidden": hidden})


def _photons(shape: str, distinguishable: bool) -> Arm:
    segments, _, photons = shape.partition("x")
    name = f"{photons} photons" if segments == "1" else f"{segments} x {photons} photons"
    kind = ", distinguishable" if distinguishable else ""
    settings = {"forecaster.shape": shape, "forecaster.distinguishable": distinguishable}
    return Arm(f"{name}{kind}", "distinguishable" if distinguishable else "photons", "sequence_photons", settings)


SHAPES = ("1x3", "1x4", "1x5", "1x6", "2x2", "2x3", "3x2")
REFERENCES = ("linear", "persistence")
PUBLISHED_ARMS = (
    *(_circuits(shape, "sequence_published") for shape in SHAPES),
    *(_lstm(hidden, "sequence_published_lstm") for hidden in (4, 5, 6)),
    *(Arm(name, name, "sequence_published_linear", {"forecaster.cell": name}) for name in REFERENCES),
)
WHOLE_4, WHOLE_6, SPLIT_2X2, SPLIT_2X3, SPLIT_3X2 = (_circuits(shape, "sequence_circuits") for shape in ("1x4", "1x6", "2x2", "2x3", "3x2"))
PRODUCT_4, PRODUCT_6 = (
    Arm(f"{n} qubits without CNOTs", "without CNOTs", "sequence_product", {"forecaster.shape": f"1x{n}"}) for n in (4, 6)
)
LSTM_5, LSTM_6 = (_lstm(hidden, "sequence_lstm") for hidden in (5, 6))
PHOTONS_3, PHOTONS_2X2 = (_photons(shape, False) for shape in ("1x3", "2x2"))
WALKING_3, WALKING_2X2 = (_photons(shape, True) for shape in ("1x3", "2x2"))
GENERATED = Arm("generated LSTM, 15 units", "generated LSTM", "sequence_generated")
FROZEN = Arm("6 qubits, frozen", "frozen", "sequence_frozen")
LINEAR, PERSISTENCE = (Arm(name, name, "sequence_linear", {"forecaster.cell": name}) for name in REFERENCES)
FAIR_ARMS = (
    *(_circuits(shape, "sequence_circuits") for shape in SHAPES),
    PRODUCT_4,
    PRODUCT_6,
    PHOTONS_3,
    PHOTONS_2X2,
    WALKING_3,
    WALKING_2X2,
    GENERATED,
    FROZEN,
    _lstm(4, "sequence_lstm"),
    LSTM_5,
    LSTM_6,
    LINEAR,
    PERSISTENCE,
)

CONTRASTS = (
    (SPLIT_2X3, WHOLE_6),
    (SPLIT_2X2, WHOLE_4),
    (SPLIT_3X2, WHOLE_6),
    (SPLIT_2X3, LSTM_6),
    (SPLIT_2X2, LSTM_5),
    (SPLIT_2X3, PRODUCT_6),
    (SPLIT_2X2, PRODUCT_4),
)
"""What the analysis plan compares: split circuits minus whole ones, minus LSTMs, minus circuits without CNOTs, of equal numbers."""
SECONDARY = ((PHOTONS_3, WALKING_3), (PHOTONS_2X2, WALKING_2X2), (PHOTONS_2X2, PHOTONS_3), (GENERATED, LSTM_6))
"""Told with intervals, without words."""
