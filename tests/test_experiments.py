"""A study of one's own shows its own results: a table and a figure for each experiment that no chapter speaks for."""

import numpy as np
import pytest
from houses import ROOT
from results_made import CHAPTERS, made
from scipy import stats
from synthetic import fabricate, small_study

from lightweights.report.contradictions import contradictions_of
from lightweights.report.experiments import chapters_for, items_of, own_experiments, speaks_for
from lightweights.report.experiments import figures as own_figures
from lightweights.report.experiments.measured import measured
from lightweights.report.experiments.tables import of_experiment
from lightweights.report.make import small_tables, write_figure, write_texts
from lightweights.report.said import said_for
from lightweights.report.words import chapter_page, front_page
from lightweights.settings.base import SettingsError
from lightweights.settings.reading import Source, load_study, study_of
from lightweights.study.collect import collect

SWEEP = {"method": "quantum_train", "seeds": [0, 1, 2], "vary": {"schedule.batch_size": [32, 64, 128]}}
NETWORKS = {"method": "quantum_train", "seeds": [0, 1], "vary": {"network.name": ["cnn", "cnn-relu"], "mapping.bond_dim": [2, 4]}}


def own_study(**experiments):
    return small_study(dataset="digits", experiments=experiments or {"width_sweep": SWEEP})


def results_of(study, tmp_path):
    fabricate(study, tmp_path)
    return made(collect(study, tmp_path), study, tmp_path)


def test_any_experiment_has_a_table_with_what_varied_n_mean_interval_and_numbers_trained(tmp_path):
    results = results_of(own_study(), tmp_path)
    table = of_experiment(results, "width_sweep")
    assert [name.replace("\n", " ") for name in table.display.columns] == ["Batch size", "Numbers trained", "n", "Test accuracy (%)"]
    assert list(table.display["Batch size"]) == ["32", "64", "128"] and set(table.display["n"]) == {"3"}
    values = results.runs[results.runs.variant == "batch_size=64"].test_accuracy_percent
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    row = table.data[table.data.variant == "batch_size=64"].iloc[0]
    assert (row["mean"], row.ci95_low, row.ci95_high) == pytest.approx((values.mean(), low, high))
    assert row.numbers_trained == results.runs.parameters_trained_used.iloc[0]


def test_front_page_and_terminal_show_ones_own_results_first_and_nothing_of_papers(tmp_path):
    study = own_study(classical={"method": "classical", "seeds": [0, 1, 2]}, width_sweep=SWEEP)
    results = results_of(study, tmp_path)
    text = front_page(results, len(contradictions_of(chapter for chapter in CHAPTERS.values() if speaks_for(chapter, study))))
    assert text.index("## classical") < text.index("## width_sweep") < text.index("## How sure")
    assert "figures/experiment_width_sweep.png" in text
    assert not [
        word for word in ("published", "contradiction", "scorecard", "Table 2", "claims.png") if word in text.replace("unpublished", "")
    ]
    assert [table.name for table in small_tables(results)] == ["experiment_classical", "experiment_width_sweep"]
    own, paper = chapters_for(study)[0], CHAPTERS["quantum_train"]
    assert "| 128 " in chapter_page(own, results) and "ublished" not in chapter_page(paper, results)
    assert items_of(paper, "tables", study, {"classical"})["classical"].title == "Target network"
    write_texts("scorecard", results)
    assert (tmp_path / "made-up/scorecard.csv").read_text().count("\n") == 1


def test_the_papers_runs_on_its_data_are_told_as_such():
    study = small_study()
    assert own_experiments(study) == () and chapters_for(study) == tuple(CHAPTERS.values())
    assert items_of(CHAPTERS["quantum_train"], "tables", study, {"classical"})["classical"].title == "Target network (Table 2)"
    mine = small_study(network={"name": "my_network:make"})
    assert own_experiments(mine) == ("classical", "quantum_train", "protocols")  # no paper has that network


def test_the_whole_study_is_told_by_its_chapters_alone():
    assert own_experiments(load_study(ROOT / "params.yaml")) == ()


def test_table_and_figure_are_written_by_name_like_those_of_chapters(tmp_path):
    results = results_of(own_study(), tmp_path)
    write_texts("tables/experiment_width_sweep", results)
    write_figure("experiment_width_sweep", results)
    made_files = {path.name for path in (tmp_path / "made-up").glob("*/experiment_width_sweep.*")}
    assert made_files == {f"experiment_width_sweep.{ending}" for ending in ("csv", "md", "tex", "json", "html", "pdf", "png", "svg")}


def test_figure_shows_the_metric_against_what_varied_with_a_line_for_each_network(tmp_path):
    results = results_of(own_study(networks=NETWORKS), tmp_path)
    figure = own_figures.of_experiment(results, experiment="networks")
    axis = figure.axes[0]
    lines = [container[0] for container in axis.containers]
    assert len(lines) == 2 and axis.get_xlabel() == "Bond dimension"
    runs = results.runs
    for line, network in zip(lines, ("cnn", "cnn-relu"), strict=True):
        means = runs[runs.network == network].groupby("bond_dim").test_accuracy_percent.mean()
        assert np.allclose(line.get_xdata(), [2, 4]) and np.allclose(line.get_ydata(), means)
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"cnn", "cnn-relu"}


def test_names_in_place_of_numbers_are_rows_with_a_dot_a_seed(tmp_path):
    study = own_study(arms={"method": "quantum_train", "seeds": [0, 1], "vary": {"photonics.mesh": ["notebook", "clements"]}})
    axis = own_figures.of_experiment(results_of(study, tmp_path), experiment="arms").axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["notebook", "clements"]


def test_the_papers_figures_draw_two_networks_as_two_lines(tmp_path):
    results = results_of(own_study(quantum_train=NETWORKS), tmp_path)
    axis = CHAPTERS["quantum_train"].function("figures", "accuracy_against_parameters")(results).axes[0]
    labels = [label for label in axis.get_legend_handles_labels()[1] if label.startswith("photonic")]
    assert labels == ["photonic QT, name=cnn, test images", "photonic QT, name=cnn-relu, test images"] or len(labels) == 2


def test_measure_is_the_last_test_set_else_what_there_is(tmp_path):
    results = results_of(small_study(), tmp_path)
    assert measured(results.runs) == "test10k_accuracy_percent"
    other = results.runs.drop(columns=[name for name in results.runs if name.endswith("accuracy_percent")])
    assert measured(other.assign(area_percent=1.0)[["experiment", "method", "area_percent"]]) == "area_percent"


def test_what_an_experiment_varies_is_replaced_as_a_whole():
    before = {"experiments": {"mine": {"method": "quantum_train", "seeds": [0], "vary": {"mapping.bond_dim": [1, 2, 3]}}}}
    after = {"experiments": {"mine": {"vary": {"network.name": ["cnn", "cnn-relu"]}}}}
    runs = study_of([Source("params.yaml", before), Source("mine.yaml", after)]).runs()
    assert [run.variant for run in runs] == ["name=cnn", "name=cnn-relu"]


def test_arguments_of_a_factory_can_be_varied_one_by_one_and_together():
    network = {"network": {"name": "my_network:make"}, "dataset": {"name": "digits"}}
    for vary, names in (
        ({"network.arguments.hidden": [8, 16]}, ["hidden=8", "hidden=16"]),
        ({"network.arguments": [{"hidden": 8}, {"hidden": 16, "layers": 2}]}, ["arguments=hidden.8", "arguments=hidden.16+layers.2"]),
    ):
        runs = study_of(
            [Source("mine.yaml", network | {"experiments": {"mine": {"method": "quantum_train", "seeds": [0], "vary": vary}}})]
        ).runs()
        assert [run.variant for run in runs] == names and runs[-1].settings.network.arguments["hidden"] == 16
    with pytest.raises(SettingsError, match=r"no setting 'network\.argument\.hidden'"):
        study_of(
            [
                Source(
                    "mine.yaml",
                    {"experiments": {"mine": {"method": "quantum_train", "seeds": [0], "vary": {"network.argument.hidden": [1]}}}},
                )
            ]
        )


def test_claims_of_one_chapter_make_no_unrelated_chapter_stale():
    noise = {path.parent.name for path in said_for(CHAPTERS["noise"])}
    assert "noise" in noise and "hamiltoniq" not in noise
    assert {path.parent.name for path in said_for(CHAPTERS["quantum_train"])} >= {"noise", "hamiltoniq"}  # the picture of all claims
