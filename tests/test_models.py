"""Models of runs: exactly what was trained, from which the landed numbers come again; what is damaged, missing or changed is named."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from golden.record import NAMES, run_of
from safetensors.torch import load_file, save_file

from lightweights.datasets import Dataset, load, to_tensors
from lightweights.files import write_atomic
from lightweights.methods.models import ModelError, measured, model_of, plain, taken_up
from lightweights.networks import TargetCNN
from lightweights.quantum_train import QuantumTrain
from lightweights.report.cards import ExportError, export, models_text
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.runs import Run
from lightweights.settings.study import parse_study
from lightweights.study.bundle import BundleError, unpacked, write_bundle
from lightweights.study.contract import few
from lightweights.study.evaluate import EvaluateError, Evaluation, asked_for, compare, evaluate
from lightweights.study.execute import begin, execute, finish
from lightweights.study.layout import data_path, metrics_file, model_file, run_folder, weights_file
from lightweights.study.models import LARGEST_IN_GIT, NoModelError, load_model, module_of_run, place_of, read_landed, read_model

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[1]
ONE_THREAD = {"threads": 1, "device": "cpu", "checkpoint_seconds": 600.0}
TREE = {
    "study": {"name": "trial"},
    "dataset": {"name": "digits"},
    "mapping": {"bond_dim": 2, "init_std": 0.05},
    "schedules": {
        "classical": {"epochs": 2, "batch_size": 50},
        "gradient": {"rounds": 2, "mapping_epochs": 1, "batch_size": 50, "phase_steps": 2, "phase_batch_size": 60},
    },
    "experiments": {
        "generated": {"method": "quantum_train", "seeds": [0, 1]},
        "direct": {"method": "classical", "seeds": [0]},
        "redrawn": {"method": "quantum_train", "seeds": [0], "override": {"photonics.arm": "gaussian-resampled"}},
        "shots": {"method": "quantum_train", "seeds": [0], "override": {"photonics.cycles": 100000}},
        "pruned": {"method": "baseline", "seeds": [0], "baseline": {"kind": "pruning", "ratio": 0.5}},
        "small": {"method": "baseline", "seeds": [0], "baseline": {"kind": "small_cnn", "widths": [3, 4, 5]}},
    },
}
RUNS = {run.key: run for run in parse_study(TREE).runs()}
GENERATED = "generated/base/seed-0"


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """Few of the digits."""
    return few(load(DatasetSection(name="digits")))


@pytest.fixture(scope="module")
def landed(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with all runs and the data."""
    results = tmp_path_factory.mktemp("landed") / "results"
    for run in RUNS.values():
        execute(run, digits, results, **ONE_THREAD)
    tensors, metadata = to_tensors(digits)
    save_file(tensors, _made(data_path("trial", "digits", results)), metadata)
    return results


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def results(landed: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(landed, tmp_path / "results")
    return tmp_path / "results"


def said_of(results: Path, *names: str) -> str:
    said: list[str] = []
    evaluate(names or ("all",), "trial", said.append, results)
    return "\n".join(said)


def change(run: Run, results: Path, section: str, **values: object) -> None:
    path = metrics_file(run, results)
    metrics = json.loads(path.read_text())
    metrics[section].update(values)
    path.write_text(json.dumps(metrics))


# What is stored


@pytest.mark.whole
def test_a_model_is_what_was_trained_and_no_weights_that_follow(landed: Path) -> None:
    model = load_file(model_file(RUNS[GENERATED], landed))
    assert set(model) == {"phases.0", "phases.1", "mapping.cores", "mapping.bias_left", "mapping.bias_right", "mapping.output"}
    metrics = json.loads(metrics_file(RUNS[GENERATED], landed).read_text())
    assert metrics["model"]["numbers"] == metrics["parameters"]["trained_published"] - 192 + sum(
        model[f"phases.{k}"].numel() for k in (0, 1)
    )
    assert not weights_file(RUNS[GENERATED], landed).exists()
    direct = load_file(model_file(RUNS["direct/base/seed-0"], landed))
    assert (
        sum(value.numel() for value in direct.values())
        == json.loads(metrics_file(RUNS["direct/base/seed-0"], landed).read_text())["parameters"]["target"]
    )


def test_a_model_holds_what_was_drawn_last_and_no_teacher(landed: Path) -> None:
    assert "arm.values" in load_file(model_file(RUNS["redrawn/arm=gaussian-resampled/seed-0"], landed))
    assert all(name.startswith("student.") for name in load_file(model_file(RUNS["small/base/seed-0"], landed)))


def test_models_lie_where_their_size_says(tmp_path: Path) -> None:
    run = RUNS[GENERATED]
    assert place_of(run, LARGEST_IN_GIT, tmp_path) == model_file(run, tmp_path)
    assert place_of(run, LARGEST_IN_GIT + 1, tmp_path) == weights_file(run, tmp_path)
    assert place_of(run_of("teacher"), 10, tmp_path) == weights_file(run_of("teacher"), tmp_path)  # a student's job must know where


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("cobyla", "student")])
def test_settings_seed_and_model_give_the_numbers_of_every_method_again(name: str, tiny: Dataset) -> None:
    run = run_of(name)
    training, progress, _ = begin(run.settings, tiny, run.seed, CPU)
    list(progress)
    result = finish(training, run.settings, tiny, run.seed)
    network = plain(run.settings, taken_up(run.settings, tiny, run.seed, result.model))
    found = measured(network, run.settings, tiny)
    assert found and found == {key: result.final[key] for key in found}
    assert {f"{test}_accuracy_percent" for test in tiny.tests} <= set(found)


def test_weights_that_are_tied_are_stored_once(tiny: Dataset) -> None:
    tree = TREE | {"network": {"name": "tied_networks:tied"}, "experiments": {"direct": {"method": "classical", "seeds": [0]}}}
    run = parse_study(tree).runs()[0]
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    list(progress)
    model = model_of(training.module, run.settings, tiny, 0)
    assert set(model) == {"1.weight", "1.bias", "3.weight", "3.bias", "4.bias"} - {"4.weight"}
    again = taken_up(run.settings, tiny, 0, model)
    assert all(torch.equal(one, other) for one, other in zip(training.module.parameters(), again.parameters(), strict=True))


# Evaluated


def test_landed_models_give_their_numbers_again(landed: Path) -> None:
    said = said_of(landed)
    assert said == "checked: 7 runs, from the stored numbers to the test sets: 7 equal, 0 within the tolerance"
    assert said_of(landed, "generated", "trial/direct/base/seed-0").startswith("checked: 3 runs")


def test_a_flipped_byte_is_named(results: Path) -> None:
    path = model_file(RUNS[GENERATED], results)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(EvaluateError, match=r"1 findings:\n.*generated/base/seed-0/model.safetensors: SHA-256 .* but metrics.json has"):
        said_of(results)


def test_a_number_that_does_not_hold_is_named_on_the_same_processor_and_may_be_close_elsewhere(results: Path) -> None:
    run = RUNS["direct/base/seed-0"]
    final = json.loads(metrics_file(run, results).read_text())["final"]
    one_image = 100 / 120
    change(run, results, "final", test_accuracy_percent=final["test_accuracy_percent"] - one_image)
    with pytest.raises(EvaluateError, match=r"direct/base/seed-0: test_accuracy_percent is .*, metrics.json has .* \(1 of 120 images\)"):
        said_of(results)
    here = json.loads(metrics_file(run, results).read_text())["provenance"]
    for name in ("instructions", "device"):  # processors of one name differ in their instructions
        change(run, results, "provenance", **{name: "another"})
        assert "6 equal, 1 within the tolerance" in said_of(results)
        change(run, results, "provenance", **{name: here[name]})
    change(run, results, "provenance", device="another")
    change(run, results, "final", test_accuracy_percent=final["test_accuracy_percent"] - 2 * one_image)
    with pytest.raises(EvaluateError, match=r"\(2 of 120 images\)"):
        said_of(results)


@pytest.mark.parametrize(("points", "holds"), [(0.2, True), (0.22, False)])
def test_images_that_change_their_bin_of_confidence_are_counted_like_those_that_change_sides(points: float, holds: bool) -> None:
    metrics = {"final": {"test_calibration_error_percent": 0.5}, "provenance": {"device": "another"}}
    told = Evaluation()
    compare(SimpleNamespace(name="run", metrics=metrics), {"test_calibration_error_percent": 0.5 + points}, {"test": 10_000}, told)
    assert bool(told.close) == holds and bool(told.wrong) != holds and "of 10,000 images" in (told.close + told.wrong)[0]


def test_runs_without_a_model_and_other_data_are_told(results: Path) -> None:
    run = RUNS[GENERATED]
    path = metrics_file(run, results)
    metrics = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in metrics.items() if name != "model"}))
    said = said_of(results)
    assert "checked: 6 runs" in said
    assert (
        "not checked (1): was landed without its model; it has one once it is trained again; others: " in said
        and "trial/generated 1" in said
    )
    path.write_text(json.dumps(metrics))
    model_file(run, results).unlink()
    assert "not checked (1): its model is not here" in said_of(results)
    change(RUNS["direct/base/seed-0"], results, "provenance", data_sha256="0" * 64)
    with pytest.raises(EvaluateError, match=r"direct/base/seed-0: data digits has SHA-256 .* but the run was made on 000"):
        said_of(results)


def test_names_that_mean_nothing_are_refused(results: Path) -> None:
    with pytest.raises(NoModelError, match=r"'nothing': no run, and no chapter .* there are direct, generated"):
        said_of(results, "nothing")
    with pytest.raises(NoModelError, match="no run is there"):
        said_of(results, "trial/generated/base/seed-7")


def test_reading_is_strict(results: Path, digits: Dataset) -> None:
    run = RUNS[GENERATED]
    landed_run = read_landed(run_folder(run, results))
    model = read_model(landed_run)
    for changed, words in (
        (model | {"mapping.extra": torch.zeros(1)}, "mapping.extra is no tensor"),
        (model | {"phases.0": model["phases.0"][1:]}, r"phases.0 is \("),
        (model | {"phases.0": model["phases.0"].double()}, "float64; the module has"),
        (model | {"phases.0": model["phases.0"] / 0}, "not finite"),
    ):
        with pytest.raises(ModelError, match=words):
            taken_up(run.settings, digits, 0, changed)
    metrics = json.loads(metrics_file(run, results).read_text())
    told = dict(metrics["model"])
    for model, words in (
        (told | {"bytes": 1}, "but metrics.json has .* in 1"),
        (told | {"numbers": 7}, "but metrics.json has 7"),
        ({"sha256": told["sha256"]}, "does not tell how many numbers"),
    ):
        metrics_file(run, results).write_text(json.dumps(metrics | {"model": model}))
        with pytest.raises(ModelError, match=words):
            read_model(read_landed(run_folder(run, results)))
    del metrics["model"]["tensors"]["phases.0"]
    metrics_file(run, results).write_text(json.dumps(metrics))
    with pytest.raises(ModelError, match=r"its tensors are not those that metrics.json lists"):
        read_model(read_landed(run_folder(run, results)))


def test_results_behind_a_link_are_read(results: Path, tmp_path: Path) -> None:
    (results / "trial").rename(tmp_path / "elsewhere")
    (results / "trial").symlink_to(tmp_path / "elsewhere")
    assert "7 equal" in said_of(results)


@pytest.mark.whole
def test_landed_models_reach_what_their_runs_tell() -> None:
    """From the stored numbers to the test sets, as `lightweights evaluate`: equal here, within the tolerance on another processor."""
    chapters, said = ["quantum_train", "distributed_qlstm"], list[str]()
    told = evaluate(chapters, "paper", said.append, ROOT / "results")
    missing = [name for reason, names in told.unchecked.items() if "data is not here" in reason for name in names]
    asked = [landed for name in chapters for landed in asked_for([name], "paper", ROOT / "results")]
    models = [landed.name for landed in asked if landed.model and landed.model.get("numbers")]
    assert told.exact + len(told.close) + len(missing) == len(models) > 100
    assert told.exact + len(told.close) > 90  # series need no data that has to be fetched


# Handed out


def test_a_model_loads_by_the_name_of_its_run(landed: Path, monkeypatch: pytest.MonkeyPatch, digits: Dataset) -> None:
    monkeypatch.chdir(landed.parent)
    module = load_model("trial/generated/base/seed-0")
    assert isinstance(module, QuantumTrain)
    test = digits.tests["test"]
    right = module.bake()(test.images.float() / 255).argmax(1) == test.labels
    final = read_landed(run_folder(RUNS[GENERATED])).metrics["final"]
    assert 100 * int(right.sum()) / len(right) == final["test_accuracy_percent"]
    assert isinstance(load_model("results/trial/runs/direct/base/seed-0"), TargetCNN)


@pytest.mark.parametrize(("form", "ending"), [("safetensors", "safetensors"), ("torch", "pt2")])
def test_an_exported_network_answers_as_the_run_does(form, ending, landed: Path, digits: Dataset, tmp_path: Path) -> None:
    folder = export("trial/generated/base/seed-0", form, tmp_path / "hub", landed)
    images = digits.tests["test"].images.float() / 255
    run = read_landed(run_folder(RUNS[GENERATED], landed))
    wanted = plain(run.run.settings, module_of_run(run))(images)
    if form == "torch":
        found = torch.export.load(folder / f"network.{ending}").module()(images)
    else:
        network = TargetCNN((1, 28, 28), 10)
        network.load_state_dict(load_file(folder / f"network.{ending}"))
        found = network(images)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert json.loads((folder / "config.json").read_text())["model"] == run.model
    assert (folder / "model.safetensors").read_bytes() == model_file(RUNS[GENERATED], landed).read_bytes()
    _, header, text = (folder / "README.md").read_text().split("---\n", 2)
    told = yaml.safe_load(header)["model-index"][0]["results"][-1]
    assert told["metrics"][0]["value"] == pytest.approx(run.metrics["final"]["test_accuracy_percent"] / 100, abs=1e-6)
    assert "lightweights.load(" in text and "| 2 |" in text and "not for" in text


def test_an_onnx_program_answers_as_the_run_does(landed: Path, digits: Dataset, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnx.reference")
    folder = export("trial/generated/base/seed-0", "onnx", tmp_path / "hub", landed)
    images = digits.tests["test"].images[:7].float() / 255
    run = read_landed(run_folder(RUNS[GENERATED], landed))
    (found,) = runtime.ReferenceEvaluator(str(folder / "network.onnx")).run(None, {"inputs": images.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), plain(run.run.settings, module_of_run(run))(images), atol=1e-4, rtol=1e-4)


def test_without_onnx_its_package_is_named(landed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ExportError, match="pip install onnx"):
        export("trial/generated/base/seed-0", "onnx", tmp_path / "hub", landed)


def test_the_card_of_a_forecaster_speaks_of_no_images(tmp_path: Path) -> None:
    name = "paper/sequence_lstm/name=chapters.distributed_qlstm.data-oscillator,hidden=4,cell=lstm/seed-0"
    folder = export(name, "torch", tmp_path, ROOT / "results")
    _, header, text = (folder / "README.md").read_text().split("---\n", 2)
    told = yaml.safe_load(header)["model-index"][0]["results"]
    final = read_landed(ROOT / "results/paper/runs" / name.removeprefix("paper/")).metrics["final"]
    assert [one["metrics"] for one in told] == [[{"type": "r2", "value": pytest.approx(final["test_r2"], abs=1e-6)}]]
    assert "R2" in text and "images" not in text and "accuracy" not in text
    assert torch.export.load(folder / "network.pt2").module()(torch.zeros(3, 4, dtype=torch.float64)).shape == (3,)


def test_models_are_listed_with_their_size_and_those_without_are_told(results: Path) -> None:
    text = models_text("trial", results)
    assert "7 of 7 runs have a model" in text
    row = next(line for line in text.splitlines() if line.startswith("generated"))
    told = json.loads(metrics_file(RUNS[GENERATED], results).read_text())
    size, reached = f"{told['model']['bytes'] / 1000:.1f}", f"{told['final']['test_accuracy_percent']:.2f}"
    assert row.split() == ["generated", "base", "0", str(told["model"]["numbers"]), size, "accuracy", "(%)", reached]
    path = metrics_file(RUNS[GENERATED], results)
    path.write_text(json.dumps({name: value for name, value in told.items() if name != "model"}))
    assert "landed without their models, until they are trained again (1): generated 1" in models_text("trial", results)
    del told["model"]
    told["parameters"]["target"] = 0  # as of a kernel, which trains no network
    path.write_text(json.dumps(told))
    assert "without their models" not in models_text("trial", results)


def test_a_bundle_gives_the_number_in_a_fresh_folder_and_damage_is_named(
    landed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    file = write_bundle("trial/generated/base/seed-0", fresh / "run.zip", landed)
    again = write_bundle("trial/generated/base/seed-0", fresh / "again.zip", landed)
    assert file.read_bytes() == again.read_bytes()
    monkeypatch.chdir(fresh)
    run = unpacked(file, fresh / "out")
    data = data_path("trial", "digits", fresh / "out")
    shutil.copy(data_path("trial", "digits", landed), _made(data))
    assert "1 equal" in said_of(fresh / "out", "trial/generated/base/seed-0")
    assert read_model(run).keys() == read_model(read_landed(run_folder(RUNS[GENERATED], landed))).keys()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    write_atomic(Path("damaged.zip"), bytes(content))
    with pytest.raises(BundleError, match=r"damaged.zip"):
        unpacked(Path("damaged.zip"), fresh / "other")
