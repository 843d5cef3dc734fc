"""The numbers of the small chapters' pages, computed again from runs.csv and histories with pandas and scipy alone."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_numbers import PAPER, by_seed, clean, interval, low, of, page, readme, signed, spread

from chapters.adapters.comparisons import LABELS
from chapters.distributed_qaoa.qubo import measure_large, measure_small

TASKS = {
    "oscillator": "damped oscillator",
    "narma2": "NARMA-2",
    "narma2_random": "NARMA-2 with random input",
    "mackey_glass": "Mackey-Glass",
}
pytestmark = pytest.mark.skipif(not (PAPER / "runs.csv").is_file(), reason="the study's results are not here")


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return pd.read_csv(PAPER / "runs.csv", low_memory=False)


def attempts(qubits: int, layers: int, optimiser: str) -> np.ndarray:
    folder = PAPER / "runs/hamiltoniq_curves" / f"qubits={qubits},layers={layers},optimiser={optimiser},name=none"
    return np.concatenate([pd.read_csv(path).attempt_found for path in sorted(folder.glob("seed-*/history.csv"))])


def test_hamiltoniqs_curves_and_scores(runs) -> None:
    text, curves = page("hamiltoniq"), pd.read_csv("chapters/hamiltoniq/score_curves.csv")
    own = of(runs, "hamiltoniq_curves")
    rejected, single, scores = ({"powell": start(), "scipy": start()} for start in (list, list, dict))
    for (qubits, layers, optimiser), part in own.groupby(["benchmark.qubits", "benchmark.layers", "benchmark.optimiser"]):
        found = attempts(int(qubits), int(layers), optimiser)
        below = np.array([(found < x).mean() for x in curves.x])
        distance = np.abs(below - curves[f"q{qubits:.0f}p{layers:.0f}"]).max()
        chance, over_all = (np.sqrt(-np.log(0.05 / tests / 2) / 2 * (1 / len(found) + 1 / 10_000)) for tests in (1, 24))
        rejected[optimiser].append(distance > over_all)
        single[optimiser].append(distance > chance)
        assert f"exceeds {over_all:.3f}, which chance exceeds in one of the 24 tests once in twenty" in text
        scores[optimiser][qubits, layers] = part.h_score.mean()
        name = "Powell's" if optimiser == "powell" else "SciPy's"
        score = f"{part.h_score.mean():.3f}" + (f" ± {part.h_score.std():.3f}" if len(part) > 1 else "")
        verdict = ", rejected" if distance > over_all else ", single test" if distance > chance else ""
        told = f"{distance:.3f}{verdict} | {chance:.3f} | {score}"
        row = f"| {qubits:.0f}, {layers:.0f} | {name}, {len(found)} | {told} |"
        assert row in text, row
    for optimiser, far in rejected.items():
        mean = list(scores[optimiser].values())
        told = f"{sum(far)} of the {len(far)} published curves are rejected at the 5 % level over all 24 tests together"
        assert f"{told} ({sum(single[optimiser])} at that of single tests)" in text
        half = stats.sem(mean) * stats.t.ppf(0.975, len(mean) - 1)
        score = f"{np.mean(mean):.3f} ± {np.std(mean, ddof=1):.3f} [{np.mean(mean) - half:.3f}, {np.mean(mean) + half:.3f}]"
        assert f"a noiseless simulator scores {score} on average (n = 12 curves)" in text
    assert text.count("published curves are rejected") == 2  # told once for each optimiser
    assert "H (n = 3)" in text
    assert f"taken at {len(curves)} points" in text
    shift = [scores["scipy"][kind] - scores["powell"][kind] for kind in scores["scipy"]]
    half = stats.sem(shift) * stats.t.ppf(0.975, len(shift) - 1)
    assert (
        f"Powell's is {np.mean(shift):.3f} [{np.mean(shift) - half:.3f}, {np.mean(shift) + half:.3f}] over the 12 curves that both" in text
    )
    for layers in (1, 3, 5):
        own = [scores["scipy"][kind] - scores["powell"][kind] for kind in scores["scipy"] if kind[1] == layers]
        low, high = stats.ttest_1samp(own, 0).confidence_interval()
        assert f"{np.mean(own):.3f} [{low:.3f}, {high:.3f}] with {layers}" in text
    assert "(n = 4 curves each)" in text
    for experiment, column, what in (("readout", "readout_error", "a bit"), ("layers", "layer_error", "a layer")):
        for size, part in of(runs, f"hamiltoniq_{experiment}").groupby(f"benchmark.{column}"):
            told = f"H = {part.h_score.mean():.3f} ± {part.h_score.std():.3f} at {100 * size:g} % {what} (n = {len(part)})"
            assert told in text, told


def test_cuts_of_graphs_and_what_processors_do(runs) -> None:
    text = page("distributed_qaoa")
    for experiment, nodes in (("maxcut_15", 15), ("maxcut_large", 40), ("maxcut_large", 100)):
        own = of(runs, experiment, maxcut__nodes=nodes)
        line = next(line for line in text.splitlines() if line.startswith(f"**{nodes} nodes**"))
        for column in [name for name in own if name.endswith("_cut_percent") and not name.startswith("last10") and own[name].notna().all()]:
            assert spread(own[column]) in line, column
        for other in ("uniform", "annealing", "random_cut"):
            difference = signed(own.distributed_cut_percent - own[f"{other}_cut_percent"])
            assert f"{difference}{' points' * (nodes == 15)} on {nodes}{' nodes' * (nodes == 15)}" in text.split("\n\n")[1]
        shots = signed(own.distributed_mean_percent - own.uniform_mean_percent)
        assert f"{shots}{' points' * (nodes == 15)} on {nodes}{' nodes' * (nodes == 15)}" in text.split("\n\n")[1]
    assert "on 15 nodes, " in text and "(n = 10, 5, 5 graphs)" in text.split("\n\n")[1]
    own, excluding = runs[runs.experiment.isin(["maxcut_15", "maxcut_large"])], {"mean": [], "cut": []}
    for nodes, part in own.groupby("maxcut.nodes"):
        for one, other, words in (
            ("best", "worst", "worst areas"),
            ("best", "random", "random areas"),
            ("random", "worst", "worst areas"),
            ("best", "printed", "areas by the printed formula"),
        ):
            told = f"| {nodes:.0f} ({len(part)}) | {one} areas minus {words} |"
            for kind, found in excluding.items():
                difference = part[f"area_{one}_{kind}_percent"] - part[f"area_{other}_{kind}_percent"]
                told += f" {signed(difference)} |"
                if stats.ttest_1samp(difference, 0).pvalue < 0.05:
                    found.append(signed(difference))
            assert told in text
    answer = text.split("\n\n")[1]
    for found in excluding.values():
        assert all(told in answer for told in found), found
    told = re.search(r"in the mean of shots (.*?)\. In the cut that is kept (.*?)\.$", answer, re.DOTALL)
    assert [part.count("[") for part in told.groups()] == [len(found) for found in excluding.values()]
    for part, found in zip(told.groups(), excluding.values(), strict=True):
        assert part.startswith("one has" if len(found) == 1 else f"{len(found)} have")
    for nodes in (40, 100):
        assert f"No cut exceeds {spread(of(runs, 'maxcut_large', maxcut__nodes=nodes).bound_percent)} % of the largest known" in text


def test_the_wireless_networks_qubo_stands_beside_the_flow_of_least_cost() -> None:
    text, small, large = page("distributed_qaoa"), measure_small(), measure_large()
    for values in (small.qubo_excess_percent, small.limited_excess_percent):
        assert f"takes {spread(values)} [{interval(values).split('[')[1]} % more" in text
    assert f"a squared violation of {large.violation.mean():,.0f} ± {large.violation.std():,.0f}" in text
    assert f"{large.arriving.mean():.1f} units of 100 reach the base" in text
    assert "-83.16 % and -68.32 % (second-hand) cannot be judged" in text
    rows = pd.read_csv(PAPER / "tables/wireless.csv").set_index("what")
    assert rows.loc["distributed_qaoa.wireless.qaoa", "mean"] == -83.16


def test_entangled_pairs_of_every_way(runs) -> None:
    text, scores = page("partitioning"), pd.read_csv(PAPER / "scorecard.csv")
    own = runs[runs.experiment.isin(["ebits", "ebits_fraction", "ebits_dense", "ebits_fewer"])]
    published = scores[scores.claim.str.startswith("partitioning.")]
    ordered = searched = 0
    keys = ["experiment", "cutting.family", "cutting.fraction", "cutting.qubits"]
    for (_, _, _, qubits), part in own.groupby(keys, dropna=False):
        for processors in (2, 3, 4):
            if f"multilevel_pairs_{processors}" not in part or part[f"multilevel_pairs_{processors}"].isna().any():
                continue
            means = {way: part[f"{way}_pairs_{processors}"] for way in ("multilevel", "filled", "kernighan_lin", "random")}
            reported = published[
                np.isclose(published["mean"], means["multilevel"].mean())
                & (published.quantity == f"multilevel_pairs_{processors}")
                & published.setting.str.contains(f", {qubits:.0f} qubits, ")
            ]
            if reported.empty:
                continue
            if means["filled"].mean() <= means["multilevel"].mean():
                assert (means["filled"].array == means["multilevel"].array).all()
                ordered += 1
                continue
            searched += 1
            tell = {way: f"{values.mean():.1f} ± {values.std():.1f}" for way, values in means.items()}
            assert f"search {tell['multilevel']} pairs (published {float(reported.reported.iloc[0]):g}), order {tell['filled']}" in text
            assert f"static Kernighan-Lin {tell['kernighan_lin']}, random {tell['random']} (n = {len(part)})" in text
            assert f"{qubits:.0f} qubits on {processors} processors" in text
    assert f"For {ordered} of these {ordered + searched} the search finds nothing better" in text
    ends = [
        (own["mean"].min(), own["mean"].max())
        for own in (published[published.quantity.isin([f"multilevel_pairs_{count}" for count in counts])] for counts in ((2,), (3, 4)))
    ]
    two, more = (f"{low:.0f} to {high:.0f}" for low, high in ends)
    assert f"take {two} entangled pairs on two processors and {more} on three or four (means; n = 5 to 10 circuits each" in text
    near = published[published.claim.str.startswith("partitioning.cp") & ~published.verdict.isin(["higher", "lower"])]
    told = [f"{one.setting.split(' with ')[1].split(', ')[0].split()[1]}, 16 qubits on 2 processors" for one in near.itertuples()]
    assert len(told) == 2
    first, second = (f"controlled phases, {one} \\(published [\\d.]+\\)" for one in told)
    assert re.search(f"On the processors stated no difference is shown for {first} and {second}\\.", text)
    small = of(runs, "ebits_small")
    exact = (small.multilevel_pairs_2 == small.optimum_pairs_2).sum()
    assert f"as the exact optimum in {exact} of {len(small)} cases" in text
    fourier = of(runs, "ebits", cutting__family="qft")
    for ways in ("multilevel", "filled"):
        assert (fourier[f"{ways}_pairs_2"] == fourier["cutting.qubits"] / 2 - 1).all()
        assert (fourier[f"{ways}_pairs_4"] == 3 * fourier["cutting.qubits"] / 2 - 6).all()


def test_the_search_from_random_starts_alone_beside_the_order(runs) -> None:
    text = page("partitioning")
    starts = runs[runs.experiment.isin(["ebits_starts"])].set_index(["cutting.family", "cutting.qubits", "seed"])
    landed = of(runs, "ebits").set_index(["cutting.family", "cutting.qubits", "seed"]).loc[starts.index]
    worse, tied = [], 0
    for (family, qubits), part in starts.groupby(level=[0, 1]):
        for processors in (2, 4):
            random = part[f"random_starts_pairs_{processors}"]
            order, search = (landed.loc[part.index, f"{way}_pairs_{processors}"] for way in ("filled", "multilevel"))
            if order.mean() > search.mean():
                continue
            tied += 1
            told = f"{qubits:.0f} qubits on {processors} processors, {random.mean():.1f} ± {random.std():.1f} (order {order.mean():.1f}"
            assert (told in text) == (random.mean() > order.mean()), (family, told)
            if random.mean() > order.mean():
                low, high = stats.ttest_1samp(random - order, 0).confidence_interval()
                assert low <= 0 <= high
                assert f"difference {(random - order).mean():+.1f} [{low:.1f}, {high:.1f}], n = {len(part)})" in text
                worse.append((random - order).mean())
    more = f"{min(worse):.1f} to {max(worse):.1f} pairs more for {len(worse)} of these {tied}, all intervals containing 0."
    assert f"it ends on average with {more}" in text


def test_denser_circuits_and_fewer_processors_explain_published_pairs(runs) -> None:
    text, dense = page("partitioning"), of(runs, "ebits_dense")
    pairs = {share: part.multilevel_pairs_2 for share, part in dense.groupby("cutting.fraction")}
    for share, values in pairs.items():
        assert f"{values.mean():.1f} ± {values.std():.1f} at {share:g}" in text
    pairs[0.5] = of(runs, "ebits_fraction", cutting__fraction=0.5, cutting__qubits=16).multilevel_pairs_2
    for share, before, told in ((0.7, 0.5, "n = 10 and 5"), (1.0, 0.7, "n = 10 each; Welch's intervals")):
        step = stats.ttest_ind(pairs[share], pairs[before], equal_var=False)
        low, high = step.confidence_interval()
        mean = pairs[share].mean() - pairs[before].mean()
        assert low * high > 0 and (mean > 0) == (share == 0.7)  # more pairs first, where the published fall, then fewer
        assert f"at {share:g} ({mean:+.1f} [{low:.1f}, {high:.1f}] pairs, {told})" in text
    assert "contradict" not in text
    fewer = of(runs, "ebits_fewer")
    claims = pd.read_csv("chapters/partitioning/claims.csv").set_index(["quantity", "where"]).reported_mean
    for (share, qubits), part in fewer.groupby(["cutting.fraction", "cutting.qubits"]):
        values, stated = part[f"multilevel_pairs_{qubits / 8 - 1:.0f}"], f"multilevel_pairs_{qubits / 8:.0f}"
        published = claims[stated, f"cutting.fraction={share:g};cutting.qubits={qubits:.0f}"]
        apart, half = values.mean() - published, stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
        ends = f"[{values.mean() - half:.1f}, {values.mean() + half:.1f}]"
        assert f"on {qubits / 8 - 1:.0f} {values.mean():.1f} ± {values.std():.1f} {ends}" in text
        beyond = text.split("does not contain the published number for ")[1].split(".\n")[0]
        assert (f"controlled phases, {share:g}, {qubits:.0f} qubits" in beyond.split(" So the former")[0]) == (abs(apart) > half)
        there = runs[runs.experiment.str.startswith("ebits") & (runs["cutting.fraction"] == share) & (runs["cutting.qubits"] == qubits)]
        assert abs(apart) < there[stated].mean() - published


def test_forecasts_of_series(runs) -> None:
    text = page("distributed_qlstm")
    for task, words in TASKS.items():
        data = f"chapters.distributed_qlstm.data:{task}"
        linear = of(runs, "sequence_linear", dataset=data, forecaster__cell="linear").test_r2.iloc[0]
        lstm = of(runs, "sequence_lstm", dataset=data, forecaster__hidden=6).test_r2
        half = stats.sem(lstm) * stats.t.ppf(0.975, len(lstm) - 1)
        assert f"{linear:.4f} on {words}" in text
        told = f"{words} {lstm.mean():.4f} ± {lstm.std():.4f} [{lstm.mean() - half:.4f}, {lstm.mean() + half:.4f}] (n = {len(lstm)})"
        assert told in text, told
    early, best = [], []
    for path in sorted((PAPER / "runs/sequence_published").glob("*narma2*/seed-*/history.csv")):
        history = pd.read_csv(path).set_index("epoch").test_r2
        early.append(history[2])
        best.append(history.max())
    assert f"At that epoch our {len(early)} runs" in text
    assert f"have R2 from {min(early):.1f} to {max(early):.2f}; at the best of 100 epochs, chosen on the test part, none exceeds" in text
    scores = pd.read_csv(PAPER / "scorecard.csv")
    told = scores[(scores.dataset == "chapters.distributed_qlstm.data:narma2") & (scores.quantity == "best_test_r2")].reported.astype(float)
    data = "chapters.distributed_qlstm.data:narma2"
    last = of(runs, "sequence_published_linear", dataset=data, forecaster__cell="persistence").test_r2.iloc[0]
    assert f"none exceeds {max(best):.4f}, which {(told > max(best)).sum()} of {len(told)} published numbers do; " in text
    assert f"; {(told < last).sum()} of them lie below repeating the last value ({last:.4f})." in text


@pytest.mark.parametrize("task", TASKS)
def test_the_best_of_the_circuits_and_what_unsplit_ones_gain(runs, task) -> None:
    text, words = page("distributed_qlstm"), TASKS[task]
    named = ["sequence_circuits", "sequence_product", "sequence_photons"]
    own = runs[runs.experiment.isin(named) & (runs.dataset == f"chapters.distributed_qlstm.data:{task}")]
    arms = {key: by_seed(part, "test_r2") for key, part in own.groupby(["experiment", "variant"])}
    best = max(arms.values(), key=lambda values: values.mean())
    line = next(line for line in text.splitlines() if line.startswith("- The best of the circuits: "))
    assert re.search(rf"{words} [^;]* {re.escape(spread(best, 4))} \[", line)
    of_shape = {(name, shape): by_seed(part, "test_r2") for (name, shape), part in own.groupby(["experiment", "forecaster.shape"])}
    whole, split = of_shape["sequence_circuits", "1x6"], of_shape["sequence_circuits", "2x3"]
    for other in (of_shape["sequence_product", "1x6"], of_shape["sequence_circuits", "1x4"]):
        assert (f"{signed(other - whole, 4)} on {words}" in text) == (low(other - whole) > 0)
        assert low(split - other) <= 0 and "neither split one is shown ahead of these on any series" in text
        three = of_shape["sequence_circuits", "3x2"] - other
        behind = re.search(rf"3 x 2 qubits minus [\w ]+ {re.escape(signed(three, 4))} on {words}", text)
        assert low(three) <= 0 and (behind is not None) == (low(-three) > 0)


def test_splits_of_sequence_models_against_all_that_the_plan_names() -> None:
    """From the table of differences, whose p and intervals test_every_interval.py finds again in the runs."""
    text, rows = page("distributed_qlstm"), pd.read_csv(PAPER / "tables/sequence_split.csv")
    answer, (primary, others) = text.split("\n\n")[1], (rows[rows.primary == named] for named in (True, False))
    lines = dict(line.split(": ", 1) for line in answer.splitlines()[:3])
    splits = (("2 x 3", "6 qubits"), ("3 x 2", "6 qubits"), ("2 x 2", "4 qubits"), ("2 x 3", "LSTM, 6 units"), ("2 x 2", "LSTM, 5 units"))
    for shape, minus in splits:
        found = primary[(primary.arm == f"{shape} qubits") & (primary.minus == minus)]
        whole = next(line for words, line in lines.items() if f"({shape} qubits)" in words)
        part = whole.split("; against a classical LSTM")[minus.startswith("LSTM")]
        told, _, single = part.partition(" (single intervals favour ")
        found = found.assign(said=np.where(found.word == "differs", np.where(found["mean"] > 0, "better", "worse"), found.word))
        for said, own in found.groupby("said"):
            tasks = "every series" if len(own) == 4 else " and ".join(", ".join(own.task).rsplit(", ", 1))
            assert f"{said} on {tasks}" in told, (shape, minus)
        unsure = found[found.word != "differs"]
        for side, own in (("the split one", unsure[unsure.ci95_low > 0]), ("the other", unsure[unsure.ci95_high < 0])):
            tasks = " and ".join(", ".join(own.task).rsplit(", ", 1))
            assert (f"{side} on {tasks}" in single) if tasks else (side not in single)
    assert f"over all {len(primary)} differences of the plan." in answer
    for row in primary.itertuples():
        line = next(line for line in text.splitlines() if line.startswith(f"- {row.arm} minus {row.minus}, R2: "))
        own = re.search(rf"{row.task} (\S+) \[(\S+), (\S+)\] \(n = 5\), \*{row.word}\*", line)
        assert [float(number) for number in own.groups()] == pytest.approx([row.mean, row.ci95_low, row.ci95_high], abs=0.501e-4)
    assert set(others.n) == {5} and "[differences](tables/sequence_split.md), n = 5." in text


@pytest.mark.parametrize("experiment", ["qsvm_mnist", "qsvm_digits"])
def test_kernels_at_their_best_and_at_their_largest(runs, experiment) -> None:
    text, own = page("qsvm"), of(runs, experiment)
    own = own.set_index(["pair.qubits", "seed"])
    best = {}
    for arm in ("chain_tuned", "product_tuned", "rbf_tuned", "linear_tuned", "chain"):
        column = own[f"{arm}_tested_percent"]
        qubits = column.groupby(level=0).mean().idxmax()
        best[arm] = column[qubits]
        assert f"{spread(best[arm])} ({qubits:.0f} qubits)" in text
    if experiment == "qsvm_mnist":
        assert f"kernel without them {signed(best['chain_tuned'] - best['product_tuned'])} points" in text
        gaussian, linear = (signed(best["chain_tuned"] - best[arm]) for arm in ("rbf_tuned", "linear_tuned"))
        told = f"the quantum kernel is {gaussian} points from the Gaussian one and {linear} from the linear one (n = 5 overlapping splits; "
        assert f"{told}optimistic, as the test images chose); on the digits each reaches 100 %." in text
    else:
        assert {values.min() for values in best.values()} == {100}
        assert "On the digits each of these reaches 100 %: nothing is told apart." in text
        assert "kernel without them 0.00 points in all 5 pairs." in text
        assert text.count("nothing is told apart") == 1
    largest = own.loc[own.index.get_level_values(0).max()]
    assert f"(n = {len(largest)} splits)" in text
    assert f"{largest.chain_off_diagonal_mean.mean():.1e}" in text
    for arm in ("chain_tuned", "chain_leaking", "rbf_leaking"):
        assert spread(largest[f"{arm}_tested_percent"]) in text
    if experiment == "qsvm_mnist":
        tell = {arm: spread(largest[f"{arm}_tested_percent"]) for arm in ("chain_tuned", "rbf_tuned", "chain_leaking", "rbf_leaking")}
        gain = {way: signed(largest[f"chain_{way}_tested_percent"] - largest[f"rbf_{way}_tested_percent"]) for way in ("tuned", "leaking")}
        told = (
            f"tuned, {tell['chain_tuned']} %, a Gaussian kernel, tuned, {tell['rbf_tuned']} % ({gain['tuned']} points), and a linear kernel"
        )
        minus = signed(largest.chain_tuned_tested_percent - largest.linear_tuned_tested_percent)
        linear = f"{spread(largest.linear_tuned_tested_percent)} % ({minus} points), the highest mean of all kernels there (n = 5 splits)."
        assert f"{told}, tuned, {linear}" in text
        scaled = f"it reaches {tell['chain_leaking']} %, a Gaussian kernel of default width, scaled the same way, {tell['rbf_leaking']} %"
        assert f"{scaled}: {gain['leaking']} points (n = 5 splits); on the digits, with 60 qubits, the same difference is" in text
        means = {name: largest[name].mean() for name in largest if name.endswith("_tested_percent") and not name.startswith("last10")}
        assert max(means, key=means.get) == "linear_tuned_tested_percent"
        assert f"it takes {largest.chain_kernel_seconds.mean():.2g} seconds of one core" in text
    else:
        difference = signed(largest.chain_leaking_tested_percent - largest.rbf_leaking_tested_percent)
        assert f"the same difference is {difference} (n = 5 splits)." in text
    assert ("200 training and 50 test images" if experiment == "qsvm_digits" else "800 training and 200 test images") in text
    slopes = []
    for _, part in of(runs, experiment).groupby("seed"):
        part = part[part["pair.qubits"] >= 32]
        slopes.append(np.polyfit(np.log(part["pair.qubits"]), np.log(part.chain_kernel_seconds), 1)[0])
    told = f"to the power of {spread(slopes)} [{interval(slopes).split('[')[1]}"
    assert (told in text) == (part["pair.qubits"].nunique() > 2)  # two sizes are no power
    assert clean(-0.001) == "0.00" and clean(-0.00001, 4) == "0.0000"


def test_teachers_at_the_published_schedule(runs) -> None:
    scores = pd.read_csv(PAPER / "scorecard.csv").set_index("claim")
    text = " ".join(Path("docs/pqkd.md").read_text(encoding="utf-8").split())
    folder = PAPER / "runs/pqkd_teacher_published/name=mnist,epochs=100"
    histories = [pd.read_csv(path) for path in sorted(folder.glob("seed-*/history.csv"))]
    assert [len(history) for history in histories] == [100] * 5
    loss = [history.validation_cross_entropy for history in histories]
    least, last = [own.min() for own in loss], [own.iloc[-1] for own in loss]
    assert f"at the last epoch ({min(last):.3f} to {max(last):.3f} nats), and by two at earlier ones" in text
    assert f"cross-entropy, {min(least):.3f} to {max(least):.3f}, comes earlier" in text
    whole = [own[own.train_accuracy_percent >= 99.995].set_index("epoch").validation_cross_entropy for own in histories]
    both = [list(own.index[own < 0.0315]) for own in whole]
    assert [len(epochs) for epochs in both] == [0, 0, 8, 0, 4] and max(both[2][-1], both[4][-1]) < 100
    assert f"seed 2 at eight epochs from {both[2][0]} to {both[2][-1]} (100.00 % and {whole[2][71]:.3f} nats at epoch 71)" in text
    assert f"seed 4 at four from {both[4][0]} to {both[4][-1]}." in text
    assert f"at least {min(whole[seed].min() for seed in (0, 1, 3)):.3f} nats whenever" in text
    paths = sorted((PAPER / "runs/pqkd_teacher_published/name=fashion-mnist,epochs=100").glob("seed-*/history.csv"))
    fashion = [pd.read_csv(path) for path in paths]
    seen = [own[own.validation_cross_entropy <= 0.291].train_accuracy_percent.max() for own in fashion]
    most = max(own.train_accuracy_percent.max() for own in fashion)
    assert f"at most {min(seen):.1f} to {max(seen):.1f} % of training images right, and at no epoch more than {most:.2f} %" in text
    for dataset, kind, above in (("fashion-mnist", "teacher", False), ("fashion-mnist", "student", True), ("mnist", "student", True)):
        folder = PAPER / f"runs/pqkd_{kind}_published/name={dataset},epochs=100"
        own = [pd.read_csv(path).set_index("epoch").validation_cross_entropy for path in sorted(folder.glob("seed-*/history.csv"))]
        lowest, reached = [one.min() for one in own], [int(one.idxmin()) for one in own]
        published = scores.loc[f"{'teacher' if kind == 'teacher' else 'pqkd_partial'}.{dataset}.validation_cross_entropy"].reported
        assert all((value > float(published)) == above for value in lowest)
        told = f"{min(lowest):.3f} to {max(lowest):.3f}"
        assert (f"({told}, published {published})" if dataset == "mnist" else told) in text
        if dataset != "mnist":
            assert f"at epochs {min(reached)} to {max(reached)}, lies {'above' if above else 'below'} the published {published}" in text
    own = {kind: of(runs, f"pqkd_{kind}_published", dataset="fashion-mnist").set_index("seed") for kind in ("student", "teacher")}
    gap = (own["teacher"].validation_accuracy_percent - own["student"].validation_accuracy_percent).mean()
    assert f"ours lie {gap:.2f} points below theirs" in text
    when = [int(history.epoch[own.idxmin()]) for history, own in zip(histories, loss, strict=True)]
    assert f"at epochs {min(when)} to {max(when)}." in text
    passed = [int(history.epoch[history.train_accuracy_percent >= 99.99].min()) for history in histories]
    assert f"at epochs {min(passed)} to {max(passed)};" in text
    ends = [history.train_accuracy_percent.iloc[-1] for history in histories]
    assert [seed for seed, end in enumerate(ends) if end < 99.99] == [2]
    assert not any(0.030 <= own <= 0.032 and end >= 99.99 for own, end in zip(last, ends, strict=True))


def test_cifar_10_at_the_published_schedule(runs) -> None:
    text = " ".join(Path("docs/pqkd.md").read_text(encoding="utf-8").split())
    found = {
        kind: [pd.read_csv(PAPER / f"runs/pqkd_{kind}_published/name=cifar-10,epochs=100/seed-{seed}/history.csv") for seed in range(5)]
        for kind in ("teacher", "student")
    }
    right = {kind: [own.validation_accuracy_percent.max() for own in each] for kind, each in found.items()}
    passed = [own[own.train_accuracy_percent >= 91.81].iloc[0] for own in found["teacher"]]
    when, then = [int(row.epoch) for row in passed], [row.validation_accuracy_percent for row in passed]
    assert f"91.81 %, at epochs {min(when)} to {max(when)}, with {min(then):.2f} to {max(then):.2f} % of validation images right" in text
    assert f"at no epoch more than {min(right['teacher']):.2f} to {max(right['teacher']):.2f} %" in text
    assert f"at any epoch, {min(right['student']):.2f} to {max(right['student']):.2f} %, lies below the published 79.72 %" in text
    least = [own.validation_cross_entropy for own in found["teacher"]]
    ends, at = [own.min() for own in least], [int(found["teacher"][k].epoch[own.idxmin()]) for k, own in enumerate(least)]
    assert f"{min(ends):.3f} to {max(ends):.3f} nats at epochs {min(at)} to {max(at)}, lies above the published 0.397 at every" in text
    angles = [own.set_index("epoch").theta_rms for own in found["student"]]
    assert sorted(f"{own[1]:.1f}" for own in angles)[3:] == ["2.5", "2.8"]
    assert f"all five's lie at {min(own[20] for own in angles):.1f} to {max(own[20] for own in angles):.1f} at epoch 20" in text
    assert min(own.max() for own in angles) > 0.97 * math.pi
    told = page("distillation").split("How far the angles move")[1].split("\n")[0]
    for dataset in ("mnist", "fashion-mnist", "cifar-10"):
        ends = [
            pd.read_csv(path).theta_rms.iloc[-1]
            for path in (PAPER / "runs/pqkd_student_published").glob(f"name={dataset},*/seed-*/history.csv")
        ]
        assert len(ends) == 5 and f"{min(ends):.1f} to {max(ends):.1f} on {dataset}" in told
    assert "on cifar-10, where 5 of 5 had practically all at the clip after some epoch;" in told


def test_what_splitting_a_photonic_circuit_costs(runs) -> None:
    text, own = page("partitioning"), of(runs, "splitting")
    accuracy = {key: part.set_index("seed").test10k_accuracy_percent for key, part in own.groupby(["photonics.circuits", "arm"])}
    assert sorted(map(len, accuracy.values())) == [3] * 6
    one = {arm: values for (circuits, arm), values in accuracy.items() if circuits.count("[") == 2}
    for (circuits, arm), values in accuracy.items():
        name = " x ".join(f"({modes}, {photons})" for modes, photons in json.loads(circuits))
        row = f"{name}, {'trained' if arm == 'photonic' else 'frozen'} |"
        told = f"{values.mean():.2f} ± {values.std():.2f} |"
        if circuits.count("[") > 2:
            told += f" {signed(values - one[arm])} |"
        after = text[text.index(row) : text.index(row) + 200]
        assert told in after, (row, told)
    for circuits in sorted({circuits for circuits, _ in accuracy}, key=len):
        shapes = json.loads(circuits)
        gain = accuracy[circuits, "photonic"] - accuracy[circuits, "photonic-frozen"]
        assert f"{len(shapes)} circuit{'s' * (len(shapes) > 1)} {signed(gain)} points" in text
        trained = own[(own["photonics.circuits"] == circuits) & (own.arm == "photonic")]
        low, high = trained.parameters_phases_effective.min(), trained.parameters_phases_effective.max()
        assert f"{low}{f' to {high}' if high > low else ''} of {trained.parameters_phases_used.iloc[0]}" in text
        counts = [math.comb(*shape) for shape in shapes]
        assert f"{math.prod(counts):,}" in text
        assert f"{100 * 6690 / math.prod(counts):.0f} %" in text
        if len(shapes) > 1:
            entering = max(np.unravel_index(np.arange(6690), counts)[0]) + 1
            assert f"{entering} of the {counts[0]} outcomes of circuit 1 enter" in text


class Adapters:
    """The runs of the adapters on a task: values and numbers in use by arm and budget, and the plan's contrasts with their words."""

    def __init__(self, runs: pd.DataFrame, task: str) -> None:
        self.value, self.decimals, self.better, self.margin, names, ceiling, untouched = ADAPTERS[task]
        alone, whole = of(runs, untouched), of(runs, ceiling)
        own = runs[runs.experiment.isin(names)].groupby(["adapter.arm", "adapter.budget"])
        self.values = {(arm, int(budget)): by_seed(part, self.value) for (arm, budget), part in own}
        self.used = {key: int(part.parameters_trained_used.max() - alone.parameters_trained_used.max()) for key, part in own}
        head = int(alone.parameters_trained_used.max())
        self.head = f" in adapters, beside a head of {head:,} that every arm trains" if head else ""
        self.alone, self.whole = by_seed(alone, self.value), by_seed(whole, self.value)
        self.all_numbers = int(whole["adapter.budget"].max())
        self.budgets = sorted({budget for _, budget in self.values})
        self.minus = {(arm, b): self.values["photonic", b] - self.values[arm, b] for b in self.budgets for arm in PRIMARY}
        self.words = words_of(self.minus, self.margin)

    def told(self, values: pd.Series) -> str:
        return f"{spread(values, self.decimals)} [{interval(values, self.decimals).split('[')[1]}"

    def as_good(self, budget: int) -> str:
        lost = self.better * self.minus["lora", budget]
        worst = lost.mean() - stats.sem(lost) * stats.t.ppf(0.95, len(lost) - 1)
        return f"{'not inferior to' if worst > -self.margin else 'not shown to be as good as'} LoRA of the same budget"

    def numbers(self, budget: int) -> str:
        return "used: " + ", ".join(f"{LABELS[arm]} {self.used[arm, budget]:,}" for arm in ("photonic", *PRIMARY))

    def at(self, budget: int) -> str:
        reached = {arm: part for (arm, size), part in self.values.items() if size == budget}
        best = max(reached, key=lambda arm: self.better * reached[arm].mean())
        minus = (f"minus {LABELS[arm]} {signed(self.minus[arm, budget], self.decimals)}, *{self.words[arm, budget]}*" for arm in PRIMARY)
        return (
            f"- Budget {budget:,} ({100 * budget / self.all_numbers:.3g} %; {self.numbers(budget)}): photons "
            f"{self.told(reached['photonic'])} (n = {len(reached['photonic'])}); the best arm is {LABELS[best]} (used: "
            f"{self.used[best, budget]:,}) with {self.told(reached[best])} (n = {len(reached[best])}). Photons {'; '.join(minus)}; "
            f"{self.as_good(budget)} within {self.margin} {'nats' if self.better < 0 else 'points'}."
        )

    def outcome(self, budget: int) -> tuple[str, str]:
        """How photons compare at a budget, in words; and differences with a single interval without 0 where no word says so."""
        arms: dict[str, list[str]] = {}
        for arm in PRIMARY:
            side = "better than" if self.better * self.minus[arm, budget].mean() > 0 else "worse than"
            relation = {"differs": side, "equivalent": "equivalent to", "open": "not told apart from"}[self.words[arm, budget]]
            arms.setdefault(relation, []).append(LABELS[arm])
        order = sorted(arms, key=["better than", "worse than", "equivalent to", "not told apart from"].index)
        told = ", ".join(f"{relation} {' and '.join(', '.join(arms[relation]).rsplit(', ', 1))}" for relation in order)
        unsure = {arm: self.minus[arm, budget] for arm in PRIMARY if self.words[arm, budget] != "differs"}
        clear = {arm: lost for arm, lost in unsure.items() if abs(lost.mean()) > lost.mean() - low(lost)}
        apart = [f"{LABELS[arm]} {signed(lost, self.decimals)}" for arm, lost in clear.items()]
        return told, f" (but the single interval lies to one side of 0: minus {', '.join(apart)})" if apart else ""

    def answer(self) -> str:
        *others, budget = self.budgets
        outcome, singly = self.outcome(budget)
        return (
            f"with a budget of {budget:,} trained numbers{self.head} ({100 * budget / self.all_numbers:.3g} % of all adapters'; "
            f"{self.numbers(budget)}; n = 5), photons reach {spread(self.values['photonic', budget], self.decimals)} "
            f"{'nats a token' if self.better < 0 else '% accuracy'} and are {outcome}"
            f"{'' if 'LoRA' in outcome.partition('worse than')[2] else '; ' + self.as_good(budget)}{singly}."
            + "".join(f" With {other:,} they are {''.join(self.outcome(other))}." for other in others)
        )

    def below(self) -> str:
        """Differences to the one run without adapters."""
        alone, (photons, whole) = self.alone.item(), (self.values["photonic", self.budgets[-1]], self.whole)
        first, second = (signed(values - alone, self.decimals) for values in (photons, whole))
        return f"Minus no adapter (one run, {alone:.4f}): photons {first} (n = 5), LoRA with all numbers {second} (n = 5)."

    def minus_all(self) -> str:
        arms = [arm for arm in ("photonic", "affine-angles") if (arm, self.budgets[0]) in self.values]
        lost = {(arm, budget): self.values[arm, budget] - self.whole for arm in arms for budget in self.budgets}
        return "- Minus LoRA with all numbers: " + "; ".join(
            f"{LABELS[arm]} at {budget:,} {signed(values, self.decimals)}" for (arm, budget), values in lost.items()
        )

    def angles(self) -> str:
        minus = (self.values["affine-angles", budget] - self.values["affine", budget] for budget in self.budgets)
        return "; ".join(f"{signed(values, 4)} at {budget:,}" for budget, values in zip(self.budgets, minus, strict=True))

    def gains(self) -> str:
        reached = {f"photons at {budget:,}": self.values["photonic", budget] for budget in self.budgets}
        reached = {f"LoRA at {self.all_numbers:,}": self.whole} | reached
        return "- Minus no adapter: " + "; ".join(f"{name} {signed(values - self.alone)}" for name, values in reached.items())


ADAPTERS = {
    "Next token": (
        *("test_nats", 4, -1, 0.02, ("adapters_primary", "adapters_published", "adapters_controls")),
        *("adapters_ceiling", "adapters_frozen"),
    ),
    "Classes": ("test_accuracy_percent", 2, 1, 1.0, ("adapters_minilm",), "adapters_minilm_ceiling", "adapters_minilm_head"),
}
PRIMARY = ("mps-only", "lora", "subspace")


def words_of(differences: dict, margin: float) -> dict:
    """The plan's words: Holm's correction over all contrasts, then two one-sided tests."""
    p = {key: stats.ttest_1samp(values, 0).pvalue for key, values in differences.items()}
    least, found = 0.0, {}
    for place, key in enumerate(sorted(p, key=p.__getitem__)):
        least = max(least, (len(p) - place) * p[key])
        sides = ((-margin, "greater"), (margin, "less"))
        same = max(stats.ttest_1samp(differences[key], end, alternative=side).pvalue for end, side in sides)
        found[key] = "differs" if least < 0.05 else "equivalent" if same < 0.05 else "open"
    return found


@pytest.mark.parametrize("task", ADAPTERS)
def test_every_number_of_the_adapters(runs, task) -> None:
    own, text = Adapters(runs, task), page("adapters").split("## What the published log says")[0]
    assert {len(values) for values in own.minus.values()} == {5}
    assert all(number <= budget for (_, budget), number in own.used.items())
    lines = [*map(own.at, own.budgets), own.answer(), own.minus_all(), f"LoRA with all {own.all_numbers:,} numbers {own.told(own.whole)}."]
    if task == "Next token":
        language = of(runs, "adapters_language").iloc[0]
        lines += [
            own.below(),
            own.angles(),
            f"{language.other_nats:.4f} nats a token, and animals and plants with {language.living_nats:.4f}.",
        ]
        lines += [f"**{task}**: without adapters {own.alone.item():.4f} nats a token; "]
    else:
        lines += [own.gains(), f"**{task}**: without adapters {own.told(own.alone)} % accuracy; "]
        assert stats.ttest_1samp(own.whole - own.alone, 0).pvalue > 0.05
        lines.append("That task tells little apart: LoRA with all numbers is not shown to do better than no adapter either.")
    for line in lines:
        assert line in text, line
    found = re.findall(rf"[+-]?\d+\.\d{{{own.decimals}}}(?: ± \d\S+)?(?: \[[^]]+\]| ±)", text)
    assert len(found) > 15
    assert [number for number in found if number not in " ".join(lines)] == []  # the page states nothing else


@pytest.mark.parametrize(("budgets", "epochs"), [((512, 1376, 4264), 6), ((768, 1536, 3198), 3)])
def test_how_often_adapters_keep_the_end_of_what_was_tried(runs, budgets: tuple[int, ...], epochs: int) -> None:
    own = runs[runs["adapter.budget"].isin(budgets) & runs.learning_rate.notna()]
    largest = own["schedule.learning_rates"].map(lambda rates: max(json.loads(rates)))
    line = next(line for line in page("adapters").splitlines() if f"the last of {epochs} epochs is kept in " in line)
    last, fastest = (
        {arm: int(count) for count, arm in re.findall(r"(\d+) \(([^)]+)\)", part)} for part in line.split(" learning rate in ")
    )
    labels = {"photons": "photonic", "LoRA": "lora", "random subspace": "subspace", "mapping alone": "mps-only"}
    for label, arm in labels.items():
        part = own[own["adapter.arm"] == arm]
        assert len(part) == 15 and last[label] == (part.epoch == epochs).sum()
        assert fastest.get(label, 0) == (part.learning_rate == largest[part.index]).sum()


def test_what_the_readme_says_of_adapters(runs) -> None:
    text = readme()
    language, classes = (Adapters(runs, task) for task in ADAPTERS)
    assert all(language.words["lora", budget] == "differs" and language.minus["lora", budget].mean() > 0 for budget in language.budgets)
    assert [classes.words["lora", budget] for budget in classes.budgets].count("differs") == 0
    assert len(language.budgets) == len(classes.budgets) == 3
    assert "do worse than ordinary ones of the same budget of trained numbers on one of the two, at each of three sizes; " in text
    assert "on the other that is shown at none." in text


def test_the_published_generator_beside_all_adapters(runs) -> None:
    own, scores = Adapters(runs, "Next token"), pd.read_csv(PAPER / "scorecard.csv").set_index("claim")
    for name, budget in (("gemma2", 1376), ("gpt2", 4264)):
        minus = own.values["affine-angles", budget] - own.whole
        half = stats.sem(minus) * stats.t.ppf(0.95, len(minus) - 1)
        told = f"with at most {budget:,} numbers minus LoRA with all 8,192 is {minus.mean():.4f} nats a real token, one-sided 95 % bounds"
        ends = f"{told} {minus.mean() - half:.4f} and {minus.mean() + half:.4f}, against a margin of 0.0200: worse by more than the margin"
        assert ends in scores.why[f"qpa.share.{name}"] and minus.mean() - half > 0.02
