"""Is it the photons? Arms of the ablation compared seed by seed, as the analysis plan fixes it, and what follows in words."""

import math
from collections import Counter
from collections.abc import Iterable

import pandas as pd

from lightweights.params import Study
from lightweights.study.catalogue import CIRCUITS
from lightweights.study.collect import flatten, reported_test_sets
from lightweights.study.statistics import Summary, holm, paired_by_seed, paired_difference, span, summarise, tost
from lightweights.study.tables import NOTHING, Table, counts_cell, counts_of, format_number, markdown, summary_cell

REFERENCES = ("mps-only", "product-free")
MAIN_ARMS = ("photonic", "photonic-frozen", "product-free", "distinguishable", "gaussian-matched", "mps-only")
"""In the order of figures: the photons first, the reference last."""
MARGIN = 0.5
"""Points of test accuracy within which two arms count as equivalent."""
LEVEL = 0.05
SMALLEST_N = 5
"""Pairs of seeds that a comparison needs before it says anything but open."""
COLLAPSED = 20.0
"""Percent below which an accuracy on ten classes counts as collapsed."""
DIFFERS, EQUIVALENT, OPEN = "differs", "equivalent", "open"

ARM_LABELS = {
    "photonic": "photons, trained",
    "photonic-frozen": "photons, frozen",
    "mps-only": "MPS only (P = 1)",
    "product-free": "free product vectors",
    "distinguishable": "distinguishable photons",
    "gaussian-fixed": "Gaussian, fixed",
    "gaussian-matched": "Gaussian, matched",
    "dirichlet-fixed": "Dirichlet, fixed",
    "gaussian-resampled": "Gaussian, new each step",
    "paper-random": "paper's random inputs",
    "photonic-unnormalised": "photons, unnormalised",
    "gaussian-unnormalised": "Gaussian, unnormalised",
}


def in_order(arms: Iterable[str]) -> list[str]:
    """The arms in the order of the labels, users' own ones after them."""
    asked = set(arms)
    return [arm for arm in ARM_LABELS if arm in asked] + sorted(asked - set(ARM_LABELS))


def arm_label(arm: str) -> str:
    """An arm in words; one of a user's own by its name."""
    return ARM_LABELS.get(arm, arm)


_STATISTICS = (
    "Differences are paired by seed: mean [95 % t interval]. *differs*: p of the paired t test below 0.05 after Holm's correction over all "
    f"differences to the same reference that have {SMALLEST_N} pairs; *equivalent*: two one-sided tests place it within ±{MARGIN} points "
    "(p < 0.05); "
    f"*open*: neither, or fewer than {SMALLEST_N} pairs."
)


def arm_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with perfect devices that name an arm, with a column ``setting``: one number for all that they share besides it."""
    named = runs[runs.arm.notna() & ~runs.experiment.str.startswith("noise_")]
    shared = ["dataset", "network", "bond_dim", "protocol", "rounds", "mapping_epochs"]
    shared += [name for name in named if name.split(".")[0] in ("dataset", "network", "photonics", "mapping", "schedule") and "." in name]
    return named.assign(setting=named.groupby(shared, dropna=False, sort=True).ngroup())


def measure_of(runs: pd.DataFrame) -> str:
    """The column that arms are compared by: accuracy on the largest test set, which is named last."""
    return f"{reported_test_sets(runs)[-1]}_accuracy_percent"


def compare_arms(runs: pd.DataFrame, reference: str, last10: bool = False) -> pd.DataFrame:
    """Each arm minus ``reference`` under the same settings and seeds, after the last round or by the mean of the last 10 rounds.

    Columns: ``bond_dim rounds arm reference quantity n mean sd_ddof1 ci95_low ci95_high p p_holm p_equivalence word``; Holm's correction
    runs over all rows of enough pairs. Rows by bond dimension, then in the order of the arms.
    """
    named, column = arm_runs(runs), f"{'last10_' if last10 else ''}{measure_of(runs)}"
    rows = []
    for _, group in named.groupby("setting"):
        values = {arm: part.set_index("seed")[column] for arm, part in group.groupby("arm")}
        if reference not in values:
            continue
        for arm in [arm for arm in in_order(values) if arm != reference]:
            difference, p = paired_difference(values[arm], values[reference])
            if not difference.n:
                continue
            rows.append(
                {"bond_dim": group.bond_dim.iloc[0], "rounds": group.rounds.iloc[0], "arm": arm, "reference": reference, "quantity": column}
                | difference.columns()
                | {"p": p, "p_equivalence": tost(difference, MARGIN)}
            )
    names = ["bond_dim", "rounds", "arm", "reference", "quantity", "n", "mean", "sd_ddof1", "ci95_low", "ci95_high", "p", "p_equivalence"]
    return with_words(pd.DataFrame(rows, columns=names))


def with_words(table: pd.DataFrame) -> pd.DataFrame:
    """Differences to one reference (``n p p_equivalence``) with ``p_holm`` over those of enough pairs, and the plan's ``word``."""
    tested = table.n >= SMALLEST_N  # the others can only be open
    table = table.assign(p_holm=math.nan)
    table.loc[tested, "p_holm"] = holm(table.p[tested]) if tested.any() else []
    return table.assign(word=[word(row.n, row.p_holm, row.p_equivalence) for row in table.itertuples()])


def differences_asked(study: Study, reference: str) -> int:
    """How many differences to one reference a whole study has pairs enough for: those that Holm's correction will run over."""
    runs, seeds = study.runs(), Counter[tuple[str, str]]()
    of_variant = Counter((run.experiment, run.variant) for run in runs)
    for (experiment, variant), settings in {(run.experiment, run.variant): run.settings for run in runs}.items():
        if experiment.startswith("noise_") or settings.photonics is None or settings.photonics.arm is None:
            continue
        shared = {name: value for name, value in flatten(settings).items() if name != "photonics.arm"}
        seeds[str(shared), settings.photonics.arm] += of_variant[experiment, variant]
    enough = {key for key, n in seeds.items() if n >= SMALLEST_N}
    return sum(arm != reference and (shared, reference) in enough for shared, arm in enough)


def word(n: int, p_holm: float, p_equivalence: float) -> str:
    """One of the plan's three words."""
    if n < SMALLEST_N:
        return OPEN
    if p_holm < LEVEL:
        return DIFFERS
    return EQUIVALENT if p_equivalence < LEVEL else OPEN


def ablation_table(runs: pd.DataFrame) -> Table | None:
    """Every arm at every bond dimension: accuracy, honest counts, and differences to both references; None without such runs."""
    named = arm_runs(runs)
    if named.empty:
        return None
    column = measure_of(runs)
    differences = pd.concat([compare_arms(runs, reference) for reference in REFERENCES], ignore_index=True)
    found = differences.set_index(["bond_dim", "rounds", "arm", "reference"])
    order = {arm: place for place, arm in enumerate(in_order(named.arm))}
    cells, rows = [], []
    for (_, arm), group in sorted(named.groupby(["setting", "arm"]), key=lambda item: (item[0][0], order[item[0][1]])):
        first, own = group.iloc[0], summarise(group[column])
        counts = counts_of(group)
        row = {"bond_dim": first.bond_dim, "rounds": first.rounds, "arm": arm} | counts
        row |= {"quantity": column} | own.columns()
        cell = {
            "Bond\ndimension": str(first.bond_dim),
            "Arm": arm_label(arm),
            "Parameters": counts_cell(pd.Series(counts)),
            "n": str(own.n),
        }
        cell["Test accuracy (%)"] = summary_cell(own, column)
        for reference in REFERENCES:
            key, short = (first.bond_dim, first.rounds, arm, reference), reference.replace("-", "_")
            heading = f"Minus\n{ARM_LABELS[reference].split(' (')[0]}"
            if key not in found.index:
                cell[heading] = "-"
                continue
            difference = found.loc[key]
            cell[heading] = f"{signed_interval(difference, column)}\n{difference.word}"
            row |= {f"minus_{short}_{name}": difference[name] for name in ("n", "mean", "ci95_low", "ci95_high", "p", "p_holm")}
            row |= {f"minus_{short}_p_equivalence": difference.p_equivalence, f"minus_{short}_word": difference.word}
        rows.append(row)
        cells.append(cell)
    rounds = sorted(named.rounds.dropna().unique())
    caption = (
        f"Arms of the ablation at equal training ({_listed([str(n) for n in rounds])} rounds), {set_name(column)}. They share seeds, "
        f"initial mapping and order of batches. {_STATISTICS} Parameters: as published / used / effective."
    )
    return Table("ablation", caption, pd.DataFrame(rows), pd.DataFrame(cells).fillna("-"))


def circuits_table(runs: pd.DataFrame) -> Table | None:
    """The circuit as a factor: sizes, meshes, input states, with both networks; None without such runs."""
    mine, column = runs[runs.experiment.isin(CIRCUITS)], measure_of(runs)
    rows, cells = [], []
    for (experiment, variant), group in mine.groupby(["experiment", "variant"], sort=False):
        first, own = group.iloc[0], summarise(group[column])
        counts = counts_of(group)
        rows.append({"experiment": experiment, "variant": variant, "quantity": column} | counts | own.columns())
        cells.append(
            {
                "Modes, photons of each circuit": circuit_sizes(first),
                "Mesh": first["photonics.mesh"],
                "Input state": first["photonics.input_state"],
                "Network": first.network,
                "Effective phases": span(group.parameters_phases_effective.astype(int)),
                "Parameters": counts_cell(pd.Series(counts)),
                "n": str(own.n),
                "Test accuracy (%)": summary_cell(own, column),
            }
        )
    if not rows:
        return None
    caption = (
        f"Trained photons in other circuits, at bond dimension {_listed([str(dim) for dim in sorted(mine.bond_dim.unique())])}, "
        f"{_listed([str(n) for n in sorted(mine.rounds.unique())])} rounds, {set_name(column)}. Mean ± sd (ddof = 1) over n seeds; in "
        "brackets the 95 % t interval. Parameters: as published / used / effective."
    )
    return Table("circuits", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def circuit_sizes(run: pd.Series) -> str:
    """Modes and photons of each circuit: ``(9, 4), (8, 4)``."""
    return str(run["photonics.circuits"]).replace("[", "(").replace("]", ")").removeprefix("(").removesuffix(")")


def signed_interval(difference: pd.Series, column: str) -> str:
    """A difference with its sign and interval."""
    sign = "+" if difference["mean"] > 0 else ""
    text = sign + format_number(difference["mean"], column)
    if math.isnan(difference.ci95_low):
        return text
    return f"{text} [{format_number(difference.ci95_low, column)}, {format_number(difference.ci95_high, column)}]"


def signed_summary(difference: Summary, column: str) -> str:
    """The same of a summary; nothing where there are no pairs."""
    return signed_interval(pd.Series(difference.columns()), column) if difference.n else NOTHING


def findings(runs: pd.DataFrame, study: Study) -> str:
    """What was claimed, what was found, how sure we are, and what does not follow: Markdown, made from the runs alone."""
    named, column = arm_runs(runs), measure_of(runs)
    parts = [f"# Is it the photons? {study.study.title}", _claimed()]
    if named.empty:
        return "\n\n".join([*parts, "**Found.** The study has no runs of the ablation yet."]) + "\n"
    parts += [*_found(runs, column), _interference(runs, column), _collapse(named, column), _sure(runs, study)]
    parts.append("**What follows, and what does not.**\n\n" + "\n".join(f"- {line}" for line in what_follows(runs)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _claimed() -> str:
    return (
        "**Claimed** (arXiv 2505.08474, abstract): with random inputs in place of the photonic circuits, accuracy collapses to "
        "10.0 ± 0.5 %, so the photonic part is necessary. The authors' notebooks draw a new Gaussian vector at every forward pass and "
        "give all weights one random index, also new every time. No generator fed like this could hold a network's weights, with or "
        "without photons. The controls that decide the question keep everything else and replace the photons alone."
    )


def _collapse(named: pd.DataFrame, column: str) -> str:
    """What random inputs do, one clause an arm."""
    clauses = []
    for arm in ("paper-random", "gaussian-resampled", "gaussian-fixed", "gaussian-matched", "dirichlet-fixed", "mps-only", "photonic"):
        for bond_dim, part in named[named.arm == arm].groupby("bond_dim"):
            own = summary_cell(summarise(part[column]), column)
            clauses.append({"Arm": ARM_LABELS[arm], "Bond dimension": str(bond_dim), "Accuracy (%)": own, "n": str(len(part))})
    random = named[named.arm.isin(("paper-random", "gaussian-resampled", "gaussian-fixed", "dirichlet-fixed"))]
    if random.empty:
        return ""
    shared = set(random.bond_dim)
    rows = [clause for clause in clauses if clause["Bond dimension"] in {str(dim) for dim in shared}]
    return f"**Random inputs** ({set_name(column)}, mean ± sd [95 % t interval]):\n\n{markdown(pd.DataFrame(rows))}"


def _found(runs: pd.DataFrame, column: str) -> list[str]:
    texts, later = [], _photons(runs, last10=True)
    for reference, table in _photons(runs).items():
        if table.empty:
            continue
        rows = pd.DataFrame(
            {
                "Bond dimension": [str(row.bond_dim) for row in table.itertuples()],
                "Difference in points [95 % interval]": [signed_interval(row, column) for _, row in table.iterrows()],
                "n": [str(row.n) for row in table.itertuples()],
                "p (Holm)": [_p(row.p_holm) for row in table.itertuples()],
                "p (equivalence)": [_p(row.p_equivalence) for row in table.itertuples()],
                "Word": [f"**{row.word}**" for row in table.itertuples()],
                "Mean of the last 10 rounds": [f"{signed_interval(row, column)} {row.word}" for _, row in later[reference].iterrows()],
            }
        )
        texts.append(f"**Found: trained photons minus {ARM_LABELS[reference]}** ({set_name(column)}):\n\n{markdown(rows)}")
    return texts


def _interference(runs: pd.DataFrame, column: str) -> str:
    """Trained photons minus photons that do not interfere, at every bond dimension."""
    table = compare_arms(runs, "distinguishable")
    table = table[table.arm == "photonic"]
    if table.empty:
        return ""
    told = [f"{signed_interval(row, column)} points at bond dimension {row.bond_dim} (n = {row.n})" for _, row in table.iterrows()]
    return (
        f"**Is it interference?** Trained photons minus trained distinguishable photons, which need no quantum device: {'; '.join(told)}. "
        f"{' '.join(_against_distinguishable(runs))}"
    )


def _sure(runs: pd.DataFrame, study: Study) -> str:
    named = arm_runs(runs)
    counts = named[named.arm == "photonic"].groupby("setting").size()
    seeds = "no" if counts.empty else span(counts)
    return (
        f"**How sure.** {seeds} seeds an arm on {study.dataset.name}. {_STATISTICS} {words_so_far(runs, study)}The rule is that of the "
        "[analysis plan](../../docs/analysis_plan.md), where what was filled in later is dated. "
        "A set of weights that a short schedule leaves unfinished may come out otherwise after a longer one."
    )


def words_so_far(runs: pd.DataFrame, study: Study) -> str:
    """What is said of the words while not all differences that Holm's correction will run over have landed; else nothing."""
    asked = max(differences_asked(study, reference) for reference in REFERENCES)
    there = min(int(compare_arms(runs, reference).p_holm.notna().sum()) for reference in REFERENCES)
    return f"{there} of {asked} differences have landed: words can still change, as the correction grows with their number. " * (
        there < asked
    )


def _photons(runs: pd.DataFrame, last10: bool = False) -> dict[str, pd.DataFrame]:
    """Trained photons minus each reference of the plan."""
    against = {reference: compare_arms(runs, reference, last10) for reference in REFERENCES}
    return {reference: table[table.arm == "photonic"] for reference, table in against.items()}


def what_follows(runs: pd.DataFrame) -> list[str]:
    """What follows from the runs, and what does not, a sentence a line."""
    last = _photons(runs)
    lines = _in_short(*last.values()) + _by_word(last) + _by_last10(last, _photons(runs, last10=True)) + _at_equal_budget(runs)
    return lines + _frozen(runs) + _collapses(runs) + [_ELSEWHERE]


def in_brief(runs: pd.DataFrame) -> list[str]:
    """The lines of it that a table of differences does not tell."""
    lines = _in_short(*_photons(runs).values()) + _at_equal_budget(runs)
    lines += [f"Is it interference? {line}" for line in _against_distinguishable(runs)]
    return lines + _collapses(runs) + [_ELSEWHERE]


_ELSEWHERE = (
    "It does not follow that photons are useless, or useful, elsewhere: for other networks, data, circuits or mappings, with noise, or "
    "on hardware. All probabilities here are simulated exactly, and nothing is said about speed."
)


def _in_short(alone: pd.DataFrame, replaced: pd.DataFrame) -> list[str]:
    """The answer in one sentence, where the differences to each of the plan's references carry one."""
    gained = alone[(alone.word == DIFFERS) & (alone["mean"] > 0)]
    if gained.empty or replaced.empty:
        return []
    ahead = replaced[(replaced.word == DIFFERS) & (replaced["mean"] > 0)]
    rest = (
        "they are shown to do better than ordinary trained numbers in their place at none of the bond dimensions tried"
        if ahead.empty
        else f"they beat ordinary trained numbers in their place at bond dimension {_listed([str(dim) for dim in ahead.bond_dim])}"
    )
    return [
        f"In short: trained photons add to what the matrix product state reaches alone, shown at bond dimension "
        f"{_listed([str(dim) for dim in gained.bond_dim])}; {rest}."
    ]


def _by_word(last: dict[str, pd.DataFrame]) -> list[str]:
    """At which bond dimensions each word holds."""
    lines = []
    for reference, table in last.items():
        for kind in (DIFFERS, EQUIVALENT, OPEN):
            dims = table[table.word == kind]
            if dims.empty:
                continue
            where = f"bond dimension {_listed([str(dim) for dim in dims.bond_dim])}"
            label = ARM_LABELS[reference]
            if kind == DIFFERS:
                for better, part in dims.groupby(dims["mean"] > 0):
                    place = f"bond dimension {_listed([str(dim) for dim in part.bond_dim])}"
                    lines.append(
                        f"At {place} trained photons do {'better' if better else 'worse'} than {label}, by more than chance explains."
                    )
            elif kind == EQUIVALENT:
                lines.append(f"At {where} trained photons and {label} are equivalent within {MARGIN} points.")
            else:
                lines.append(f"At {where} the comparison with {label} is open: neither a difference nor equivalence is shown.")
    return lines


def _by_last10(last: dict[str, pd.DataFrame], later: dict[str, pd.DataFrame]) -> list[str]:
    """Which words hang on the last round."""
    changed = [
        f"bond dimension {row.bond_dim} minus {ARM_LABELS[reference]} would be {mean.word}, not {row.word}"
        for reference in last
        for row, mean in zip(last[reference].itertuples(), later[reference].itertuples(), strict=True)
        if row.word != mean.word
    ]
    return [f"Judged by the mean of the last 10 rounds, {'; '.join(changed)}."] if changed else []


def _at_equal_budget(runs: pd.DataFrame) -> list[str]:
    """Photons bring numbers of their own: against the largest matrix product state alone that trains no more than both together."""
    named, column, told = arm_runs(runs), measure_of(runs), []
    alone = [group for _, group in named[named.arm == "mps-only"].groupby("setting")]
    for _, own in named[named.setting.isin(named.setting[named.arm == "mps-only"]) & (named.arm == "photonic")].groupby("setting"):
        first = own.iloc[0]
        numbers = f"{first.parameters_trained_used:.0f}"
        larger = [
            group
            for group in alone
            if group.rounds.iloc[0] == first.rounds
            and group.bond_dim.iloc[0] > first.bond_dim
            and group.parameters_trained_used.iloc[0] <= first.parameters_trained_used
        ]
        for group in sorted(larger, key=lambda part: part.bond_dim.iloc[0])[-1:]:
            difference, _ = paired_by_seed(own, group, column)
            told.append(
                f"photons at bond dimension {first.bond_dim} ({numbers} numbers) minus MPS only at {group.bond_dim.iloc[0]} "
                f"({group.parameters_trained_used.iloc[0]:.0f}): {signed_summary(difference, column)} points (n = {difference.n})"
            )
    if not told:
        return []
    return [f"Photons bring trained numbers of their own, which a larger matrix product state could have instead: {'; '.join(told)}."]


def _against_distinguishable(runs: pd.DataFrame) -> list[str]:
    """Whether interference helps, by the intervals alone: the plan has no word for this comparison."""
    table = compare_arms(runs, "distinguishable")
    table = table[(table.arm == "photonic") & (table.n >= SMALLEST_N)]
    if table.empty:
        return []
    sides = {"above": table[table.ci95_low > 0], "below": table[table.ci95_high < 0]}
    told = [
        f"lie wholly {side} 0 at bond dimension {_listed([str(d) for d in part.bond_dim])}" for side, part in sides.items() if len(part)
    ]
    return [
        f"The intervals of trained photons minus distinguishable ones {' and '.join(told) or 'all contain 0'}. "
        "The plan fixed no word for this comparison, the intervals are not corrected for their number, and effective numbers differ."
    ]


def _collapses(runs: pd.DataFrame) -> list[str]:
    """Where random inputs collapse accuracy and where they do not."""
    named, column = arm_runs(runs), measure_of(runs)
    paper, resampled, fixed = (
        summarise(named[named.arm == arm][column]) for arm in ("paper-random", "gaussian-resampled", "gaussian-fixed")
    )
    kept = {"new random numbers at every step and the index bits kept": resampled, "random numbers that stay": fixed}
    alive = [f"{s.mean:.1f} % with {how} (n = {s.n})" for how, s in kept.items() if s.n and s.mean > 2 * COLLAPSED]
    if not (paper.n and paper.mean < COLLAPSED and alive):
        return []
    where = _listed([str(dim) for dim in sorted(set(named[named.arm == "paper-random"].bond_dim))])
    return [
        f"The published collapse is reproduced ({paper.mean:.1f} % of {set_name(column)} at bond dimension {where}, n = {paper.n}) where "
        f"the index bits are destroyed as well, and only there: accuracy is {' and '.join(alive)}. It says nothing about photons."
    ]


def _frozen(runs: pd.DataFrame) -> list[str]:
    table = compare_arms(runs, "mps-only")
    table = table[(table.arm == "photonic-frozen") & (table.n >= SMALLEST_N)]
    if table.empty:
        return []
    told = [f"{signed_interval(row, row.quantity)} ({row.word}) at {row.bond_dim}" for _, row in table.iterrows()]
    return [f"Photons that are not trained, minus {ARM_LABELS['mps-only']}, by bond dimension: {'; '.join(told)}."]


def set_name(column: str) -> str:
    """The test set of a column, in words."""
    return {"test10k": "MNIST's 10,000 test images", "test600": "the 600 test images"}.get(column.split("_")[0], "test images")


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _p(value: float) -> str:
    return "-" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
