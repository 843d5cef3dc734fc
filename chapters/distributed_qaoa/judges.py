"""Judges of the published orderings, and of numbers that nobody can judge."""

from lightweights.report.claims import Claim, matching_runs
from lightweights.report.results import Results
from lightweights.report.statistics import Difference, summarise
from lightweights.report.verdicts import NO_RUNS, NOT_COMPARABLE, NOT_RUN, Evidence, Judgement, judge_range


def best_over_random_points(claim: Claim, results: Results) -> Evidence:
    """Mean value of the last shots on the best areas minus that on random ones, in points of the parts' largest cuts, paired by graph."""
    return _over(claim, results, "area_best", "area_random")


def random_over_worst_points(claim: Claim, results: Results) -> Evidence:
    """The same of random areas and the worst."""
    return _over(claim, results, "area_random", "area_worst")


def energy_change_percent(claim: Claim, results: Results) -> Evidence:
    """Against what the energy is reduced and on which network is not stated."""
    why = "neither the network nor what the energy is compared with is stated; a network of our own stands beside"
    return Evidence(Judgement(NOT_COMPARABLE, why))


def _over(claim: Claim, results: Results, one: str, other: str) -> Evidence:
    own, columns = matching_runs(claim, results.runs), [f"{name}_mean_percent" for name in (one, other)]
    if own.empty or claim.bounds is None or not set(columns) <= set(own):
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    ours = summarise(own[columns[0]] - own[columns[1]])
    found = {"points of the mean value of shots, paired by graph": Difference(ours.mean, ours.low, ours.high)}
    return Evidence(judge_range(claim.bounds, found, ours.n), ours, own)
