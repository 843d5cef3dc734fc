import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from results_made import made
from synthetic import fabricate, small_study

from chapters.quantum_train import figures
from chapters.quantum_train.facts import facts
from chapters.quantum_train.tables import classical, glance, protocol_runs, protocols, quantum_train
from lightweights.report.make import write_texts
from lightweights.report.measures import format_number, significant
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, markdown, table_files, to_latex, to_markdown
from lightweights.study.collect import collect


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    study = small_study()
    fabricate(study, results)
    return study, collect(study, results)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    results = tmp_path_factory.mktemp("demo")
    study = small_study(dataset="digits", seeds=(0, 1), bond_dims=(2, 4))
    fabricate(study, results)
    return study, collect(study, results)


def cells(table, row):
    return dict(table.display.iloc[row])


def test_numbers_are_means_and_sample_sds_of_the_runs(finished):
    study, runs = finished
    data = quantum_train(made(runs, study)).data.set_index(["bond_dim", "quantity"])
    values = runs[(runs.experiment == "quantum_train") & (runs.bond_dim == 4)].test10k_accuracy_percent
    row = data.loc[(4, "test10k_accuracy_percent")]
    assert (row.n, row["mean"], row.sd_ddof1) == (3, pytest.approx(np.mean(values)), pytest.approx(np.std(values, ddof=1)))
    assert row.ci95_high - row["mean"] == pytest.approx(4.302652729911275 * np.std(values, ddof=1) / np.sqrt(3))
    assert np.isnan(row.published_mean)


def test_published_values_stand_beside_with_their_sd_in_both_conventions(finished):
    study, runs = finished
    row = quantum_train(made(runs, study)).data.set_index(["bond_dim", "quantity"]).loc[(10, "test600_accuracy_percent")]
    assert (row.published_mean, row.published_sd_ddof0, row.published_n) == (95.502, 0.84, 4)
    assert row.published_sd_ddof1 == pytest.approx(0.84 * (4 / 3) ** 0.5)


def test_published_bond_dimensions_without_runs_are_rows_that_say_so(finished):
    study, runs = finished
    table = quantum_train(made(runs, study))
    assert list(table.display["Bond\ndimension"]) == [str(dim) for dim in range(1, 11)]
    row = cells(table, 1)
    assert row["Train\naccuracy (%)"] == "not run" and row["n"] == "0"
    assert row["Train\naccuracy (%),\npublished"] == "83.34 ± 3.39\n(3)"


def test_asked_runs_that_are_missing_are_rows_that_say_so(tmp_path):
    study = small_study(dataset="digits", bond_dims=(2, 4))
    table = quantum_train(made(collect(study, tmp_path, partial=True), study))
    assert list(table.display["Train\naccuracy (%)"]) == ["not run", "not run"]
    assert "not run" in to_markdown(classical(made(collect(study, tmp_path, partial=True), study)))
    assert "not run" in to_latex(table)


def test_parameters_are_given_as_published_used_and_effective(finished):
    study, runs = finished
    assert cells(quantum_train(made(runs, study)), 3)["Parameters"] == "688 / 667 /\n574-575"
    assert cells(classical(made(runs, study)), 0)["Parameters"] == "6690"


def test_a_cell_has_mean_sd_and_interval(finished):
    study, runs = finished
    summary = summarise(runs[runs.experiment == "classical"].test600_accuracy_percent)
    cell = cells(classical(made(runs, study)), 0)["Test 600\naccuracy (%)"]
    assert cell == f"{summary.mean:.2f} ± {summary.sd:.2f}\n[{summary.low:.2f}, {summary.high:.2f}]"


def test_captions_state_ddof_and_interval(finished):
    study, runs = finished
    for table in (classical(made(runs, study)), quantum_train(made(runs, study))):
        assert "ddof = 1" in table.caption and "95 % t interval" in table.caption and "ddof = 0" in table.caption


def test_a_study_on_other_data_has_nothing_of_the_publication(demo):
    study, runs = demo
    for table in (classical(made(runs, study)), quantum_train(made(runs, study))):
        assert not [
            column for column in [*table.data.columns, *table.display.columns] if "published_" in column or ",\npublished" in column
        ]
        assert "ddof = 0" not in table.caption
    assert list(quantum_train(made(runs, study)).display["Bond\ndimension"]) == ["2", "4"]


def test_variants_with_the_same_bond_dimension_keep_their_own_rows(tmp_path):
    tree = {"quantum_train": {"method": "quantum_train", "seeds": [0, 1], "vary": {"mapping.bond_dim": [2], "schedule.rounds": [3, 4]}}}
    study = small_study(dataset="digits", experiments=tree)
    fabricate(study, tmp_path)
    display = quantum_train(made(collect(study, tmp_path), study)).display
    assert list(display["Variant"]) == ["bond_dim=2,rounds=3", "bond_dim=2,rounds=4"] and list(display["n"]) == ["2", "2"]


def test_protocols_are_compared_seed_by_seed(finished):
    _, runs = finished
    table = protocols(made(runs))
    own = runs[runs.experiment == "protocols"].pivot(index="seed", columns="protocol", values="test10k_accuracy_percent")
    row = table.data.set_index(["arm", "quantity"]).loc[("gradient minus cobyla", "test10k_accuracy_percent")]
    assert row["mean"] == pytest.approx((own.gradient - own.cobyla).mean()) and row.n == 3
    assert list(table.display["Epochs on\nthe mapping"]) == ["50", "50", "50"]


def test_protocols_of_unequal_length_are_not_subtracted(tmp_path):
    tree = {"protocols": {"method": "quantum_train", "seeds": [0, 1], "vary": {"schedule": ["cobyla", "gradient"]}}}
    study = small_study(experiments=tree, schedules={"gradient": {"rounds": 4}, "cobyla": {"rounds": 3}})
    fabricate(study, tmp_path)
    assert len(protocols(made(collect(study, tmp_path), study)).display) == 2


def test_cobyla_at_full_length_stands_beside_its_like_alone(tmp_path):
    tree = {
        "quantum_train": {"method": "quantum_train", "seeds": [0, 1], "vary": {"mapping.bond_dim": [2, 4]}},
        "cobyla": {"method": "quantum_train", "seeds": [1], "schedule": "cobyla"},
    }
    tree["protocols"] = {"method": "quantum_train", "seeds": [0, 1], "override": {"schedule.rounds": 10}}
    tree["protocols"] |= {"vary": {"schedule": ["cobyla", "gradient"]}}
    study = small_study(experiments=tree, schedules={"gradient": {"rounds": 20}, "cobyla": {"rounds": 20}})
    fabricate(study, tmp_path)
    runs = collect(study, tmp_path)
    table = protocols(made(runs))
    assert list(table.display["Rounds"]) == ["10", "10", "", "20", "20", ""]
    assert list(table.display["n"]) == ["2", "2", "2", "1", "1", "1"]
    assert len(figures.protocols(made(runs, study, tmp_path)).axes) == 4
    one = runs[(runs.seed == 1) & (runs.rounds == 20) & (runs.bond_dim == 4)].set_index("protocol").test10k_accuracy_percent
    found = table.data[(table.data.arm == "gradient minus cobyla") & (table.data.mapping_epochs == 100)].set_index("quantity")
    assert found.loc["test10k_accuracy_percent", "mean"] == pytest.approx(one.gradient - one.cobyla)


def test_powells_cobyla_stands_beside_scipys(tmp_path):
    protocols_of = {"method": "quantum_train", "seeds": [0, 1, 2], "override": {"schedule.rounds": 10}}
    powells = protocols_of | {"schedule": "cobyla", "override": {"schedule.rounds": 10, "schedule.implementation": "powell"}}
    tree = {"protocols": protocols_of | {"vary": {"schedule": ["cobyla", "gradient"]}}, "cobyla_powell": powells}
    study = small_study(experiments=tree)
    fabricate(study, tmp_path)
    results = made(collect(study, tmp_path), study, tmp_path)
    table = protocols(results)
    scipys = results.runs[(results.runs.experiment == "protocols") & (results.runs.protocol == "cobyla")].set_index("seed")
    own = results.runs[results.runs.experiment == "cobyla_powell"].set_index("seed")
    difference = (own.test10k_accuracy_percent - scipys.test10k_accuracy_percent).mean()
    row = table.data.set_index(["arm", "quantity"]).loc[("Powell's minus SciPy's cobyla", "test10k_accuracy_percent")]
    assert difference > 0 and row["mean"] == pytest.approx(difference) and row.n == 3
    assert list(table.display.Protocol) == [
        "cobyla",
        "gradient",
        "cobyla, Powell's",
        "gradient minus cobyla",
        "Powell's minus SciPy's cobyla",
    ]
    assert len(figures.protocols(results).axes[1].lines) == 3
    (found,) = facts(results).protocols.powells
    assert (found.accuracy.mean, found.epochs) == (pytest.approx(difference), 50)
    gradients = results.runs[(results.runs.experiment == "protocols") & (results.runs.protocol == "gradient")].set_index("seed")
    assert found.gradients.mean == pytest.approx((gradients.test10k_accuracy_percent - own.test10k_accuracy_percent).mean())
    assert found.loss.mean == pytest.approx((own.train_cross_entropy - scipys.train_cross_entropy).mean())


def test_powells_cobyla_at_full_length_is_told_apart_and_has_its_like_beside_it():
    names = ["cobyla", "cobyla_powell_full", "quantum_train", "quantum_train"]
    runs = pd.DataFrame({"experiment": names, "protocol": ["cobyla", "cobyla", "gradient", "gradient"], "seed": [0, 1, 1, 2]})
    found = protocol_runs(runs.assign(rounds=200, mapping_epochs=5, bond_dim=4, dataset="mnist-partial"))
    assert list(zip(found.experiment, found.protocol, found.seed, strict=True)) == [
        ("cobyla", "cobyla", 0),
        ("cobyla_powell_full", "cobyla, Powell's", 1),
        ("quantum_train", "gradient", 1),
    ]


def test_no_protocols_no_table(tmp_path):
    study = small_study(protocols=False)
    assert protocols(made(collect(study, tmp_path, partial=True), study)) is None


def test_files_are_csv_markdown_and_latex_in_full_precision(finished, tmp_path):
    study, runs = finished
    table = quantum_train(made(runs, study))
    write_texts("tables/quantum_train", made(runs, study, tmp_path))
    folder = tmp_path / "made-up/tables"
    pd.testing.assert_series_equal(pd.read_csv(folder / "quantum_train.csv")["mean"], table.data["mean"])
    assert (folder / "quantum_train.md").read_text() == to_markdown(table)
    assert (folder / "quantum_train.tex").read_text() == to_latex(table)
    assert sorted(path.suffix for path in folder.iterdir()) == [".csv", ".html", ".json", ".md", ".tex"]
    assert table_files(quantum_train(made(runs, study)))["csv"] == (folder / "quantum_train.csv").read_text()


def test_latex_rows_have_as_many_cells_as_columns_and_nothing_unescaped(finished):
    study, runs = finished
    for table in (classical(made(runs, study)), quantum_train(made(runs, study)), protocols(made(runs))):
        text = to_latex(table)
        columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)[1]
        body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
        rows = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert rows and all(len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1 for row in rows)
        assert not re.search(r"(?<!\\)%(?! needs)", text) and "±" not in text
        assert text.count("{") == text.count("}") and text.isascii()


def test_numbers_are_rounded_without_exponents_and_hyphens_keep_words_together():
    assert [significant(x, 3) for x in (1078.4, 0.00012345, 26.41, 1e7, -0.5)] == ["1,080", "0.000123", "26.4", "10,000,000", "-0.5"]
    assert markdown(pd.DataFrame({"cross-\nentropy\n(nats)": ["1"]})).startswith("| cross-entropy (nats) |")


def test_latex_escapes_and_typesets_signs_and_ranges():
    table = Table(
        "a_b",
        "50 % & more, *open*: p < 0.05",
        pd.DataFrame(),
        pd.DataFrame({"x_1": ["-1.5 ± 0.2\n[-2.0, -1.0]"], "y": ["3-4"], "z": ["M-1"]}),
    )
    text = to_latex(table)
    assert r"\caption{50 \% \& more, \emph{open}: p $<$ 0.05}" in text and r"\label{tab:a-b}" in text and r"\shortstack{x\_1}" in text
    assert r"$-$1.5 $\pm$ 0.2 & 3--4 & M-1 \\" in text
    assert r"{\tiny [$-$2.0, $-$1.0]} &  &  \\" in text


def test_markdown_is_aligned_and_reads_back(finished):
    study, runs = finished
    text = markdown(quantum_train(made(runs, study)).display)
    assert len({len(line) for line in text.splitlines()}) == 1
    read = pd.read_csv(io.StringIO(text), sep="|").iloc[1:, 1:-1]
    assert read.shape == (10, 11)


def test_the_small_table_names_methods_and_only_the_sets_there_are(demo, finished):
    text = markdown(glance(made(demo[1], demo[0])).display)
    assert "photonic QT, bond_dim=4" in text and "Test accuracy (%)" in text and "Test 10k" not in text
    assert "Test 10k accuracy (%)" in (small := markdown(glance(made(finished[1])).display))
    assert max(len(line) for line in small.splitlines()) <= 120


def test_without_runs_there_is_no_small_table(tmp_path):
    assert glance(made(collect(small_study(), tmp_path, partial=True))) is None


@pytest.mark.parametrize(
    ("value", "quantity", "text"),
    [
        (93.2925, "test600_accuracy_percent", "93.29"),
        (0.06791, "generalisation_error", "0.068"),
        (0.23949, "validation_cross_entropy", "0.2395"),
        (-0.001, "train_accuracy_percent", "0.00"),
    ],
)
def test_decimals_follow_the_quantity(value, quantity, text):
    assert format_number(value, quantity) == text


LANDED_TABLES = sorted((Path(__file__).parents[1] / "results" / "paper" / "tables").glob("*.md"))


@pytest.mark.parametrize("path", LANDED_TABLES, ids=lambda path: path.stem)
def test_intervals_of_landed_tables_hold_their_means_and_are_cut_where_a_quantity_ends_only(path: Path) -> None:
    """An interval of a mean is as wide below as above; it is cut at 0 or 100 where it is of an accuracy, never of a difference or a fit."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in path.read_text().splitlines() if line.startswith("|")]
    for row in rows[2:]:
        for heading, cell in zip(rows[0], row, strict=False):
            found = re.match(r"([+-]?[\d.]+)(?: ± [\d.]+)? \[(-?[\d.]+), (-?[\d.]+)\]", cell)
            if not found:
                continue
            mean, low, high = map(float, found.groups())
            assert low <= mean <= high, (row, cell)
            step = 1.01 * 10.0 ** -len(found[2].partition(".")[2])
            if abs((high - mean) - (mean - low)) > 2 * step:
                of_accuracy = cell[0] not in "+-" and "minus" not in row[0].lower() and "fit" not in " ".join(row[:3])
                assert of_accuracy and (low == 0 or high == 100) and re.search(r"%|ours", heading, re.I), (heading, row, cell)
