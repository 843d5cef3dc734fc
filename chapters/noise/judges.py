"""Judge of the claim that noise costs less than a bound: by one-sided 95 % bounds of each point, all of which must lie below."""

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, one_sided, seeds_needed
from lightweights.report.verdicts import FAILS, HOLDS, NO_RUNS, NOT_RUN, OPEN, SMALLEST_N, TOO_FEW, Evidence, Judgement

from . import SWEEPS
from .sweeps import JUDGED, beyond, mean_drop, sweep_drops


def worst_test_accuracy_drop_points_below(claim: Claim, results: Results) -> Evidence:
    """The largest drop of the noise sweeps against the bound, on the published test set: holds if those of all points do, of all sweeps."""
    bound, runs = claim.reported_mean, results.runs[results.runs.dataset == claim.dataset]
    assert bound is not None
    drops = sweep_drops(runs, JUDGED)
    if not drops:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    asked = {(run.experiment, run.variant) for run in results.study.runs() if run.experiment in SWEEPS}
    experiments = {experiment for experiment, _ in asked}
    where, worst = max(drops.items(), key=lambda point: point[1].mean)
    least = min(found.n for found in drops.values())
    ends = {name: one_sided(found) for name, found in drops.items()}
    below = sum(high < bound for _, high in ends.values())
    over = ", ".join(f"{name} {high:.2f} (n = {drops[name].n})" for name, high in beyond(drops, bound))
    mean = mean_drop(runs, JUDGED)
    whole = len(drops) == len(asked) and experiments == set(SWEEPS)
    points = f"the {len(drops)} points" if whole else f"{len(drops)} points ({len(asked)} asked for, of {len(experiments)} sweeps)"
    why = (
        f"worst of {points} of the four sweeps, trained under noise, at {where}, "
        f"against the same schedule without noise, paired by seed, test600; the one-sided 95 % upper bounds of {below} points lie below "
        f"{bound:g}{', not those of ' if over else ''}{over}"
    )
    if mean is not None and mean.n >= SMALLEST_N:
        why += f"; mean over the points {mean.mean:.2f} [{mean.low:.2f}, {mean.high:.2f}] (seeds that all have, n = {mean.n})"
    used = matching_runs(claim, results.runs)
    if least < SMALLEST_N:
        return Evidence(Judgement(TOO_FEW, f"n = {least}; {SMALLEST_N} are needed; {why}"), worst, used)
    above = any(low >= bound for low, _ in ends.values())
    all_below = below == len(asked) and experiments == set(SWEEPS)
    if all_below or above:
        return Evidence(Judgement(HOLDS if all_below else FAILS, why), worst, used)
    return Evidence(Judgement(OPEN, why, settles=_settles(bound, drops)), worst, used)


def _settles(bound: float, drops: dict[str, Summary]) -> str:
    """Seeds at which the upper bound of each point would lie below, if its mean and sd stay."""
    over = [name for name, found in drops.items() if found.mean >= bound]
    if over:
        return f"the means of {len(over)} points lie above {bound:g}: more seeds may show that it fails"
    needed = [seeds_needed(found.sd, bound - found.mean, level=0.1) for found in drops.values()]
    if any(n is None for n in needed):
        return "more seeds than can be trained"
    return f"{max(n for n in needed if n is not None)} seeds, from the sds at hand, if means stay"
