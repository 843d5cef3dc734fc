"""The numbers of RESULTS.md and of the chapters' pages, computed again from runs.csv with pandas and scipy alone."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

PAPER = Path("results/paper")
COLUMN = "test10k_accuracy_percent"
pytestmark = pytest.mark.skipif(not (PAPER / "runs.csv").is_file(), reason="the study's results are not here")


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return pd.read_csv(PAPER / "runs.csv", low_memory=False)


def page(name: str) -> str:
    return re.sub(r" {2,}", " ", (PAPER / f"{name}.md").read_text())


def interval(values) -> str:
    values = np.asarray(values, dtype=float)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.2f} [{clean(values.mean() - half)}, {clean(values.mean() + half)}]"


def signed(values) -> str:
    text = interval(values)
    return text if text.startswith("-") else f"+{text}"


def clean(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00")


def spread(values) -> str:
    values = np.asarray(values, dtype=float)
    return f"{values.mean():.2f} ± {values.std(ddof=1):.2f}"


def by_seed(runs: pd.DataFrame, column: str = COLUMN) -> pd.Series:
    return runs.set_index("seed")[column]


def of(runs: pd.DataFrame, experiment: str, **conditions) -> pd.DataFrame:
    found = runs[runs.experiment == experiment]
    for column, value in conditions.items():
        found = found[found[column.replace("__", ".")] == value]
    return found


@pytest.mark.parametrize("name", ["RESULTS", "quantum_train"])
def test_every_accuracy_of_table_3_and_its_interval(runs, name) -> None:
    text = page(name)
    for bond_dim in range(1, 11):
        own = of(runs, "quantum_train", bond_dim=bond_dim).test600_accuracy_percent
        same = own.std() < 1e-9
        told = f"{own.mean():.2f} ({len(own)} runs with the same value)" if same else interval(own)
        assert f"| {told} | {len(own)} |" in text, (bond_dim, told)


def test_both_protocols_after_equal_epochs(runs) -> None:
    text, full = page("quantum_train"), of(runs, "cobyla")
    short = of(runs, "protocols")
    cobyla, gradient = (by_seed(short[short.protocol == name]) for name in ("cobyla", "gradient"))
    assert signed(gradient - cobyla) in text
    seconds = {name: by_seed(short[short.protocol == name], "wall_seconds") for name in ("cobyla", "gradient")}
    beside = by_seed(of(runs, "quantum_train", bond_dim=4), "wall_seconds")
    ratios = [*(seconds["cobyla"] / seconds["gradient"]), *(by_seed(full, "wall_seconds") / beside).dropna()]
    assert f"{min(ratios):.1f} to {max(ratios):.1f} times as long in {len(ratios)} single pairs" in text


def test_the_sign_test_and_the_counts_of_verdicts(runs) -> None:
    text, scores = page("quantum_train"), pd.read_csv(PAPER / "scorecard.csv")
    train = scores[scores.claim.str.fullmatch(r"photonic_qt\.chi\d+\.train")]
    above = int((train["mean"] > train.reported.astype(float)).sum())
    p = stats.binomtest(above, len(train)).pvalue
    if p < 0.05:
        assert f"in {above} of {len(train)} (sign test, p = {p:.3f})" in text
    own = scores[scores.claim.str.match(r"(photonic_qt|classical|compression\.tenfold)\.")]
    assert f"{(own.verdict == 'reproduced').sum()} of {len(own)} judged numbers are reproduced" in text


@pytest.mark.parametrize("reference", ["mps-only", "product-free"])
def test_every_difference_of_the_ablation(runs, reference) -> None:
    text = page("ablation")
    for bond_dim in (1, 2, 4, 7, 10):
        own = of(runs, "ablation", bond_dim=bond_dim)
        arms = {arm: by_seed(part) for arm, part in own.groupby("arm")}
        late = {arm: by_seed(part, f"last10_{COLUMN}") for arm, part in own.groupby("arm")}
        assert f"| {bond_dim} | {signed(arms['photonic'] - arms[reference])} | 5 |" in text
        assert signed(late["photonic"] - late[reference]) in text
        assert signed(arms["photonic"] - arms["distinguishable"]) in text


def test_random_inputs_of_the_ablation(runs) -> None:
    text = page("ablation")
    for arm in ("paper-random", "gaussian-resampled", "gaussian-fixed", "dirichlet-fixed"):
        own = of(runs, "other_arms", arm=arm)[COLUMN]
        assert f"{spread(own)} [{interval(own).split('[')[1]}" in text


def test_gaps_at_both_ends_of_the_bond_dimension(runs) -> None:
    text = page("ablation")
    for bond_dim in (1, 10):
        own = of(runs, "quantum_train", bond_dim=bond_dim).test10k_generalisation_error
        assert f"{own.mean():.3f} ± {own.std():.3f}" in text
    losses = []
    for folder in sorted((PAPER / "runs/quantum_train").glob("bond_dim=10*/seed-*")):
        history = pd.read_csv(folder / "history.csv")
        first = history[history.train_cross_entropy <= 0.2].iloc[0]
        losses.append(first.test10k_cross_entropy - first.train_cross_entropy)
    assert f"{np.mean(losses):.3f} ± {np.std(losses, ddof=1):.3f} with 3179" in text


def test_every_method_of_the_comparison(runs) -> None:
    text = page("compression")
    rows = [line for line in text.splitlines() if re.match(r"\| (photonic QT|magnitude|low rank|tensor|hyper|distilled)", line)]
    cells = re.findall(r"(\d+\.\d\d ± \d+\.\d\d) \((\d+), (\d+) epochs, n = (\d+)\)", "\n".join(rows))
    assert len(cells) > 20
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
    assert f"The mean over these points is {np.mean([drop.mean() for drop in drops.values()]):.2f} points" in text
    for _, part in of(runs, "noise_cycles").groupby("variant"):
        assert signed((clean_runs - by_seed(part)).dropna()) in text
    generated = runs[runs.experiment == "noise_none"]
    for column in [name for name in runs if re.fullmatch(r"photons_regenerated_(splitter_bias|phase_error)=0\.3_accuracy_percent", name)]:
        assert signed(generated[COLUMN] - generated[column]) in text
    late = of(runs, "noise_staleness")
    for _, part in late.groupby("variant"):
        assert ", ".join(f"{value:.2f}" for value in by_seed(part).sort_index()) in text


def test_photons_of_distillation_against_a_fixed_vector(runs) -> None:
    text, column = page("distillation"), "test_accuracy_percent"
    own = {source: by_seed(part, column) for source, part in of(runs, "pqkd_controls").groupby("feature.source")}
    for source in set(own) - {"photonic"}:
        assert signed(own["photonic"] - own[source]) in text, source
    last: dict[str, dict[int, float]] = {}
    for folder in sorted((PAPER / "runs/pqkd_extreme_controls").glob("*/seed-*")):
        source, seed = folder.parent.name.split(",")[0].removeprefix("source="), int(folder.name.removeprefix("seed-"))
        last.setdefault(source, {})[seed] = pd.read_csv(folder / "history.csv")[column].tail(3).mean()
    photons = pd.Series(last["photonic"])
    for source in ("gaussian-fixed", "distinguishable"):
        assert signed(photons - pd.Series(last[source])) in text
        assert spread(list(last[source].values())) in text


def test_calibration_is_told_by_the_articles_measure(runs) -> None:
    text = page("distillation")
    students = of(runs, "pqkd_controls", feature__source="photonic")
    more = by_seed(students, "test_cross_entropy") - by_seed(of(runs, "pqkd_teacher_subset"), "test_cross_entropy")
    assert f"cross-entropy {more.mean():.4f} [" in text
