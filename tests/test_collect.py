import json
import shutil

import pandas as pd
import pytest
from synthetic import change_metrics, fabricate, fabricate_run, small_study

from lightweights.study.collect import CollectError, collect, flatten, read_histories, read_runs, reported_test_sets, write_runs
from lightweights.study.csv_text import to_csv
from lightweights.study.layout import run_folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    study = small_study()
    fabricate(study, results)
    return study, results


@pytest.fixture
def own(finished, tmp_path):
    study, results = finished
    shutil.copytree(results, tmp_path / "copy")
    return study, tmp_path / "copy"


def folder_of(study, results, key):
    return next(run_folder(run, results) for run in study.runs() if run.key == key)


def test_one_row_a_run_in_the_order_of_the_settings(finished):
    study, results = finished
    runs = collect(study, results)
    found = [f"{r.experiment}/{r.variant}/seed-{r.seed}" for r in runs.itertuples()]
    assert found == [run.key for run in study.runs()]


def test_values_are_those_of_metrics_json(finished):
    study, results = finished
    runs = collect(study, results).set_index(["experiment", "variant", "seed"])
    metrics = json.loads((folder_of(study, results, "quantum_train/bond_dim=4/seed-1") / "metrics.json").read_text())
    row = runs.loc[("quantum_train", "bond_dim=4", 1)]
    assert {name: row[name] for name in metrics["final"]} == metrics["final"]
    assert {name: row[f"last10_{name}"] for name in metrics["last10"]} == metrics["last10"]
    assert {name: row[f"parameters_{name}"] for name in metrics["parameters"]} == metrics["parameters"]
    assert (row.dataset, row.network, row.bond_dim, row.protocol, row.rounds) == ("mnist-partial", "cnn", 4, "gradient", 12)
    assert (row.wall_seconds, row.host, row.threads) == (62.5, "made-up-host", 1)


def test_settings_that_vary_are_columns_and_constant_ones_are_not(finished, tmp_path):
    study, results = finished
    assert not [c for c in collect(study, results) if c.startswith("photonics.")]
    tree = {
        "experiments": {"quantum_train": {"method": "quantum_train", "seeds": [0], "vary": {"photonics.mesh": ["notebook", "clements"]}}}
    }
    varied = small_study(protocols=False, **tree)
    fabricate(varied, tmp_path)
    assert list(collect(varied, tmp_path)["photonics.mesh"]) == ["notebook", "clements"]


def test_runs_csv_is_byte_stable_and_reads_back_the_same(finished, tmp_path):
    study, results = finished
    runs = collect(study, results)
    write_runs(runs, tmp_path / "runs.csv")
    again = read_runs(tmp_path / "runs.csv")
    pd.testing.assert_frame_equal(again, runs)
    assert to_csv(again).encode() == (tmp_path / "runs.csv").read_bytes()


@pytest.mark.filterwarnings("error")
def test_a_runs_csv_that_pandas_would_read_in_pieces_is_read_in_one(finished, tmp_path):
    many = pd.concat([collect(*finished).head(1)] * 2000, ignore_index=True).assign(seed=range(2000))
    wide = pd.DataFrame(0, index=many.index, columns=[f"setting.{number}" for number in range(600)])
    wide["setting.0"] = [1.5] * 1500 + ["text"] * 500
    many = pd.concat([many, wide], axis=1)
    write_runs(many, tmp_path / "runs.csv")
    assert len(read_runs(tmp_path / "runs.csv")) == len(many)


def test_counts_stay_whole_numbers_where_some_runs_have_none(finished):
    study, results = finished
    lines = to_csv(collect(study, results)).splitlines()
    place = lines[0].split(",").index("bond_dim")
    assert {line.split(",")[place] for line in lines[1:4]} == {""}
    assert lines[4].split(",")[place] == "1"


def test_a_commit_that_looks_like_a_number_stays_text(finished, tmp_path):
    study, results = finished
    write_runs(collect(study, results), tmp_path / "runs.csv")
    assert set(read_runs(tmp_path / "runs.csv").commit) == {"12e4567"}


def test_runs_that_nobody_asked_for_are_left_out(own):
    study, results = own
    extra = small_study(bond_dims=(1, 4, 10, 7)).runs()
    fabricate_run(next(run for run in extra if run.variant == "bond_dim=7"), results)
    assert "bond_dim=7" not in set(collect(study, results).variant)


def test_missing_runs_are_named_counted_and_the_remedy_given(own):
    study, results = own
    for seed in (0, 2):
        shutil.rmtree(folder_of(study, results, f"quantum_train/bond_dim=10/seed-{seed}"))
    with pytest.raises(CollectError, match=r"2 of 18 runs are missing.*bond_dim=10/seed-0, .*bond_dim=10/seed-2.*snakemake --cores N"):
        collect(study, results)


def test_many_missing_runs_are_summed_up(tmp_path):
    with pytest.raises(CollectError, match=r"18 of 18 runs are missing.* and 13 more"):
        collect(small_study(), tmp_path)


def test_partial_leaves_missing_runs_out_and_keeps_the_columns(own):
    study, results = own
    whole = collect(study, results)
    shutil.rmtree(folder_of(study, results, "quantum_train/bond_dim=4/seed-1"))
    part = collect(study, results, partial=True)
    assert len(part) == len(whole) - 1 and list(part.columns) == list(whole.columns)
    nothing = collect(study, results / "elsewhere", partial=True)
    assert nothing.empty and list(nothing.columns) == list(whole.columns)


@pytest.mark.parametrize("partial", [False, True])
def test_a_run_with_other_settings_is_refused_naming_both_values(own, partial):
    study, results = own
    folder = folder_of(study, results, "quantum_train/bond_dim=4/seed-0")
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["settings"]["schedule"]["rounds"] = 60
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(CollectError, match=r"quantum_train/bond_dim=4/seed-0: made with schedule.rounds = 60, asked for is 12.*Delete"):
        collect(study, results, partial=partial)


def test_a_setting_that_the_run_does_not_know_is_a_difference(own):
    study, results = own
    folder = folder_of(study, results, "classical/base/seed-0")
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["settings"]["schedule"]["lr"]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(CollectError, match=r"schedule.lr = None, asked for is 0.001"):
        collect(study, results)


def test_a_run_copied_from_another_seed_is_refused(own):
    study, results = own
    shutil.copy(
        folder_of(study, results, "classical/base/seed-1") / "metrics.json",
        folder_of(study, results, "classical/base/seed-0") / "metrics.json",
    )
    with pytest.raises(CollectError, match="belongs to seed 1, not 0"):
        collect(study, results)


@pytest.mark.parametrize("content", ["", '{"run": {}', "[1]", '{"run": {}}', "\xff\xfe"])
def test_unreadable_metrics_are_refused_naming_the_file(own, content):
    study, results = own
    folder = folder_of(study, results, "classical/base/seed-0")
    (folder / "metrics.json").write_text(content, encoding="latin-1")
    with pytest.raises(CollectError, match=r"classical/base/seed-0: .*metrics.json cannot be read"):
        collect(study, results, partial=True)


def test_a_result_that_is_no_number_is_refused(own):
    study, results = own
    change_metrics(folder_of(study, results, "classical/base/seed-0"), "final", train_accuracy_percent=float("nan"))
    with pytest.raises(CollectError, match=r"final\.train_accuracy_percent"):
        collect(study, results)


def test_runs_on_different_data_are_refused_naming_both(own):
    study, results = own
    change_metrics(folder_of(study, results, "quantum_train/bond_dim=4/seed-2"), "provenance", data_sha256="f" * 64)
    with pytest.raises(CollectError, match=r"different data of mnist-partial: classical/base/seed-0 \(0000.*bond_dim=4/seed-2 \(ffff"):
        collect(study, results)


def test_histories_stand_below_each_other_with_their_run(finished):
    study, results = finished
    runs = collect(study, results)
    histories = read_histories("made-up", runs, results)
    one = histories[(histories.experiment == "quantum_train") & (histories.variant == "bond_dim=4") & (histories.seed == 2)]
    original = pd.read_csv(folder_of(study, results, "quantum_train/bond_dim=4/seed-2") / "history.csv")
    pd.testing.assert_frame_equal(one[original.columns].reset_index(drop=True), original, check_dtype=False)
    assert len(histories) == 3 * 50 + 9 * 12 + 6 * 10


def test_a_history_that_stops_early_is_refused(own):
    study, results = own
    path = folder_of(study, results, "quantum_train/bond_dim=4/seed-2") / "history.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(CollectError, match=r"bond_dim=4/seed-2: its history\.csv has 11 rows, expected 12"):
        collect(study, results)


def test_a_missing_history_is_refused(own):
    study, results = own
    (folder_of(study, results, "classical/base/seed-0") / "history.csv").unlink()
    with pytest.raises(CollectError, match=r"classical/base/seed-0: its history\.csv is missing or cut short"):
        collect(study, results)


def test_no_runs_have_no_histories(tmp_path):
    assert read_histories("made-up", collect(small_study(), tmp_path, partial=True), tmp_path).empty


def test_test_sets_come_in_the_order_of_the_publication(finished):
    study, results = finished
    assert reported_test_sets(collect(study, results)) == ["test600", "test10k"]


def test_flat_settings_leave_out_what_a_method_has_not():
    flat = flatten(small_study().runs()[0].settings)
    assert flat["schedule.epochs"] == 50 and not [path for path in flat if path.startswith(("photonics", "mapping"))]
