"""Judge of the claim that noise costs less than a bound."""

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.results import Results
from lightweights.report.verdicts import FAILS, HOLDS, NO_RUNS, NOT_RUN, OPEN, SMALLEST_N, TOO_FEW, Evidence, Judgement

from . import SWEEPS
from .sweeps import sweep_drops


def worst_test_accuracy_drop_points_below(claim: Claim, results: Results) -> Evidence:
    """The largest drop of the noise sweeps against the bound, on the published test set: holds if those of all points do, of all sweeps."""
    bound, runs = claim.reported_mean, results.runs[results.runs.dataset == claim.dataset]
    assert bound is not None
    drops = sweep_drops(runs, "test600_accuracy_percent")
    if not drops:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    asked = {(run.experiment, run.variant) for run in results.study.runs() if run.experiment in SWEEPS}
    experiments = {experiment for experiment, _ in asked}
    where, worst = max(drops.items(), key=lambda point: point[1].mean)
    least = min(found.n for found in drops.values())
    below = sum(found.high < bound for found in drops.values())
    why = (
        f"worst of {len(drops)} of {len(asked)} points of {len(experiments)} of the four sweeps, at {where}, against the same "
        f"schedule without noise, paired by seed, test600; the 95 % intervals of {below} points lie below {bound:g}"
    )
    used = matching_runs(claim, results.runs)
    if least < SMALLEST_N:
        return Evidence(Judgement(TOO_FEW, f"n = {least}; {SMALLEST_N} are needed; {why}"), worst, used)
    above = any(found.low >= bound for found in drops.values())
    all_below = below == len(asked) and experiments == set(SWEEPS)
    return Evidence(Judgement(HOLDS if all_below else FAILS if above else OPEN, why), worst, used)
