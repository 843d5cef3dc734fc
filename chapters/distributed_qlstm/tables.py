"""Tables of sequence models."""

import pandas as pd

from lightweights.report.claims import Claim
from lightweights.report.comparisons import SMALLEST_N, p_value, signed_interval
from lightweights.report.measures import NOTHING, format_number
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise
from lightweights.report.table import Table, counts_cell, counts_of, from_three
from lightweights.report.verdicts import verdict_cell

from . import TASKS
from .arms import FAIR_ARMS, LINEAR, PUBLISHED_ARMS, VALUE
from .comparisons import MARGIN, differences, secondary

_COUNTS = "Trained numbers\n(stated / used / effective)"


def sequence_published(results: Results) -> Table | None:
    """The published protocol: published R2 beside ours, on the two published tasks; None without runs."""
    claims = {claim.id: claim for claim in results.claims}
    scores = {
        (row.dataset, claims[row.claim].conditions[0][2]): row for row in results.scores.itertuples() if row.quantity == "best_test_r2"
    }
    rows, cells = [], []
    for task, words in list(TASKS.items())[:2]:
        for arm in PUBLISHED_ARMS:
            own = arm.of(results.runs, task)
            if own.empty:
                continue
            score = scores.get((task, str(arm.settings.get("forecaster.shape"))))
            claim = claims[score.claim] if score is not None else None
            best, last, then = summarise(own.best_test_r2), summarise(own.test_r2), at_epoch(results, own, claim)
            row = {"task": words, "forecaster": arm.label, **counts_of(own), "published": claim.reported_mean if claim else None}
            row |= {"published_epoch": claim.at("epoch") if claim else None, **best.columns("best_"), **last.columns("last_")}
            rows.append(row | then.columns("then_") | {"verdict": score.verdict if score is not None else ""})
            cell = {"Series": words, "Forecaster": arm.label, _COUNTS: counts_cell(pd.Series(counts_of(own))), "n": str(best.n)}
            cell["Published R2\n(epoch)"] = NOTHING if claim is None else f"{claim.reported} ({claim.at('epoch'):.0f})"
            cell["Ours, best epoch"] = from_three(best, VALUE)
            cell["Ours, published epoch"] = from_three(then, VALUE)
            cell["Ours, last epoch"] = from_three(last, VALUE)
            cells.append(cell | {"Verdict": verdict_cell(score) if score is not None else NOTHING})
    if not rows:
        return None
    caption = (
        "The published protocol: the scale is that of the whole series, nothing is set aside, and the best epoch is the one of 100 where "
        "R2 on the test part is largest, as the sources seem to have chosen it; mean ± sd over seeds, [95 % t interval]. Forecasts by "
        "least squares and the last value again have no seeds. Numbers: trained, and effective: without those that move no output of "
        "their circuit. Published numbers of the distributed model stand beside 2 x 3 qubits, the natural reading."
    )
    return Table("sequence_published", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def at_epoch(results: Results, runs: pd.DataFrame, claim: Claim | None) -> Summary:
    """R2 on the test part at the epoch that a claim names."""
    epoch = claim.at("epoch") if claim is not None else None
    if epoch is None:
        return summarise([])
    history = results.history(runs)
    return summarise(history[history.epoch == epoch].test_r2)


def sequence_fair(results: Results) -> Table | None:
    """The fair protocol: every forecaster on every series; None without runs."""
    rows, cells = [], []
    for task, words in TASKS.items():
        for arm in FAIR_ARMS:
            own = arm.of(results.runs, task)
            if own.empty:
                continue
            value, error = summarise(own[VALUE]), summarise(error_to_linear(own, LINEAR.of(results.runs, task)))
            row = {"task": words, "forecaster": arm.label, **counts_of(own), **value.columns()}
            rows.append(row | error.columns("error_to_linear_"))
            cell = {"Series": words, "Forecaster": arm.label, _COUNTS: counts_cell(pd.Series(counts_of(own))), "n": str(value.n)}
            cells.append(cell | {"R2": from_three(value, VALUE), "Error / linear": from_three(error, "error_to_linear")})
    if not rows:
        return None
    caption = (
        "The fair protocol: 20 transient points dropped, the scale that of the training part, the epoch of least validation loss kept out "
        "of 100; R2 on the last third, mean ± sd over seeds, [95 % t interval]. Error / linear: test error, root mean square, in units of "
        "that of least squares on the same four values (five numbers). Numbers: trained, and effective: without those that move no output "
        "of their circuit."
    )
    return Table("sequence_fair", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def error_to_linear(own: pd.DataFrame, linear: pd.DataFrame) -> pd.Series:
    """Test errors, root mean square, in units of that of least squares on the same series and protocol; nothing where that was not run."""
    if linear.empty:
        return own[VALUE].iloc[:0]
    return ((1 - own[VALUE]) / (1 - linear[VALUE].iloc[0])) ** 0.5


def sequence_split(results: Results) -> Table | None:
    """Split circuits minus what they are compared with, paired by seed; None without pairs."""
    primary, others = differences(results.runs), secondary(results.runs)
    data = pd.concat([part for part in (primary.assign(primary=True), others.assign(primary=False)) if len(part)] or [primary])
    if data.empty:
        return None
    cells = [
        {
            "Series": row.task,
            "Difference": f"{row.arm} minus {row.minus}",
            "n": str(row.n),
            "R2 [95 % interval]": signed_interval(pd.Series(row._asdict()), VALUE),
            "p (Holm)": p_value(row.p_holm),
            "p (equivalence)": p_value(row.p_equivalence) if row.primary else NOTHING,
            "": f"*{row.word}*" if row.primary else NOTHING,
        }
        for row in data.itertuples()
    ]
    caption = (
        "Under the fair protocol, paired by seed: mean [95 % t interval]. *differs*: p of the paired t test below 0.05 after Holm's "
        f"correction over all series and contrasts of the analysis plan that have {SMALLEST_N} pairs; *equivalent*: two one-sided tests "
        f"place it within ±{format_number(MARGIN, VALUE)} of R2 (p < 0.05); *open*: neither, or fewer pairs. The last contrasts of each "
        "series, without a word, are not the plan's."
    )
    return Table("sequence_split", caption, data, pd.DataFrame(cells))
