"""What the runs can give, chapter by chapter, with pandas, NumPy and SciPy alone: every mean, sd, interval and p that a page may state.

n, mean, sd (ddof = 1) and 95 % t interval of every number that runs.csv records, for every group of runs (a variant of an experiment, all
its seeds); of all differences of two groups, paired by seed, and of two percentages of one group; Welch's where runs share nothing; what is
published, and differences to it. The few quantities that are computed otherwise follow at the end.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy import stats
from scipy.sparse.csgraph import dijkstra

from chapters.distributed_qaoa.qubo import measure_large, measure_small
from chapters.distributed_qaoa.wireless import HEADS, NETWORKS, REACH, SENSORS, network

PAPER = Path("results/paper")
BESIDE_TABLE_3 = ("ablation", "compression")
"""Chapters that hold their runs against those of Table 3."""
UNPAIRED = ("compression", "partitioning")
"""Chapters that state differences of runs which share nothing."""
EXTREME = ("pqkd_extreme_controls", "pqkd_extreme_frozen", "pqkd_extreme_matched", "pqkd_plain")
"""Experiments of distillation that are judged by the mean of their last three epochs."""
COMPRESSED = ("pqkd_extreme", "pqkd_extreme_narrow", "pqkd_extreme_full", "pqkd_extreme_controls")
"""Experiments that are told by it beside their teachers."""
SWEPT = ("brightness", "indistinguishability", "g2", "transmittance")
"""What the published sweeps of noise vary."""
N, MEAN, SD, LOW, HIGH, P = range(6)


@dataclass(frozen=True)
class Possible:
    """Rows of ``N MEAN SD LOW HIGH P``, ordered by mean: of one series; of a difference of two; and of differences on training and
    validation data or to what is published, which tables and the scorecard have and no page states.
    """

    single: np.ndarray
    difference: np.ndarray
    elsewhere: np.ndarray


@cache
def all_runs() -> pd.DataFrame:
    return pd.read_csv(PAPER / "runs.csv", low_memory=False).copy()  # columns of a kind together: far faster to group


def of(*experiments: str) -> pd.DataFrame:
    return all_runs()[all_runs().experiment.isin(experiments)]


@cache
def of_chapter(chapter: str) -> Possible:
    """A frame for each recorded number, groups of runs as columns; one for each group, its percentages as columns; and what is computed
    otherwise. Rows of all are seeds, and two columns of a frame may be subtracted from each other.
    """
    experiments = yaml.safe_load(Path(f"chapters/{chapter}/experiments.yaml").read_text(encoding="utf-8"))["experiments"]
    runs = of(*experiments, *(["quantum_train"] if chapter in BESIDE_TABLE_3 else []))
    numbers = runs.loc[:, "train_accuracy_percent":].select_dtypes("number").dropna(axis=1, how="all").columns
    wide = runs.pivot_table(index="seed", columns=["experiment", "variant"], values=list(numbers))
    tested = [name for name in numbers if not re.match("(last10_)?(train|validation)_", name)]
    percentages = [name for name in tested if name.endswith("_percent") and not name.startswith("last10_")]
    groups = [own for _, own in runs.set_index("seed").groupby(["experiment", "variant"])[percentages]]
    frames = [wide[name] for name in tested] + groups + OTHERWISE.get(chapter, list)()
    training = [wide[name] for name in numbers.drop(tested)]
    ours, theirs = np.concatenate([summaries(frame.to_numpy(dtype=float)) for frame in frames + training]), published(chapter)
    printed = theirs[["n", "mean", "sd"]].assign(low=np.nan, high=np.nan, p=np.nan).to_numpy(dtype=float)
    bounded = ours.copy()
    bounded[:, [LOW, HIGH]] = bounded[:, [LOW, HIGH]].clip(0, 100)  # accuracies cannot lie beyond
    return Possible(
        ordered([ours, bounded, printed]),
        ordered(differences(frames, unpaired=chapter in UNPAIRED)),
        ordered([ours[:0], *differences(training), *minus_published(ours, theirs)]),
    )


def ordered(rows: list[np.ndarray]) -> np.ndarray:
    together = np.concatenate(rows)
    return together[np.argsort(together[:, MEAN])]


def summaries(values: np.ndarray) -> np.ndarray:
    """Of every column that has values, missing ones left out."""
    values = values[:, ~np.isnan(values).all(0)]
    n = (~np.isnan(values)).sum(0)
    mean = np.nansum(values, 0) / n
    sd = np.sqrt(np.nansum((values - mean) ** 2, 0) / np.where(n > 1, n - 1, np.nan))
    return rows_of(n, mean, sd, sd / np.sqrt(n), n - 1)


def welch(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Differences of means that are not paired, from their summaries."""
    one, other = (own[:, SD] ** 2 / own[:, N] for own in (first, second))
    with np.errstate(invalid="ignore"):
        freedom = (one + other) ** 2 / (one**2 / (first[:, N] - 1) + other**2 / (second[:, N] - 1))
    return rows_of(first[:, N], first[:, MEAN] - second[:, MEAN], np.full(len(first), np.nan), np.sqrt(one + other), freedom)


def rows_of(n: np.ndarray, mean: np.ndarray, sd: np.ndarray, error: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """With t interval and p of the t test from the standard error of the mean."""
    half = stats.t.ppf(0.975, freedom) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stats.t.sf(np.abs(mean) / error, freedom)
    return np.stack([n, mean, sd, mean - half, mean + half, p], axis=1)


def differences(frames: list[pd.DataFrame], unpaired: bool = False) -> list[np.ndarray]:
    """Of any two series of a frame, both ways round: paired by row; Welch's as well if asked, with the n of either."""
    found = []
    for frame in frames:
        values = frame.dropna(axis=1, how="all").to_numpy(dtype=float)
        i, j = np.triu_indices(values.shape[1], 1)
        single = summaries(values)
        found.append(summaries(values[:, i] - values[:, j]))
        found += [welch(single[i], single[j]), welch(single[j], single[i])] if unpaired else []
    return found + [rows[:, [N, MEAN, SD, HIGH, LOW, P]] * [1, -1, 1, -1, -1, 1] for rows in found]


def published(chapter: str) -> pd.DataFrame:
    """``n mean sd ddof`` as claims.csv has them, then as the sources' own files put them right."""
    claims = pd.read_csv(f"chapters/{chapter}/claims.csv").rename(columns=lambda name: name.removeprefix("reported_"))
    right = Path(f"chapters/{chapter}/corrections.csv")
    if right.is_file():
        claims = pd.concat([claims, pd.read_csv(right).merge(claims[["id", "n", "ddof"]], left_on="claim", right_on="id")])
    return claims[["n", "mean", "sd", "ddof"]].apply(pd.to_numeric, errors="coerce").dropna(subset="mean")


def minus_published(ours: np.ndarray, theirs: pd.DataFrame) -> list[np.ndarray]:
    """Every series minus every published mean: Welch's interval where its sd and n are known, else that of our mean alone."""
    found = []
    for n, mean, sd, ddof in theirs.itertuples(index=False):
        if sd > 0 and n > 1:
            sample = sd * np.sqrt(n / (n - 1)) if ddof == 0 else sd
            found.append(welch(ours, np.array([[n, mean, sample]])))
        else:
            found.append(rows_of(ours[:, N], ours[:, MEAN] - mean, ours[:, SD], ours[:, SD] / np.sqrt(ours[:, N]), ours[:, N] - 1))
    return found


# What is computed otherwise than from one number of a run, by chapter.


def of_histories(compute: Callable[[pd.DataFrame], float], *experiments: str) -> pd.DataFrame:
    """A number of each run's history; groups of the experiments as columns."""
    found = {}
    for experiment in experiments:
        for path in sorted((PAPER / "runs" / experiment).glob("*/seed-*/history.csv")):
            found[int(path.parts[-2].removeprefix("seed-")), f"{experiment}/{path.parts[-3]}"] = compute(pd.read_csv(path))
    return pd.Series(found).unstack()


def ablation() -> list[pd.DataFrame]:
    """Least test loss over all rounds, and the gap between test and training loss where the latter first falls to 0.2 nats."""

    def gap(history: pd.DataFrame) -> float:
        reached = history[history.train_cross_entropy <= 0.2]
        return (reached.test10k_cross_entropy - reached.train_cross_entropy).iloc[0] if len(reached) else np.nan

    return [of_histories(lambda history: history.test10k_cross_entropy.min(), "quantum_train"), of_histories(gap, "quantum_train")]


def adapters() -> list[pd.DataFrame]:
    """Nats a token, and what they are without adapters, of which there is one run, in every row."""
    runs = of("adapters_primary", "adapters_published", "adapters_controls", "adapters_ceiling")
    wide = runs.pivot(index="seed", columns=["experiment", "variant"], values="test_nats")
    return [wide.set_axis(range(wide.shape[1]), axis=1).assign(alone=of("adapters_frozen").test_nats.item())]


def distillation() -> list[pd.DataFrame]:
    """Means of the last three epochs; gains over the zero feature, and the line in 1 / sqrt(shots) through them, seed by seed; what
    teachers and students reach on validation images.
    """
    ends = of_histories(lambda history: history.test_accuracy_percent.tail(3).mean(), *EXTREME)
    zero = of("pqkd_controls").query("`feature.source` == 'zero'").set_index("seed").test_accuracy_percent
    teachers = ("pqkd_teacher", "pqkd_teacher_subset", "pqkd_teacher_narrow")
    found = [ends, of_histories(lambda history: history.test_accuracy_percent.tail(3).mean(), *COMPRESSED, *teachers)]
    for _, runs in of("pqkd_shots", "pqkd_shots_frozen").groupby(["experiment", "schedule.ema"]):
        gains = runs.pivot(index="seed", columns="feature.shots", values="test_accuracy_percent").sub(zero, axis=0).dropna()
        finite = gains.drop(columns="exact")
        slope, limit = np.polyfit(finite.columns.astype(float) ** -0.5, finite.T, 1)
        found.append(gains.assign(limit=limit, slope=-slope))
    taught = of("pqkd_teacher_published", "pqkd_student_published", "pqkd_teacher_subset", "pqkd_controls")
    for name in ("validation_accuracy_percent", "validation_cross_entropy"):
        found.append(taught.pivot(index="seed", columns=["experiment", "variant"], values=name))
    return found


def compression() -> list[pd.DataFrame]:
    """Means of the last 50 epochs at equal training: of photons' mapping five pass in a round."""
    names = [name for name in all_runs().experiment.unique() if name.startswith("long_")]
    long = of_histories(lambda history: history[history.epoch > 950].test10k_accuracy_percent.mean(), *names)
    photons = of_histories(lambda history: history[history["round"] > 190].test10k_accuracy_percent.mean(), "quantum_train")
    return [pd.concat([long, photons], axis=1)]


def distributed_qaoa() -> list[pd.DataFrame]:
    """Energies of the wireless network in percent above sending straight to the base: by shortest paths, and by cheapest hops to it; and
    what its QUBO comes to, whose minima tests/test_distributed_qaoa.py holds against brute force.
    """
    changes = []
    for seed in range(NETWORKS):
        drawn = network(SENSORS, HEADS, REACH, np.random.default_rng(seed))
        straight = ((drawn.places - drawn.places[-1]) ** 2).sum(1)
        least = dijkstra(np.where(np.isfinite(drawn.costs), drawn.costs, 0), indices=len(straight) - 1)
        greedy = np.zeros(len(straight))
        for node in straight.argsort()[1:]:  # from the base outwards
            nearer = np.flatnonzero(straight < straight[node])
            to = nearer[drawn.costs[node, nearer].argmin()]
            greedy[node] = drawn.costs[node, to] + greedy[to]
        changes.append([100 * (own[:SENSORS].sum() / straight[:SENSORS].sum() - 1) for own in (least, greedy)])
    return [pd.DataFrame(changes), measure_small(), measure_large()]


def hamiltoniq() -> list[pd.DataFrame]:
    """Scores with either optimiser, means over seeds, of all curves and of those of as many layers; rows are curves."""
    curves = of("hamiltoniq_curves").groupby(["benchmark.qubits", "benchmark.layers", "benchmark.optimiser"]).h_score.mean()
    return [curves.unstack(), *(own for _, own in curves.unstack().groupby("benchmark.layers"))]


def noise() -> list[pd.DataFrame]:
    """The loss in the mean over all points of the published sweeps, of seeds that have all; and on each device, weights trained under its
    noise beside those trained without.
    """
    without = of("noise_none").set_index("seed")
    found = []
    for column in ("test10k_accuracy_percent", "test600_accuracy_percent"):
        swept = of(*(f"noise_{name}" for name in SWEPT)).pivot(index="seed", columns=["experiment", "variant"], values=column)
        found.append((without[column] - swept.dropna().mean(axis=1)).to_frame())
    for column in without.filter(regex="^photons_regenerated_.*=.*_accuracy_percent$"):
        name, value = re.fullmatch("photons_regenerated_(.*)=(.*)_accuracy_percent", column).groups()
        runs = of(f"noise_{name}")
        under = runs[runs[f"photonics.{'cycles' if name == 'cycles' else f'noise.{name}'}"] == float(value)].set_index("seed")
        found.append(pd.DataFrame({"under": under.test10k_accuracy_percent, "without": without[column]}))
    return found


def partitioning() -> list[pd.DataFrame]:
    """The search from random starts alone beside the order, circuit by circuit."""
    keys, found = ["cutting.family", "cutting.qubits"], []
    landed = dict(list(of("ebits").set_index("seed").groupby(keys)))
    for key, runs in of("ebits_starts").set_index("seed").groupby(keys):
        for processors in (2, 4):
            random, order = runs[f"random_starts_pairs_{processors}"], landed[key][f"filled_pairs_{processors}"]
            found.append(pd.DataFrame({"random": random, "order": order}))
    return found


def qsvm() -> list[pd.DataFrame]:
    """The power of the number of qubits with which time grows; accuracies, each at its best number of qubits."""
    found = []
    for experiment in ("qsvm_mnist", "qsvm_digits"):
        runs = of(experiment)
        large = runs[runs["pair.qubits"] >= 32].groupby("seed")[["pair.qubits", "chain_kernel_seconds"]]
        power = large.apply(lambda own: np.polyfit(*np.log(own.to_numpy(dtype=float)).T, 1)[0])
        arms = runs.set_index(["pair.qubits", "seed"]).filter(regex="^(?!last10).*_tested_percent$").dropna(axis=1, how="all")
        found += [power.to_frame(), arms.apply(lambda own: own[own.groupby("pair.qubits").mean().idxmax()])]
    return found


def quantum_train() -> list[pd.DataFrame]:
    """Runs of Table 3 beside those of the same seeds on other machines; accuracy lost in percent of the target network's; and the training
    loss of the protocols, which COBYLA minimises.
    """
    there = pd.read_csv("chapters/quantum_train/elsewhere.csv").set_index(["seed", "bond_dim"]).test10k_accuracy_percent
    here = of("quantum_train").set_index(["seed", "bond_dim"]).test10k_accuracy_percent
    beside = [own for _, own in pd.DataFrame({"here": here, "there": there}).dropna().groupby("bond_dim")]
    small = of("quantum_train").pivot(index="seed", columns="bond_dim", values="test600_accuracy_percent")
    target = of("classical").set_index("seed").test600_accuracy_percent
    protocols = of("protocols", "cobyla_powell").pivot(index="seed", columns=["experiment", "variant"], values="train_cross_entropy")
    full = of("cobyla_powell_full", "quantum_train").query("bond_dim == 4")
    losses = [full.pivot(index="seed", columns="experiment", values=f"{part}train_cross_entropy") for part in ("", "last10_")]
    return [*beside, 100 * (1 - small.div(target, axis=0)), protocols, *losses]


OWN = (ablation, adapters, compression, distillation, distributed_qaoa, hamiltoniq, noise, partitioning, qsvm, quantum_train)
OTHERWISE = {own.__name__: own for own in OWN}
