"""The article's laws of shot noise, measured on the study's feature without any training: variance and kernel error against shots, and what
a moving average leaves of the variance."""

import pandas as pd

from lightweights.distillation import build_source, feature_size
from lightweights.distillation.sources import Clicks
from lightweights.distillation.variance import (
    drawn_features,
    ema_factor,
    ema_of,
    exponent,
    kernel_error,
    predicted_kernel_error,
    predicted_variance,
    total_variance,
)
from lightweights.methods.distillation import interferometer
from lightweights.networks.dictionary import DictionaryConv2d
from lightweights.report.measures import NOTHING, significant
from lightweights.report.table import Table
from lightweights.settings.study import Study
from lightweights.training.randomness import stream

SHOTS = (10, 30, 100, 300, 1000, 3000, 10_000)
REPEATS = {10: 1500, 30: 800, 100: 400, 300: 150, 1000: 80, 3000: 30, 10_000: 10}
"""Features drawn for each number of shots: the variance of many bins needs few."""
CHAINS, UPDATES, EMA_SHOTS = 100, 120, 10
"""Independent sequences of features that a moving average runs over, whose second halves count, their length, and shots of a feature."""
BETAS = (0.5, 0.8, 0.9, 0.95)
LAYER = (32, 32)
"""Channels of the layer whose kernels' error is measured."""


def measure(study: Study) -> pd.DataFrame:
    """Measured and predicted, one row a point: ``law shots beta updates repeats measured standard_error predicted``.

    ``variance``: of the standardised feature at fixed random angles, summed over bins. ``kernel_error``: root mean square of a kernel's
    Frobenius distance from that of the exact feature. ``ema``: variance of the moving average over that of one feature.
    """
    circuit = interferometer(study.time_bin)
    draws = stream(0, "laws")
    source = build_source("photonic", circuit, 200, fit_draws=study.feature.fit_draws, generator=draws)
    assert isinstance(source, Clicks)
    theta = circuit.random_angles(draws)
    expected = source.standardised(source.expected(theta))
    layer = DictionaryConv2d(*LAYER, 3, study.student.rank, feature_size=feature_size(circuit.modes), generator=draws)
    rows = []
    for shots in SHOTS:
        features = drawn_features(source, theta, shots, REPEATS[shots], draws)
        measured, error = total_variance(features, expected)
        predicted = float(predicted_variance(source, theta, shots).sum())
        point = {"shots": shots, "repeats": REPEATS[shots]}
        rows.append({"law": "variance"} | point | {"measured": measured, "standard_error": error, "predicted": predicted})
        kernels, told = kernel_error(layer, features.float(), expected.float()), predicted_kernel_error(layer, predicted)
        half = kernels * error / measured / 2  # a root has half the relative error
        rows.append({"law": "kernel_error"} | point | {"measured": kernels, "standard_error": half, "predicted": told})
    features = drawn_features(source, theta, EMA_SHOTS, CHAINS * UPDATES, draws).view(UPDATES, CHAINS, -1)
    single, later = (features - expected).square().sum(-1).mean(0), range(UPDATES // 2, UPDATES)
    for beta in BETAS:
        left = (ema_of(features, beta)[later.start :] - expected).square().sum(-1).mean(0)
        ratio = float(left.mean() / single.mean())  # of the same draws: rare clicks that weigh much raise both
        error = float((left - ratio * single).std() / single.mean()) / CHAINS**0.5
        row = {"law": "ema", "shots": EMA_SHOTS, "beta": beta, "updates": UPDATES, "repeats": CHAINS}
        predicted = sum(ema_factor(beta, number + 1) for number in later) / len(later)
        rows.append(row | {"measured": ratio, "standard_error": error, "predicted": predicted})
    return pd.DataFrame(rows).astype({"updates": "Int64"})


def laws_table(laws: pd.DataFrame) -> Table:
    """The laws, measured beside predicted."""
    names = {"variance": "variance of the feature", "kernel_error": "error of a kernel", "ema": "share of variance left by averaging"}
    cells = []
    for row in laws.itertuples():
        setting = f"beta = {row.beta:g}" if row.law == "ema" else f"S = {row.shots:,}"
        ratio, error = row.measured / row.predicted, row.standard_error / row.predicted
        cells.append(
            {"Law": names[row.law], "At": setting, "Repeats": str(row.repeats)}
            | {
                "Measured": f"{significant(row.measured, 4)} ± {significant(row.standard_error, 2)}",
                "Predicted": significant(row.predicted, 4),
            }
            | {"Measured over\npredicted": f"{ratio:.3f} ± {error:.3f}"}
        )
    for law, expected in (("variance", "-1"), ("kernel_error", "-1/2")):
        mine = laws[laws.law == law]
        power = exponent(mine.shots.tolist(), mine.measured.tolist())
        cells.append(
            {"Law": names[law], "At": "power of S", "Repeats": NOTHING, "Measured": f"{power.value:.4f} ± {power.error:.2g}"}
            | {"Predicted": expected, "Measured over\npredicted": NOTHING}
        )
    caption = (
        "The laws of shot noise on the photonic feature at fixed random angles, without any training. Variance: summed over the bins of "
        "the standardised feature, predicted p (1 - p) / S in each. Error of a kernel: root mean square Frobenius distance from the "
        "kernel of the exact feature, predicted over all fixed matrices A; measured with one A, so that its rows are off alike. Averaging: "
        "variance of the moving average over that of one feature, predicted (1 - beta) / (1 + beta) after many updates (here "
        f"{UPDATES // 2} to {UPDATES}). ± standard error."
    )
    return Table("pqkd_laws", caption, laws, pd.DataFrame(cells))
