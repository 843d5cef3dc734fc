"""Gain over the zero feature against shots, and the law that is fitted to it."""

import math

import pandas as pd

from lightweights.report.statistics import Summary, summarise

from .students import HEADLINE, distilled_runs

SHOTS = {"pqkd_shots": "tuned", "pqkd_shots_frozen": "frozen"}
"""Experiments that vary the shots, and what their angles do."""


def shot_gains(runs: pd.DataFrame) -> pd.DataFrame:
    """delta(S): test accuracy over that of the zero feature with the same seed, NaN where that is missing. Columns ``experiment seed shots
    ema accuracy gain``; infinitely many shots are the exact expectation.
    """
    mine = distilled_runs(runs)
    zero = mine[(mine.experiment == "pqkd_controls") & (mine.source == "zero")].set_index("seed")[HEADLINE]
    found = mine[mine.experiment.isin(SHOTS)]
    table = found[["experiment", "seed", "shots", "ema", HEADLINE]].rename(columns={HEADLINE: "accuracy"})
    return table.assign(gain=table.accuracy - table.seed.map(zero).astype(float))


def shot_fits(gains: pd.DataFrame) -> dict[tuple[str, float], tuple[Summary, Summary]]:
    """delta_inf and c of delta(S) = delta_inf - c / sqrt(S), by experiment and EMA factor: fitted seed by seed, as runs of a seed share
    their teacher and the run with the zero feature, and summarised over seeds. Only seeds with three numbers of shots.
    """
    from lightweights.distillation.variance import asymptote  # imports torch

    fits = {}
    finite = gains[gains.gain.notna() & (gains.shots < math.inf)]
    for (experiment, ema), group in finite.groupby(["experiment", "ema"], sort=False):
        lines = [asymptote(own.shots.tolist(), own.gain.tolist()) for _, own in group.groupby("seed") if own.shots.nunique() > 2]
        if lines:
            fits[str(experiment), float(ema)] = (summarise([limit for limit, _ in lines]), summarise([slope for _, slope in lines]))
    return fits
