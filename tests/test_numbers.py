"""The numbers of RESULTS.md and of the chapters' pages, computed again from runs.csv with pandas and scipy alone."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from scipy import stats

from chapters.compression.facts import NEEDS
from lightweights.baselines.pruning import MagnitudePruned
from lightweights.networks.cnn import TargetCNN
from lightweights.photonics import Circuit
from lightweights.settings.reading import load_study

PAPER = Path("results/paper")
COLUMN = "test10k_accuracy_percent"
pytestmark = pytest.mark.skipif(not (PAPER / "runs.csv").is_file(), reason="the study's results are not here")


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return pd.read_csv(PAPER / "runs.csv", low_memory=False)


def page(name: str) -> str:
    return re.sub(r" {2,}", " ", (PAPER / f"{name}.md").read_text())


def readme() -> str:
    return " ".join(Path("README.md").read_text(encoding="utf-8").split())


def interval(values, decimals: int = 2) -> str:
    values = np.asarray(values, dtype=float)
    ends = (clean(end, decimals) for end in (low(values), 2 * values.mean() - low(values)))
    return f"{values.mean():.{decimals}f} [{', '.join(ends)}]"


def welch(first, second) -> str:
    """The difference of two means with Welch's interval."""
    ends = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    return f"{first.mean() - second.mean():+.2f} [{clean(ends.low)}, {clean(ends.high)}]"


def signed(values, decimals: int = 2) -> str:
    text = interval(values, decimals)
    return text if text.startswith("-") else f"+{text}"


def low(values) -> float:
    """The lower end of the 95 % t interval."""
    return values.mean() - stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)


def clean(value: float, decimals: int = 2) -> str:
    nothing = f"{0:.{decimals}f}"
    return f"{value:.{decimals}f}".replace(f"-{nothing}", nothing)


def spread(values, decimals: int = 2) -> str:
    values = np.asarray(values, dtype=float)
    return f"{values.mean():.{decimals}f} ± {values.std(ddof=1):.{decimals}f}"


def by_seed(runs: pd.DataFrame, column: str = COLUMN) -> pd.Series:
    return runs.set_index("seed")[column]


def of(runs: pd.DataFrame, experiment: str, **conditions) -> pd.DataFrame:
    found = runs[runs.experiment == experiment]
    for column, value in conditions.items():
        found = found[found[column.replace("__", ".")] == value]
    return found


def test_every_accuracy_of_table_3_and_its_interval(runs) -> None:
    text = page("quantum_train")
    for bond_dim in range(1, 11):
        own = of(runs, "quantum_train", bond_dim=bond_dim).test600_accuracy_percent
        same = own.std() < 1e-9
        told = f"{own.mean():.2f} ({len(own)} runs with the same value)" if same else interval(own)
        assert f"| {told} | {len(own)} |" in text, (bond_dim, told)


def test_the_first_page_says_what_the_pages_say() -> None:
    """Its answers stand word for word on the pages, whose numbers are computed again here; its plain sentences have no others."""
    front = page("RESULTS")
    rows = re.findall(r"^\| [^|]+\? \| (.+?) \| [^|]+ \| [^|]+ \| \[[^]]+\]\((\w+)\.md\) \|$", front, re.MULTILINE)
    assert len(rows) == len(list(Path("chapters").glob("*/experiments.yaml")))
    for answer, name in rows:
        assert answer in " ".join(page(name).split()), name
    pages = " ".join(page(name) for _, name in rows)
    plain = front.split("\n\n")[1]
    numbers = re.findall(r"-?\d+(?:\.\d+)?", plain)
    assert numbers
    assert all(re.search(rf"(?<![\d.]){re.escape(number)}(?![\d])", pages) for number in numbers)


def test_both_protocols_after_equal_epochs(runs) -> None:
    text, full = page("quantum_train"), of(runs, "cobyla")
    short = of(runs, "protocols")
    cobyla, gradient = (by_seed(short[short.protocol == name]) for name in ("cobyla", "gradient"))
    assert signed(gradient - cobyla) in text
    powells = by_seed(of(runs, "cobyla_powell"))
    p = stats.ttest_rel(powells.sort_index(), cobyla.loc[powells.index].sort_index()).pvalue
    assert f"gradients minus Powell's are {signed(gradient - powells)} points (n = {len(powells)})" in text
    assert f"Powell's minus SciPy's {signed(powells - cobyla)} points (n = {len(powells)}, p = {p:.3f})" in text
    losses = [by_seed(part, "train_cross_entropy").sort_index() for part in (of(runs, "cobyla_powell"), short[short.protocol == "cobyla"])]
    p = stats.ttest_rel(*losses).pvalue
    assert f"Powell's minus SciPy's is {signed(losses[0] - losses[1], 4)} nats (n = {len(losses[0])}, p = {p:.3f}; single tests)" in text
    assert ("runs of full length use Powell's" in text) == (p < 0.05)
    longest = (by_seed(of(runs, "quantum_train", bond_dim=4)) - by_seed(full)).dropna()
    assert len(longest) == 1 and f"after 1000 epochs {longest.iloc[0]:+.2f} points (n = 1)" in text
    seconds = {name: by_seed(short[short.protocol == name], "wall_seconds") for name in ("cobyla", "gradient")}
    beside = of(runs, "quantum_train", bond_dim=4)
    beside = by_seed(beside[beside.device.isin(full.device)], "wall_seconds")  # of one kind of machine
    assert not (by_seed(full, "wall_seconds") / beside).notna().any()
    told = {name: f"{own.min():.0f} to {own.max():.0f}" for name, own in seconds.items()}
    assert f"in {len(seconds['cobyla'])} pairs of runs on machines of one kind, at loads that differ" in text
    assert f"gradients took {told['gradient']} seconds and SciPy's COBYLA of today {told['cobyla']}. " in text


def test_the_same_seeds_on_other_machines(runs) -> None:
    text, there = page("quantum_train"), pd.read_csv("chapters/quantum_train/elsewhere.csv")
    ratios = []
    for bond_dim, part in there.groupby("bond_dim"):
        own = by_seed(of(runs, "quantum_train", bond_dim=bond_dim))
        difference = (own - by_seed(part)).dropna()
        rms, other = np.sqrt((difference**2).mean()), np.sqrt(2) * own.std()
        cells = [bond_dim, len(difference), signed(difference), f"{rms:.2f}", f"{other:.2f}"]
        assert f"| {' | '.join(map(str, cells))} |" in text, bond_dim
        ratios.append(rms / other)
    assert f"{len(there)} runs of Table 3 had been made before on processors" in text
    assert f"is {min(ratios):.1f} to {max(ratios):.1f}, {np.median(ratios):.1f} in the median" in text


def test_the_sign_test_and_the_counts_of_verdicts(runs) -> None:
    text, scores = page("quantum_train"), pd.read_csv(PAPER / "scorecard.csv")
    train = scores[scores.claim.str.fullmatch(r"photonic_qt\.chi\d+\.train")]
    above = int((train["mean"] > train.reported.astype(float)).sum())
    p = stats.binomtest(above, len(train)).pvalue
    if p < 0.05:
        assert f"in {above} of {len(train)} (sign test, p = {p:.3f})" in text
    tables = scores[scores.claim.str.fullmatch(r"photonic_qt\.chi\d+\.\w+")]
    for quantity, words in (("test_accuracy_percent", "published test accuracy"), ("generalisation_error", "and generalisation error")):
        rows = tables[tables.quantity == quantity]
        above = int((rows["mean"] > rows.reported.astype(float)).sum())
        assert f"{words} in {above} of {len(rows)} (p = {stats.binomtest(above, len(rows)).pvalue:.3f})" in text
    own = scores[scores.claim.str.match(r"(photonic_qt|compression\.tenfold)\.")]
    assert f"{(own.verdict == 'reproduced').sum()} of {len(own)} judged numbers of photonic Quantum-Train are reproduced" in text
    target = scores[scores.claim.str.startswith("classical.")]
    assert f"{(target.verdict == 'reproduced').sum()} of {len(target)} of the target network" in text


def test_the_readmes_sentences_on_published_numbers(runs) -> None:
    words, scores = readme(), pd.read_csv(PAPER / "scorecard.csv").set_index("claim")
    accuracies, errors = (scores[scores.index.str.fullmatch(rf"photonic_qt\.chi\d+\.{kind}")] for kind in ("(train|test)", "gen"))
    told = [f"{(own.verdict == 'reproduced').sum()} of {len(own)}" for own in (accuracies, errors)]
    assert f"Of photonic Quantum-Train {told[0]} published accuracies and {told[1]} generalisation errors are reproduced" in words
    others = pd.concat([accuracies, errors])
    others = others[others.verdict != "reproduced"]
    hopeless = others.settles.str.startswith("no number of our seeds").mean()
    assert (others.verdict == "open").all() and hopeless > 0.5 and "the others stay open, most of them because the published" in words
    row, gain = scores.loc["compression.tenfold.relative_loss"], scores.loc["compression.over_classical"]
    assert f"loses {row['mean']:.1f} % [{row.ci95_low:.1f}, {row.ci95_high:.1f}] of its accuracy, not less than {row.reported} %" in words
    for method, spoken in (("weight sharing", "it gains {} points {} over weight sharing"), ("pruning", "and {} points {} over pruning")):
        mean, ends = re.search(rf"([\d.]+) (\[[^]]+\]) over {method}", gain.why).groups()
        assert spoken.format(mean, ends) in words
    assert (row.verdict, gain.verdict) == ("fails", "fails") and f"where {gain.reported} over classical methods are claimed" in words
    gained = re.search(r"pruning at the start ([+-][\d.]+ \[[^]]+\])", page("compression"))[1]
    mean, bottom, top = (-float(number) for number in re.findall(r"-?[\d.]+", gained.replace("+", "")))
    assert f"(on 10,000 images {mean:.2f} [{top:.2f}, {bottom:.2f}])" in words


def own_of(scores: pd.DataFrame, method: str) -> float:
    """The published validation accuracy of a method among some claims."""
    return float(scores[(scores.method == method) & (scores.quantity == "validation_accuracy_percent")].reported.iloc[0])


def test_the_readmes_sentence_on_distillation(runs) -> None:
    words, scores = readme(), pd.read_csv(PAPER / "scorecard.csv")
    own = scores[scores.claim.str.fullmatch(r"(teacher|pqkd_partial)\.mnist\.(train|validation)_\w+")]
    assert len(own) == 6 and f"{(own.verdict == 'reproduced').sum()} of 6 judged numbers are reproduced on MNIST" in words
    worse = own[own.verdict == "higher"]
    assert len(worse) == 2 and worse.quantity.str.contains("cross_entropy").all()
    assert "both cross-entropies come out worse than published" in words
    fashion = scores[scores.claim.str.fullmatch(r"(teacher|pqkd_partial)\.fashion-?mnist\.(train|validation)_\w+")]
    assert len(fashion) == 6 and f"{(fashion.verdict == 'reproduced').sum()} of 6 on Fashion-MNIST" in words
    student, teacher = (
        by_seed(of(runs, f"pqkd_{kind}_published", dataset="fashion-mnist"), "validation_accuracy_percent")
        for kind in ("student", "teacher")
    )
    below = teacher - student
    published = own_of(fashion, "pqkd_partial") - own_of(fashion, "teacher")
    ends = f"[{low(below):.2f}, {2 * below.mean() - low(below):.2f}]"
    told = f"students end {below.mean():.2f} points {ends} below their teachers on validation images, published {published:.2f} above"
    assert told in words and low(below) > 0
    cifar = scores[scores.claim.str.fullmatch(r"(teacher|pqkd_partial)\.cifar-10\.(train|validation)_\w+")]
    assert len(cifar) == 6 and set(cifar.verdict) == {"higher", "lower"} and "none of 6 on CIFAR-10" in words
    kinds = ("teacher", "student")
    teacher, student = (by_seed(of(runs, f"pqkd_{k}_published", dataset="cifar-10"), "validation_accuracy_percent") for k in kinds)
    below, published = teacher - student, own_of(cifar, "teacher") - own_of(cifar, "pqkd_partial")
    ends = f"[{low(below):.2f}, {2 * below.mean() - low(below):.2f}]"
    assert f"teachers end {own_of(cifar, 'teacher') - teacher.mean():.2f} points below the published ones" in words
    assert f"students {below.mean():.2f} {ends} below their teachers, published {published:.2f}" in words
    controls = of(runs, "pqkd_controls")
    of_source = {source: by_seed(part, "test_accuracy_percent") for source, part in controls.groupby("feature.source")}
    lost = of_source["photonic"] - of_source["gaussian-fixed"]
    assert f"is {lost.mean():+.2f} points [{low(lost):.2f}, {2 * lost.mean() - low(lost):.2f}] on MNIST, open, after 10 epochs on" in words
    assert set(controls.epochs) == {10} and controls.variant.str.contains("train_images=12000").all() and " on 12,000 images;" in words


READ = {
    "long_hypernetwork": ("a hypernetwork, the same idea without anything quantum, does better", "higher", "higher"),
    "long_magnitude_pruning": ("and so does magnitude pruning", "higher", "higher"),
    "long_low_rank": ("low rank does worse at the smaller size", "lower", "higher"),
    "long_tensor_train": ("A tensor train does better at the smaller size", "higher", "open"),
    "long_plain": ("or trained on labels alone", "open", "open"),
    "long_small_cnn": ("smaller networks are not told apart, taught by the target network", "open", "open"),
}
"""What the README says of ordinary methods, at the smaller and the larger size."""


def test_the_readmes_sentence_on_equal_training(runs) -> None:
    words = readme()
    apart = {
        (name, dim): welch(
            own[own.parameters_trained_used < 1000 if dim == 4 else own.parameters_trained_used > 1000][COLUMN],
            of(runs, "quantum_train", bond_dim=dim)[COLUMN],
        )
        for name in READ
        for dim in (4, 10)
        if len(own := of(runs, name))
    }
    assert len(apart) == 12 and "Six ordinary methods were trained for as many epochs" in words
    for name, (label, *sides) in READ.items():
        part = words.split("Six ordinary methods")[1].split("Of photonic distillation")[0]
        part = part.partition(label)[2]
        for dim, side in zip((4, 10), sides, strict=True):
            told = apart[name, dim].replace(" [", " points [") if (name, dim) == ("long_hypernetwork", 4) else apart[name, dim]
            low, high = (float(end) for end in told.split("[")[1].rstrip("]").split(", "))
            assert side == ("higher" if low > 0 else "lower" if high < 0 else "open")
            assert side == "lower" or told in part
    fewer = of(runs, "long_low_rank").parameters_trained_used.min() / of(runs, "quantum_train", bond_dim=4).parameters_trained_used.iloc[0]
    assert 0.79 < fewer < 0.82 and "at the smaller size, with a fifth fewer numbers" in words


def test_the_readmes_sentence_on_noise(runs) -> None:
    words, row = readme(), pd.read_csv(PAPER / "scorecard.csv").set_index("claim").loc["noise.worst_drop"]
    below, points = re.search(r"upper bounds of (\d+) points", row.why)[1], re.search(r"of the (\d+) points", row.why)[1]
    assert row.verdict == "open" and f"one-sided 95 % bounds of {below} of {points} devices lie below" in words
    own, lost = of(runs, "noise_none"), {}
    swept = "brightness|indistinguishability|g2|transmittance"
    for name in own.columns[own.columns.str.fullmatch(rf"photons_regenerated_({swept})=.*_accuracy_percent")]:
        lost[name] = (own[COLUMN] - own[name]).dropna()
    assert len(lost) == int(points)
    above, worst = sum(low(values) > 3 for values in lost.values()), max(lost.values(), key=lambda values: values.mean())
    told = f"{worst.mean():.1f} points [{low(worst):.1f}, {2 * worst.mean() - low(worst):.1f}]"
    assert f"{above} of the {points} are shown to lose more, up to {told}" in words


def test_the_readmes_sentences_on_what_stands_in_the_photons_place() -> None:
    """Words of the confirmation, and what is secondary by its intervals."""
    words = readme()
    table = pd.read_csv(PAPER / "tables/confirmation.csv")
    primary = table[table.kind == "primary"].set_index(["second", "bond_dim"])
    sizes = sorted(table.bond_dim.unique())
    assert "add accuracy to what the tensor network reaches alone, at each of three sizes" in words and len(sizes) == 3
    for size in sizes:
        assert primary.word["mps-only", size] == "differs" and primary["mean"]["mps-only", size] > 0
        for other in ("product-free", "classical-light"):
            worse = primary.word[other, size] == "differs"
            assert worse == (size == sizes[0]) and (primary["mean"][other, size] < 0 or not worse)
    larger = re.findall(r"\d+ minus \d+ alone [+-][\d.]+ \[(-?[\d.]+), ", page("ablation"))
    assert larger and all(float(end) <= 0 for end in larger) and "of about as many numbers, is nowhere shown to do worse" in words
    helped = [size for size in sizes if primary.word["distinguishable", size] == "differs"]
    matched = table[(table["first"] == "photonic") & (table.second == "distinguishable-matched")].set_index("bond_dim").loc[helped[0]]
    assert len(helped) == 1 and f"at one size of three, by {primary['mean']['distinguishable', helped[0]]:.1f} points" in words
    assert f"it is {matched['mean']:.1f} points and not shown" in words and matched.ci95_low < 0 < matched.ci95_high
    full = pd.read_csv(PAPER / "tables/secondary.csv").set_index("arm").loc[["product-free", "classical-light"]]
    assert (full.bond_dim == sizes[1]).all() and (full.ci95_high < 0).all()
    assert "after all 200 rounds, both do so at the middle size, too" in words


@pytest.mark.parametrize("reference", ["mps-only", "product-free"])
def test_every_difference_of_the_ablation(runs, reference) -> None:
    text = page("ablation")
    for bond_dim in (1, 2, 4, 7, 10):
        own = of(runs, "ablation", bond_dim=bond_dim)
        arms = {arm: by_seed(part) for arm, part in own.groupby("arm")}
        late = {arm: by_seed(part, f"last10_{COLUMN}") for arm, part in own.groupby("arm")}
        assert f"| {bond_dim} | {signed(arms['photonic'] - arms[reference])} (n = 5) |" in text
        assert signed(late["photonic"] - late[reference]) in text
        assert signed(arms["photonic"] - arms["distinguishable"]) in text


@pytest.mark.parametrize("reference", ["mps-only", "product-free"])
def test_words_of_the_ablation_after_holms_correction(runs, reference) -> None:
    """Over all differences to one reference that have five pairs, all bond dimensions together."""
    text, found = page("ablation"), {}
    for bond_dim in (1, 2, 4, 7, 10):
        arms = {arm: by_seed(part) for arm, part in of(runs, "ablation", bond_dim=bond_dim).groupby("arm")}
        for arm in set(arms) - {reference}:
            found[bond_dim, arm] = stats.ttest_1samp((arms[arm] - arms[reference]).dropna(), 0)
    p, largest = {}, 0.0
    for rank, key in enumerate(sorted(found, key=lambda key: found[key].pvalue)):
        largest = max(largest, (len(found) - rank) * found[key].pvalue)
        p[key] = min(largest, 1.0)
    better = [dim for dim, arm in p if arm == "photonic" and p[dim, arm] < 0.05 and found[dim, arm].statistic > 0]
    worse = [dim for dim, arm in p if arm == "photonic" and p[dim, arm] < 0.05 and found[dim, arm].statistic < 0]
    assert all(f" (n = 5) | {p[dim, 'photonic']:.3f}; " in text for dim in (1, 2, 4, 7, 10))
    label = {"mps-only": "MPS only (P = 1)", "product-free": "free product vectors"}[reference]
    fresh = set(of(runs, "confirmation").bond_dim)  # asked again there, and told by these alone
    for dims, side in ((sorted(set(better) - fresh), "better"), (sorted(set(worse) - fresh), "worse")):
        listed = f"{', '.join(map(str, dims[:-1]))} and {dims[-1]}" if len(dims) > 1 else "".join(map(str, dims))
        assert (f"- On the exploratory seeds, at bond dimension {listed} trained photons do {side} than {label}" in text) == bool(dims)


def test_arms_after_all_rounds(runs) -> None:
    text, photons = page("ablation"), by_seed(of(runs, "quantum_train", bond_dim=4), f"last10_{COLUMN}")
    for arm, part in of(runs, "full_length").groupby("arm"):
        difference = photons - by_seed(part, f"last10_{COLUMN}")
        assert len(difference) == 5 and signed(difference) in next(line for line in text.splitlines() if "After all 200 rounds" in line), (
            arm
        )


def test_classical_light_of_as_many_numbers_as_the_circuits_use(runs) -> None:
    told, name = next(line for line in page("ablation").splitlines() if "as many phases as the circuits use" in line), f"last10_{COLUMN}"
    for bond_dim in (1, 4, 10):
        light, photons = (of(runs, e, bond_dim=bond_dim) for e in ("classical_light_used", "confirmation"))
        photons = photons[photons.arm == "photonic"]
        assert set(light.parameters_trained_used) == set(photons.parameters_trained_used) and len(light) == 10
        assert f"{signed(by_seed(photons, name) - by_seed(light, name))} at bond dimension {bond_dim}" in told
        more = light.parameters_trained_effective.iloc[0] - photons.parameters_trained_effective.iloc[0]
        assert f"{more} numbers more than with photons" in told


def test_random_inputs_of_the_ablation(runs) -> None:
    text = page("ablation")
    for arm in ("paper-random", "gaussian-resampled", "gaussian-fixed", "dirichlet-fixed"):
        own = of(runs, "other_arms", arm=arm)[COLUMN]
        assert f"{spread(own)} [{interval(own).split('[')[1]}" in text
    for arm, label in (("gaussian-matched", "Gaussian, matched"), ("mps-only", "MPS only (P = 1)"), ("photonic", "photons, trained")):
        own = of(runs, "ablation", arm=arm, bond_dim=4)[COLUMN]
        assert f"| {label} | 4 | {spread(own)} [{interval(own).split('[')[1]} | {len(own)} |" in text


def test_gaps_at_both_ends_of_the_bond_dimension(runs) -> None:
    text = page("ablation")
    for arm in ("photonic", "mps-only"):  # after as many rounds
        ends = [of(runs, "ablation", bond_dim=bond_dim, arm=arm) for bond_dim in (1, 10)]
        assert {row for own in ends for row in own["rounds"]} == {60}
        assert all(f"{own.test10k_generalisation_error.mean():.3f} ± {own.test10k_generalisation_error.std():.3f}" in text for own in ends)
    gaps = {}
    for bond_dim in (4, 10):
        gaps[bond_dim] = []
        for folder in sorted((PAPER / "runs/quantum_train").glob(f"bond_dim={bond_dim}/seed-*")):
            history = pd.read_csv(folder / "history.csv")
            first = history[history.train_cross_entropy <= 0.2].iloc[0]
            gaps[bond_dim].append(first.test10k_cross_entropy - first.train_cross_entropy)
    losses = gaps[10]
    assert f"{np.mean(losses):.3f} ± {np.std(losses, ddof=1):.3f} with 3179" in text
    assert f"{interval(np.subtract(losses, gaps[4]), 3)} (paired by seed" in text


def test_every_method_of_the_comparison(runs) -> None:
    text = page("compression")
    rows = [line for line in text.splitlines() if re.match(r"\| (photonic QT|magnitude|low rank|tensor|hyper|distilled)", line)]
    cells = re.findall(r"(\d+\.\d\d ± \d+\.\d\d) \((\d+), (\d+) epochs, n = (\d+)\)", "\n".join(rows))
    assert len(cells) > 15
    names = ["quantum_train", "magnitude_pruning", "low_rank", "tensor_train", "hypernetwork", "small_cnn"]
    there = {}
    for _, part in runs[runs.experiment.isin(names)].groupby(["experiment", "variant"]):
        first = part.iloc[0]
        epochs = first.rounds * first.mapping_epochs if first.experiment == "quantum_train" else first.epochs
        there[spread(part[COLUMN]), str(int(first.parameters_trained_used)), str(int(epochs)), str(len(part))] = True
    assert all(cell in there for cell in cells)


def test_drops_under_noise(runs) -> None:
    text, clean_runs = page("noise"), by_seed(of(runs, "noise_none"))
    drops = {}
    for name in ("brightness", "indistinguishability", "g2", "transmittance"):
        for _, part in of(runs, f"noise_{name}").groupby("variant"):
            drops[name, part.variant.iloc[0]] = (clean_runs - by_seed(part)).dropna()
    worst = max(drops.values(), key=lambda drop: drop.mean())
    assert signed(worst) in text
    together = pd.DataFrame(drops).dropna().mean(axis=1)
    assert f"10,000 test images is {signed(together)} points (seeds that all points have, n = {len(together)})" in text
    bounds = {name: drop.mean() + stats.sem(drop) * stats.t.ppf(0.95, len(drop) - 1) for name, drop in drops.items()}
    beyond = [high for high in bounds.values() if high >= 3]
    assert f"the one-sided 95 % upper bounds of {len(bounds) - len(beyond)} points lie below 3" in text
    assert all(f"({high:.2f})" in text for high in beyond)
    for column in (COLUMN, "test600_accuracy_percent"):
        lost = by_seed(of(runs, "noise_none"), column) - by_seed(of(runs, "noise_mps_only"), column)
        assert f"{signed(lost)} points on" in text.partition("which no noise can change: ")[2].partition("\n")[0]
    for _, part in of(runs, "noise_cycles").groupby("variant"):
        assert signed((clean_runs - by_seed(part)).dropna()) in text
    generated = runs[runs.experiment == "noise_none"]
    for column in [name for name in runs if re.fullmatch(r"photons_regenerated_(splitter_bias|phase_error)=0\.3_accuracy_percent", name)]:
        assert signed(generated[COLUMN] - generated[column]) in text
    late = of(runs, "noise_staleness")
    for _, part in late.groupby("variant"):
        assert ", ".join(f"{value:.2f}" for value in by_seed(part).sort_index()) in text


def test_noise_at_generation_only(runs) -> None:
    text, own = page("noise"), of(runs, "noise_none")
    lost = {}
    for column in own:
        found = re.fullmatch(r"photons_regenerated_(\w+)=([\de.+-]+)_accuracy_percent", column)
        if found and own[column].notna().all():
            lost[found[1], float(found[2])] = own[COLUMN] - own[column]
    swept = {key: values for key, values in lost.items() if key[0] in ("brightness", "indistinguishability", "g2", "transmittance")}
    (least, few), (most, many) = (pick(swept.items(), key=lambda item: item[1].mean()) for pick in (min, max))
    above = sum(values.mean() > 3 for values in swept.values())
    assert f"{above} of {len(swept)} points have a mean loss above 3 points" in text
    assert f"from {signed(few)} ({least[0]}={least[1]:g}) to {signed(many)} points ({most[0]}={most[1]:g}); {above} of the means" in text
    clear = [values for values in lost.values() if low(values) > 0]
    told = next(line for line in text.splitlines() if "Noise at generation only" in line)
    large = [values for values in clear if low(values) > 3]
    assert f"wholly above 0 at {len(clear)} of {len(lost)} devices, and wholly above 3 at: " in told
    assert told.count("[") == len(large) and all(signed(values) in told for values in large)
    wholly = sum(any(values is swept[key] for values in large) for key in swept)
    assert f"and {wholly or 'none'} of the intervals wholly" in text
    gained = []
    for name in (
        "brightness",
        "indistinguishability",
        "g2",
        "transmittance",
        "phase_error",
        "phase_imprecision",
        "splitter_bias",
        "cycles",
    ):
        setting = "photonics.cycles" if name == "cycles" else f"photonics.noise.{name}"
        for value, part in of(runs, f"noise_{name}").groupby(setting):
            again = by_seed(own, f"photons_regenerated_{name}={value:g}_accuracy_percent")
            gained.append((by_seed(part) - again).dropna())
    better = [values for values in gained if low(values) > 0]
    told = next(line for line in text.splitlines() if "on the same device" in line)
    assert f"wholly above 0 at {len(better)} of {len(gained)} devices" in told
    assert all((f"{signed(values)} points (n = {len(values)})" in told) for values in better if low(values) > 3)
    base = own[COLUMN] - own.photons_regenerated_base_accuracy_percent
    alone = by_seed(own) - by_seed(of(runs, "noise_mps_only"))
    assert signed(base) in text
    assert f"which no noise can change: {signed(alone.dropna())}" in text


def on_one_side(differences: list[pd.Series]) -> tuple[int | str, int | str]:
    ends = [stats.ttest_1samp(values.dropna(), 0).confidence_interval(0.95) for values in differences]
    return sum(low > 0 for low, _ in ends) or "none", sum(high < 0 for _, high in ends) or "none"


def counted(text: str, where: str) -> tuple[int | str, ...]:
    told = next(line for line in text.splitlines() if line.startswith(f"- [{where}](tables/"))
    found = re.search(r"of the (\d+) other intervals (\w+) lie wholly above 0(?: \(.*\))? and (\w+) wholly below", told)
    assert found is not None, told
    return tuple(int(number) if number.isdigit() else number for number in found.groups())


def test_photons_of_distillation_against_a_fixed_vector(runs) -> None:
    text, column = page("distillation"), "test_accuracy_percent"
    own = {source: by_seed(part, column) for source, part in of(runs, "pqkd_controls").groupby("feature.source")}
    for source in set(own) - {"photonic"}:
        assert signed(own["photonic"] - own[source]) in text, source
    others = {source: own[source] for source in set(own) - {"photonic", "gaussian-fixed"}}
    others |= {kind: by_seed(part, column) for kind, part in of(runs, "pqkd_mixing").groupby("student.mixing")}
    others["few"] = by_seed(of(runs, "pqkd_hypernetwork"), column)
    others["random angles"] = by_seed(of(runs, "pqkd_uniform_start", feature__source="photonic-frozen"), column)
    others["plain"] = by_seed(of(runs, "pqkd_plain", student__widths="[53, 106, 101]"), column)
    sides = on_one_side([own["photonic"] - values for values in others.values()])
    assert counted(text, "Partial compression") == (len(others), *sides) == (13, 5, "none")
    last: dict[str, dict[int, float]] = {}
    for folder in sorted((PAPER / "runs/pqkd_extreme_controls").glob("*/seed-*")):
        source, seed = folder.parent.name.split(",")[0].removeprefix("source="), int(folder.name.removeprefix("seed-"))
        last.setdefault(source, {})[seed] = pd.read_csv(folder / "history.csv")[column].tail(3).mean()
    photons = pd.Series(last["photonic"])
    paths = sorted((PAPER / "runs/pqkd_plain").glob("widths=5.10.14,*/seed-*/history.csv"))
    plain = [pd.read_csv(path)[column].tail(3).mean() for path in paths]
    frozen, large = (of(runs, f"pqkd_extreme_{name}") for name in ("frozen", "matched"))
    still = {source: by_seed(part, "last") for source, part in frozen.assign(last=last_epochs(frozen, column)).groupby("feature.source")}
    size = by_seed(large.assign(last=last_epochs(large, column)), "last")
    others = [pd.Series(last["distinguishable"]), pd.Series(plain), size, *still.values()]
    assert counted(text, "All convolutions") == (6, *on_one_side([photons - values for values in others]))
    below, beside = size - pd.Series(last["gaussian-fixed"]), photons - size
    enough = 2 * below.mean() - low(below) < 0 and low(beside) <= 0 <= 2 * beside.mean() - low(beside)
    told = f"falls as far: {signed(below)} points against that of size 1, and tuned photons minus it are {signed(beside)} (n = 5)"
    assert (told in text) == enough
    for source in ("gaussian-fixed", "distinguishable"):
        assert signed(photons - pd.Series(last[source])) in text
        assert spread(list(last[source].values())) in text


def test_calibration_is_told_by_the_articles_measure(runs) -> None:
    text, scores = page("distillation"), pd.read_csv(PAPER / "scorecard.csv").set_index("claim")
    schedules = (
        *(
            (f"100 epochs on all images of {name}", *(of(runs, f"pqkd_{kind}_published", dataset=name) for kind in ("student", "teacher")))
            for name in ("mnist", "fashion-mnist", "cifar-10")
        ),
        ("10 epochs on 12,000 images of mnist", of(runs, "pqkd_controls", feature__source="photonic"), of(runs, "pqkd_teacher_subset")),
    )
    errors = []
    for schedule, students, teachers in schedules:
        more = by_seed(students, "test_cross_entropy") - by_seed(teachers, "test_cross_entropy")
        half = stats.sem(more) * stats.t.ppf(0.975, len(more) - 1)
        word = "higher" if more.mean() > half else "not shown lower or higher"
        beside = signed(by_seed(students, "validation_cross_entropy") - by_seed(teachers, "validation_cross_entropy"), 4)
        told = f"{more.mean():+.4f} [{more.mean() - half:.4f}, {more.mean() + half:.4f}] nats (on validation images, which the article "
        published = ""
        if "epochs on all" in schedule:
            kinds = (scores.reported[f"{name}.{schedule.split()[-1]}.validation_cross_entropy"] for name in ("pqkd_partial", "teacher"))
            published = f", published {float(next(kinds)) - float(next(kinds)):+.3f}"
        told += f"tells of, {beside}{published}) after {schedule} (n = 5), {word};"
        assert told in text, told
        error = "test_calibration_error_percent"
        errors.append(signed(by_seed(students, error) - by_seed(teachers, error)))
    assert f"which is our own measure, {', '.join(errors[:-1])} and {errors[-1]} points" in text


def test_powells_cobyla_at_full_length(runs) -> None:
    text, published = page("quantum_train"), pd.read_csv(PAPER / "scorecard.csv").set_index("claim").loc["photonic_qt.chi4.test"]
    own, photons = of(runs, "cobyla_powell_full"), of(runs, "quantum_train", bond_dim=4)
    photons = photons[photons.seed.isin(own.seed)]
    told = next(line for line in text.splitlines() if line.startswith("After 1000 epochs gradients minus Powell's"))
    for column, decimals in ((COLUMN, 2), ("train_cross_entropy", 4)):
        for name in (column, f"last10_{column}"):
            assert signed(by_seed(photons, name) - by_seed(own, name), decimals) in told
    ours, (mean, sd, n) = own.test600_accuracy_percent, (float(published.reported), published.reported_sd_ddof1, int(published.reported_n))
    parts = ours.var() / len(ours), sd**2 / n
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(ours) - 1) + parts[1] ** 2 / (n - 1))
    apart, half = ours.mean() - mean, math.sqrt(sum(parts)) * stats.t.ppf(0.975, freedom)
    line = next(line for line in text.splitlines() if line.startswith("The verdict at bond dimension 4 is that of gradients"))
    assert f"is {spread(ours)} % (n = 3), {apart:+.2f} [{apart - half:.2f}, {apart + half:.2f}] points from the published one" in line


def test_teachers_students_and_how_far_they_are_compressed(runs) -> None:
    text, column = page("distillation"), "test_accuracy_percent"
    scores = pd.read_csv(PAPER / "scorecard.csv").set_index("claim")
    for dataset, suffix in (("mnist", ""), ("fashion-mnist", ""), ("cifar-10", "_cifar")):
        taught, student = (of(runs, f"pqkd_{kind}{suffix}", dataset=dataset) for kind in ("teacher", "student"))
        more = by_seed(student, column) - by_seed(taught, column)
        told = f"| {dataset}, {int(taught.epochs.iloc[0])} epochs, n = {len(taught)} |"
        row = next(line for line in text.splitlines() if line.startswith(told))
        for part in (taught, student):
            assert (spread(part[column]) if len(part) > 1 else f"{part[column].iloc[0]:.2f}") in row
        assert clean(more.mean()) in row
    for dataset in ("mnist", "fashion-mnist", "cifar-10"):
        taught, student = (by_seed(of(runs, f"pqkd_{kind}_published", dataset=dataset), column) for kind in ("teacher", "student"))
        cells = [f"{spread(part)} [{interval(part).split('[')[1]}" for part in (taught, student)]
        kinds = ("teacher", "student")
        checked = {kind: by_seed(of(runs, f"pqkd_{kind}_published", dataset=dataset), "validation_accuracy_percent") for kind in kinds}
        published = [scores.reported[f"{name}.{dataset}.validation_accuracy_percent"] for name in ("teacher", "pqkd_partial")]
        shown = f"{checked['teacher'].mean():.2f} and {checked['student'].mean():.2f}; {' and '.join(published)} |"
        assert f"| {dataset}, 100 epochs, n = 5 | {cells[0]} | {cells[1]} | {signed(student - taught)} | {shown}" in text
        told = f"On test images of {dataset} the student then has {signed(student - taught)} points against its teacher (n = 5), on "
        told += f"validation images {signed(checked['student'] - checked['teacher'])}, published "
        assert f"{told}{float(published[1]) - float(published[0]):+.2f}." in text
    full = scores[scores.index.str.fullmatch(r"(teacher|pqkd_partial)\.((fashion-)?mnist|cifar-10)\.(train|validation)_\w+")]
    beyond = full[(full.difference_low > 0) | (full.difference_high < 0)]
    for verdict, words in (("open", "by the correction for several"), ("reproduced", "within the tolerance although the interval")):
        listed = text.split(words)[1].split(": ", 1)[1].split(")")[0].split("; ") if (beyond.verdict == verdict).any() else []
        assert len(listed) == (beyond.verdict == verdict).sum()
        assert [one.split(" ")[0] for one in listed] == list(beyond.dataset[beyond.verdict == verdict])
    extreme = {"pqkd_extreme", "pqkd_extreme_narrow", "pqkd_extreme_controls"}
    found = runs[runs.experiment.isin(extreme) & (runs["feature.source"] == "photonic")]
    means = found.assign(last=last_epochs(found, column)).groupby(["experiment", "variant"])["last"].mean()
    assert f"test accuracy (mean of the last 3 epochs) {means.min():.2f} to {means.max():.2f} %" in text
    whole = last_epochs(of(runs, "pqkd_extreme_full"), column)
    assert f"321 times, test accuracy (mean of the last 3 epochs) {np.mean(whole):.2f} % (n = 2)" in text


def last_epochs(found: pd.DataFrame, column: str) -> list[float]:
    """Each run's mean over its last three epochs."""
    return [float(history[column].iloc[-3:].mean()) for history in histories(found)]


def histories(found: pd.DataFrame) -> list[pd.DataFrame]:
    folders = [PAPER / "runs" / row.experiment / row.variant / f"seed-{row.seed}" for row in found.itertuples()]
    return [pd.read_csv(folder / "history.csv") for folder in folders]


def test_gains_against_shots_and_their_fit(runs) -> None:
    text, column = page("distillation"), "test_accuracy_percent"
    zero = by_seed(of(runs, "pqkd_controls", feature__source="zero"), column)
    for experiment, angles in (("pqkd_shots", "tuned"), ("pqkd_shots_frozen", "frozen")):
        line = next(line for line in text.splitlines() if f"against shots, angles {angles}" in line)
        for _, own in of(runs, experiment)[["schedule.ema", "variant", "seed", column]].groupby("schedule.ema"):
            own = own[~own.variant.str.contains("exact")]
            own = own.assign(shots=own.variant.str.extract(r"^shots=(\d+)")[0].astype(float), gain=own[column] - own.seed.map(zero))
            fits = [np.polyfit(part.shots**-0.5, part.gain, 1) for _, part in own.groupby("seed")]
            assert f"delta_inf {spread([fit[1] for fit in fits])}, {spread(own[own.shots == 200].gain)} at 200 shots" in line
            slopes = [-fit[0] for fit in fits]
            unsure = "below 0" if 2 * np.mean(slopes) - low(np.array(slopes)) < 0 else "not shown"
            assert (f"c is {interval(slopes)}, whose sign is {unsure}" in line) == (np.mean(slopes) < 0)


def test_where_tuned_angles_end(runs) -> None:
    text = page("distillation")
    for experiment, where in (("pqkd_controls", "partial compression"), ("pqkd_extreme_controls", "all convolutions")):
        line = next(line for line in text.splitlines() if f"How far to trust it**, {where}" in line)
        for source in ("photonic", "distinguishable"):
            paths = sorted((PAPER / "runs" / experiment).glob(f"source={source},*/seed-*/history.csv"))
            ends = [pd.read_csv(path).theta_rms.iloc[-1] for path in paths]
            assert f"{min(ends):.1f} to {max(ends):.1f} (" in line
            answer = (
                text[text.lower().index(f"{where}: photons minus a fixed gaussian vector is ") :]
                .split("** ")[0]
                .split("; ")[0]
                .split("\n")[0]
            )
            assert ("of runs that have not converged" in answer) == (experiment == "pqkd_extreme_controls") == (max(ends) > 1.5), answer
            if (stuck := sum(end > 3.04 for end in ends)) and source == "distinguishable":
                assert f"{stuck} of {len(ends)} runs with practically all angles at the clip" in line


def test_where_nothing_is_tuned_at_extreme_compression(runs) -> None:
    """Photons frozen at random angles beside distinguishable ones and a Gaussian vector of their size, by the mean of the last epochs."""
    text, own = page("distillation"), of(runs, "pqkd_extreme_frozen")
    own = own.assign(last=last_epochs(own, "test_accuracy_percent"))
    ends = {source: by_seed(part, "last") for source, part in own.groupby("feature.source")}
    line = next(line for line in text.splitlines() if line.startswith("- **Where nothing is tuned**"))
    assert f"photons, frozen at random angles, {spread(ends['photonic-frozen'])} % (n = {len(ends['photonic-frozen'])}), minus " in line
    gaps = [ends["photonic-frozen"] - ends[name] for name in ("distinguishable-frozen", "gaussian-matched")]
    assert all(f" {signed(gap)}" in line for gap in gaps)
    assert ("Neither interference nor photons" in line) == all(low(gap) <= 0 <= 2 * gap.mean() - low(gap) for gap in gaps)


def test_what_ordinary_methods_reach_at_equal_training(runs) -> None:
    text = page("compression")
    answer, labels = text.split("\n\n")[1], dict(long_plain="smaller CNN, labels alone", long_low_rank="low rank")
    labels |= dict(long_magnitude_pruning="magnitude pruning", long_tensor_train="tensor train", long_hypernetwork="hypernetwork")
    labels |= dict(long_small_cnn="distilled smaller CNN")
    sizes = ", ".join(f"at bond dimension {dim}" for dim in (4, 10)).split(", ")
    parts, p_values = dict(zip((4, 10), re.split("|".join(sizes), answer)[1:3], strict=True)), {}
    gaps: dict[tuple[str, int], str] = {}
    late_words = answer.split("In the mean of the last 50 epochs ")[1].split(" Magnitude pruning")[0]
    for dim, part in parts.items():
        photons = of(runs, "quantum_train", bond_dim=dim)
        part = part.split("Not yet trained so long")[0]
        cuts = sorted((part.index(words), words) for words in ("shown higher", "not told apart", "shown lower") if words in part)
        for name, label in labels.items():
            groups = [group for _, group in of(runs, name).groupby("variant")]
            if not groups:
                assert label not in part and label in answer.split("Not yet trained so long: ")[1]
                continue
            count = photons.parameters_trained_used.iloc[0]
            own = min(groups, key=lambda group: abs(math.log(group.parameters_trained_used.iloc[0] / count)))
            more = own.parameters_trained_used.iloc[0] / count - 1
            apart = f", {100 * abs(more):.0f} % {'more' if more > 0 else 'fewer'}" * bool(abs(more) > 0.05)
            told = f"{label} ({own.parameters_trained_used.iloc[0]} numbers{apart}) {(gap := welch(own[COLUMN], photons[COLUMN]))}"
            assert told in part, told
            gaps[name, dim] = gap
            ends = [float(end) for end in gap.split("[")[1].rstrip("]").split(", ")]
            side = "shown higher" if ends[0] > 0 else "shown lower" if ends[1] < 0 else "not told apart"
            assert [words for place, words in cuts if place < part.index(told)][-1] == side
            assert f"{spread(own[COLUMN])} ({own.parameters_trained_used.iloc[0]}, n = 5)" in text
            assert set(own.epochs) == {1000} and set(photons.rounds * photons.mapping_epochs) == {1000}
            p_values[name, dim] = stats.ttest_ind(own[COLUMN], photons[COLUMN], equal_var=False).pvalue
            gap = welch(late(own, "epoch", 950), late(photons, "round", 190))
            ends = [float(end) for end in gap.split("[")[1].rstrip("]").split(", ")]
            then = "shown higher" if ends[0] > 0 else "shown lower" if ends[1] < 0 else "not told apart"
            assert (f"{label} is {then} at bond dimension {dim} ({gap})" in late_words) == (then != side)
    corrected = holm(p_values)
    survive = sum(p < 0.05 for p in corrected.values())
    assert f"{survive} of these {len(p_values)} differences survive Holm's correction over all" in answer
    assert answer.split("by their single intervals not ")[1].split(".")[0].split(", ") == [
        f"{labels[name]} at bond dimension {dim}" for name, dim in p_values if p_values[name, dim] < 0.05 <= corrected[name, dim]
    ]
    assert "beside 4,000 steps of 1,000 images on the phases" in answer
    front = next(line for line in page("RESULTS").splitlines() if line.startswith(f"Of {len(p_values) // 2} ordinary methods"))
    ahead = [name for name in labels if all(gaps.get((name, dim), "-").startswith("+") and "[-" not in gaps[name, dim] for dim in (4, 10))]
    assert f" {len(ahead)} do better than photonic Quantum-Train at each size that was tried: " in front
    assert all(f"{labels[name]} {gaps[name, 4]} and {gaps[name, 10]}" in front for name in ahead)
    assert {(*row,) for row in photons[["schedule.phase_steps", "schedule.phase_batch_size"]].to_numpy()} == {(20, 1000)}


def holm(p_values: dict) -> dict:
    """P values after Holm's correction over all, by the same keys."""
    ranked = sorted(p_values, key=p_values.get)
    steps = np.maximum.accumulate([p_values[key] * (len(ranked) - place) for place, key in enumerate(ranked)])
    return dict(zip(ranked, steps, strict=True))


def late(found: pd.DataFrame, counted: str, after: int) -> pd.Series:
    """Each run's mean over the last 50 epochs."""
    return pd.Series([history[history[counted] > after][COLUMN].mean() for history in histories(found)])


def test_learning_rates_of_ordinary_methods_are_those_that_cut_images_chose(runs) -> None:
    tuned = pd.read_csv("results/learning_rates/runs.csv")
    experiments = yaml.safe_load(Path("chapters/compression/experiments.yaml").read_text(encoding="utf-8"))["experiments"]
    for name, settings in experiments.items():
        if name.startswith("long_"):
            own = tuned[tuned.experiment == name.replace("long_", "rate_")]
            means = own.groupby("schedule.lr").test_accuracy_percent.agg(["mean", "size"])
            assert set(means["size"]) == {4} and list(means.index) == [3e-4, 1e-3, 3e-3]
            assert settings["override"]["schedule.lr"] == means["mean"].idxmax()


def test_what_ordinary_methods_have_above_photons(runs) -> None:
    text, photons = page("compression"), of(runs, "quantum_train", bond_dim=10)[COLUMN]
    labels = {"magnitude_pruning": "magnitude pruning", "small_cnn": "distilled smaller CNN", "low_rank": "low rank"}
    labels |= {
        "tensor_train": "tensor train",
        "hypernetwork": "hypernetwork",
        "pruning": "pruning at the start",
        "weight_sharing": "weight sharing",
    }
    answer = next(
        line for line in text.splitlines() if line.startswith("After 50 epochs beside photons' 1000, which favours photons, at the size")
    )
    for experiment, label in labels.items():
        sizes = of(runs, experiment).groupby("variant")
        own = min((part for _, part in sizes), key=lambda part: abs(part.parameters_trained_used.mean() - 3271))[COLUMN]
        more = welch(own, photons)
        low, high = (float(end) for end in more.split("[")[1].rstrip("]").split(", "))
        told = {word: answer.partition(word)[2].partition("; ")[0] for word in ("shown higher ", "shown lower ")}
        told["not told apart "] = answer.partition("not told apart ")[2].partition("; shown lower")[0]
        assert f"{label} {more}" in told["shown higher " if low > 0 else "shown lower " if high < 0 else "not told apart "]


def test_effective_numbers_frozen_photons_and_equal_budgets(runs) -> None:
    text = page("ablation")
    small = of(runs, "ablation", bond_dim=1).groupby("arm").parameters_trained_effective.max()
    told = f"are {small['photonic']:.0f} with photons, {small['mps-only']:.0f} without, {small['product-free']:.0f} with ordinary ones"
    assert told in text
    for bond_dim in (1, 2, 4, 7, 10):
        own = of(runs, "ablation", bond_dim=bond_dim)
        arms = {arm: by_seed(part) for arm, part in own.groupby("arm")}
        frozen = signed(arms["photonic-frozen"] - arms["mps-only"])
        assert re.search(rf"{re.escape(frozen)} \(\w+\) at {bond_dim}[;.]", text)
    for bond_dim, larger, numbers in ((2, 3, 279), (4, 5, 775), (7, 8, 1984)):  # the plan's pairs
        alone = by_seed(of(runs, "mps_only_between", bond_dim=larger))
        own = by_seed(of(runs, "ablation", bond_dim=bond_dim, arm="photonic"))
        assert f"MPS only at {larger} ({numbers}): {signed(own - alone)} points" in text


def test_the_collision_free_yields_of_the_papers_circuits() -> None:
    text = " ".join(Path("docs/photonic_quantum_train.md").read_text(encoding="utf-8").split())
    generator = torch.Generator().manual_seed(0)
    found = []
    for modes, photons in ((9, 4), (8, 4)):
        circuit = Circuit(modes, photons)
        yields = circuit(torch.stack([circuit.random_phases(generator) for _ in range(4000)])).sum(-1)
        found.append((float(yields.mean()), float(yields.std()) / len(yields) ** 0.5))
    told = re.search(r"yield \(on average (0\.\d+) and (0\.\d+) for these two circuits at random phases\)", text)
    assert told is not None
    for number, (mean, error) in zip(told.groups(), found, strict=True):
        assert error < 0.002 and abs(float(number) - mean) < 3 * error


def free(baseline: MagnitudePruned) -> int:
    return sum(int(mask.sum()) for mask in baseline.masks().values())


def test_what_some_methods_need_besides() -> None:
    """The words of the page beside what the settings and the methods do."""
    study = load_study(Path("params.yaml"))
    runs = {run.experiment: run.settings for run in study.runs() if run.experiment in NEEDS}
    pruned = runs["magnitude_pruning"]
    assert pruned.baseline.dense_epochs * 2 == pruned.schedule.epochs
    network = TargetCNN((1, 28, 28), 10)
    baseline = MagnitudePruned(pruned.baseline, network)
    needs = f"trains all {free(baseline)} numbers for half of its epochs before it keeps so many"
    assert NEEDS["magnitude_pruning"] == f"{needs}; which ones it keeps is not counted"
    baseline.start_epoch(pruned.baseline.dense_epochs)
    assert free(baseline) == baseline.target_count()
    baseline.start_epoch(pruned.baseline.dense_epochs + 1)
    assert free(baseline) == pruned.baseline.parameters < baseline.target_count()
    assert runs["small_cnn"].baseline.label_share < 1  # its teacher's answers have the rest
    merlin = next(run.settings for run in study.runs() if run.experiment == "merlin_cnn")
    assert merlin.schedule.epochs == 3 and re.search(r"\| MerLin's network \|[^|]*\| 978 \|[^|]*\| 3 \|", page("tables/compression"))
