"""Judges of the chapter's claims."""

from lightweights.report.claims import Claim
from lightweights.report.measures import format_number
from lightweights.report.results import Results
from lightweights.report.statistics import one_sided
from lightweights.report.verdicts import NO_RUNS, NOT_COMPARABLE, NOT_RUN, SMALLEST_N, TOO_FEW, Evidence, Judgement

from .comparisons import NEXT_TOKEN, Contrast, paired


def padded_perplexity(claim: Claim, results: Results) -> Evidence:
    """Perplexities that count padding, of networks that are not ours: nothing of ours stands beside them."""
    if NEXT_TOKEN.of_arm(results.runs, "lora", NEXT_TOKEN.all_numbers).empty:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    why = (
        "it counts padding, 87 % of the positions by the published log, and is of one run; ours is of real tokens, of another network and "
        "text (see the contradictions)"
    )
    return Evidence(Judgement(NOT_COMPARABLE, why))


def minus_lora_nats(claim: Claim, results: Results) -> Evidence:
    """As good as LoRA with a share of its numbers: the published generator minus all adapters, paired by seed. What was published is of
    other networks and texts and can neither hold nor fail here: ours stands beside it.
    """
    task, told = NEXT_TOKEN, {column: value for column, _, value in claim.conditions}
    contrast = Contrast(told["adapter.arm"], "lora", int(told["adapter.budget"]), task.all_numbers)
    found, _ = paired(results.runs, task, contrast)
    if not found.n:
        return Evidence(Judgement(NOT_RUN, NO_RUNS))
    used = task.of_arm(results.runs, contrast.arm, contrast.budget)
    if found.n < SMALLEST_N:
        return Evidence(Judgement(TOO_FEW, f"n = {found.n}; {SMALLEST_N} are needed"), found, used)
    low, high = one_sided(found)
    mean, bottom, top, margin = (format_number(value, task.value) for value in (found.mean, low, high, task.margin))
    outcome = "not inferior" if task.not_inferior(found) else "worse by more than the margin" if low > task.margin else "open"
    why = (
        "published of another network and text, other layers and padding that counts; in our setting the published generator with at most "
        f"{contrast.budget:,} numbers minus LoRA with all {task.all_numbers:,} is {mean} nats a real token, one-sided 95 % bounds {bottom} "
        f"and {top}, against a margin of {margin}: {outcome}"
    )
    return Evidence(Judgement(NOT_COMPARABLE, why), found, used)
