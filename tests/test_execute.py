"""One run: killed and resumed, damaged checkpoints, two processes at once, divergence, progress on a terminal."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save, save_file

from lightweights import cli
from lightweights.datasets import Dataset, Split, digest, load, to_tensors
from lightweights.methods import quantum_train
from lightweights.methods.quantum_train import build_generator
from lightweights.photonics import Circuit
from lightweights.photonics.remote import Remote
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.runs import Run
from lightweights.settings.study import parse_study
from lightweights.study import checkpoint
from lightweights.study import execute as execute_module
from lightweights.study.checkpoint import resume, save_checkpoint
from lightweights.study.execute import begin, execute, finish, read_data
from lightweights.study.faults import RunError, memory_told
from lightweights.study.layout import checkpoint_folder, model_file, run_folder, settings_file
from lightweights.study.lock import exclusive
from lightweights.study.plan import open_study
from lightweights.training.state import Training

CPU = torch.device("cpu")
ONE_THREAD = {"threads": 1, "device": "cpu", "checkpoint_seconds": 0.0}
TREE = {
    "study": {"name": "trial"},
    "dataset": {"name": "digits"},
    "mapping": {"bond_dim": 2, "init_std": 0.05},
    "schedules": {
        "classical": {"epochs": 4, "batch_size": 50},
        "gradient": {"rounds": 4, "mapping_epochs": 1, "batch_size": 50, "phase_steps": 2, "phase_batch_size": 60},
        "cobyla": {"rounds": 3, "mapping_epochs": 1, "batch_size": 50, "evaluations": 200, "phase_batch_size": 60},
    },
    "experiments": {
        "classical": {"method": "classical", "seeds": [0]},
        "gradient": {"method": "quantum_train", "seeds": [0]},
        "cobyla": {"method": "quantum_train", "schedule": "cobyla", "seeds": [0]},
    },
}


def run_of(experiment: str, **changes: object) -> Run:
    return next(run for run in parse_study(TREE | changes).runs() if run.experiment == experiment)


def timeless(rows: list[dict[str, float]] | pd.DataFrame) -> list[dict[str, float]]:
    records = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else rows
    return [{name: value for name, value in row.items() if name != "seconds"} for row in records]


def metrics_of(run: Run, results: Path) -> dict:
    return json.loads((run_folder(run, results) / "metrics.json").read_text())


# Resuming


@pytest.mark.whole
@pytest.mark.parametrize("protocol", ["classical", "gradient", "cobyla"])
def test_resumed_after_any_round_a_run_gives_the_same_bits(protocol: str, tiny: Dataset, tmp_path: Path) -> None:
    run = run_of(protocol)
    whole, progress, total = begin(run.settings, tiny, 0, CPU)
    files = []
    for row in progress:
        files.append(tmp_path / f"{len(files)}.safetensors")
        save_checkpoint(whole, run, files[-1])
        assert row is whole.rows[-1]
    assert len(files) == total
    expected = whole.tensors()
    for done, file in enumerate(files[:-1], start=1):
        resumed, progress, _ = begin(run.settings, tiny, 0, CPU)
        resume(resumed, run, file)
        assert resumed.rows == whole.rows[:done]
        assert len(list(progress)) == total - done
        assert timeless(resumed.rows) == timeless(whole.rows)
        found = resumed.tensors()
        assert found.keys() == expected.keys()
        assert [name for name, value in found.items() if not torch.equal(value, expected[name])] == []
        weights = [finish(training, run.settings, tiny, 0).weights for training in (resumed, whole)]
        assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())


def test_wall_time_goes_on_from_the_checkpoint(tiny: Dataset, tmp_path: Path) -> None:
    run = run_of("classical")
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    next(progress)
    training.rows[-1]["seconds"] = 1000.0
    save_checkpoint(training, run, tmp_path / "state")
    resumed, progress, _ = begin(run.settings, tiny, 0, CPU)
    resume(resumed, run, tmp_path / "state")
    seconds = [row["seconds"] for row in progress]
    assert all(1000 < value < 1100 for value in seconds)
    assert seconds == sorted(seconds)


def stored_elsewhere(tiny: Dataset, path: Path, bytes_of_generator: int) -> Run:
    """The checkpoint after a round, as a machine writes it whose generator has so many bytes of state: 16 on a GPU."""
    run = run_of("gradient")
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    next(progress)
    training.go_on("a GPU", "c0ffee")
    tensors = training.tensors() | {"stream.modules": torch.arange(bytes_of_generator, dtype=torch.uint8)}
    training.tensors = lambda: tensors  # type: ignore[method-assign]
    save_checkpoint(training, run, path, [digest(tiny)])
    return run


def test_a_checkpoint_of_another_kind_of_device_is_gone_on_with_and_the_run_says_so(tiny: Dataset, tmp_path: Path) -> None:
    state = checkpoint_folder(run_of("gradient"), tmp_path) / "state.safetensors"
    run = stored_elsewhere(tiny, state, 16)
    drawn = []
    for _ in range(2):
        training, _, _ = begin(run.settings, tiny, 0, CPU)
        fresh = training.streams["modules"].initial_seed()
        resume(training, run, state, [digest(tiny)])
        drawn.append(training.streams["modules"].initial_seed())
    assert drawn[0] == drawn[1] != fresh  # by what is stored, and not from the start again
    execute(run, tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=30.0)
    told = metrics_of(run, tmp_path)["provenance"]
    assert told["begun"] == [{"device": "a GPU", "commit": "c0ffee"}] and told["device"].startswith("cpu")
    assert len(pd.read_csv(run_folder(run, tmp_path) / "history.csv")) == 4


def test_what_is_no_generators_state_is_still_refused(tiny: Dataset, tmp_path: Path) -> None:
    run = stored_elsewhere(tiny, tmp_path / "state.safetensors", 15)
    training, _, _ = begin(run.settings, tiny, 0, CPU)
    with pytest.raises(RunError, match="set aside"):
        resume(training, run, tmp_path / "state.safetensors", [digest(tiny)])


def test_a_run_interrupted_between_rounds_goes_on(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the second checkpoint; the next start trains only what is left."""
    run = run_of("gradient")
    truth = execute(run, tiny, tmp_path / "undisturbed", **ONE_THREAD)
    saves: list[int] = []

    def save_and_stop(training: Training, *arguments: object) -> None:
        save_checkpoint(training, *arguments)
        saves.append(len(training.rows))
        if len(saves) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(execute_module, "save_checkpoint", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        execute(run, tiny, tmp_path, **ONE_THREAD)
    assert not run_folder(run, tmp_path).exists()
    result = execute(run, tiny, tmp_path, **ONE_THREAD)
    assert saves == [1, 2, 3]  # the last round is written as the result
    assert timeless(result.history) == timeless(truth.history)
    assert metrics_of(run, tmp_path)["final"] == metrics_of(run, tmp_path / "undisturbed")["final"] == truth.final
    assert model_file(run, tmp_path).read_bytes() == model_file(run, tmp_path / "undisturbed").read_bytes()


def test_checkpoints_are_as_rare_as_asked(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute_module, "save_checkpoint", lambda *arguments: pytest.fail("no checkpoint was due"))
    execute(run_of("classical"), tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=600)


# What a finished run leaves


def test_a_finished_run_leaves_metrics_history_and_weights_and_no_checkpoint(tiny: Dataset, tmp_path: Path) -> None:
    run = run_of("gradient")
    result = execute(run, tiny, tmp_path, **ONE_THREAD)
    metrics = metrics_of(run, tmp_path)
    assert metrics["run"] == {"study": "trial", "experiment": "gradient", "variant": "base", "seed": 0}
    assert metrics["settings"] == run.settings.plain()
    assert (metrics["final"], metrics["last10"], metrics["parameters"]) == (result.final, result.last10, result.parameters)
    provenance = metrics["provenance"]
    assert provenance["data_sha256"] == digest(tiny)
    assert provenance["threads"] == 1
    assert provenance["versions"]["torch"] == torch.__version__.split("+")[0] or provenance["versions"]["torch"] == torch.__version__
    assert provenance["wall_seconds"] == result.history["seconds"].iloc[-1] > 0
    history = pd.read_csv(run_folder(run, tmp_path) / "history.csv")
    pd.testing.assert_frame_equal(history, result.history)
    stored = load_file(model_file(run, tmp_path))
    assert set(stored) == set(metrics["model"]["tensors"]) and metrics["model"]["numbers"] == sum(v.numel() for v in stored.values())
    assert all(torch.equal(value, result.weights[f"generator.{name}"]) for name, value in stored.items())
    left = {file.relative_to(tmp_path / "trial").as_posix() for file in (tmp_path / "trial").rglob("*") if file.is_file()}
    assert {name for name in left if not name.endswith("/lock")} == {
        "runs/gradient/base/seed-0/metrics.json",
        "runs/gradient/base/seed-0/history.csv",
        "runs/gradient/base/seed-0/model.safetensors",
    }


def test_metrics_are_written_last(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with metrics.json is complete, so a run that dies while it writes must not have one."""
    written: list[str] = []
    write = execute_module.write_atomic

    def recording(path: Path, content: str | bytes) -> None:
        written.append(path.name)
        write(path, content)

    monkeypatch.setattr(execute_module, "write_atomic", recording)
    execute(run_of("classical"), tiny, tmp_path, threads=1, device="cpu", checkpoint_seconds=600)
    assert written == ["model.safetensors", "history.csv", "metrics.json"]


def test_a_gpu_that_is_not_there_is_told(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RunError, match=r"execution\.device = 'cuda', but torch sees no GPU"):
        execute(run_of("classical"), tiny, tmp_path, threads=1, device="cuda", checkpoint_seconds=0)
    execute(run_of("classical"), tiny, tmp_path, threads=1, device="auto", checkpoint_seconds=0)


# Damaged checkpoints


@pytest.fixture
def stopped(tiny: Dataset, tmp_path: Path) -> tuple[Run, Path]:
    """A run with a checkpoint after its first round, and the checkpoint."""
    run = run_of("gradient")
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    next(progress)
    path = checkpoint_folder(run, tmp_path) / "state.safetensors"
    save_checkpoint(training, run, path, [digest(tiny)])
    return run, path


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "not enough memory"),
        (OSError(12, "Cannot allocate memory"), "not enough memory"),
        (OSError(5, "Input/output error"), "cannot be read now .*Input/output error.* left as it is"),
    ],
)
def test_a_whole_checkpoint_stays_where_memory_or_disk_fail(
    error: Exception, told: str, stopped: tuple[Run, Path], tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, path = stopped
    before = path.read_bytes()

    def failing(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(checkpoint, "load_file", failing)
    with pytest.raises(RunError, match=told):
        execute(run, tiny, tmp_path, **ONE_THREAD)
    assert path.read_bytes() == before
    assert not path.with_suffix(".damaged").exists()


def test_a_checkpoint_of_other_data_or_another_teacher_is_not_taken_up(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of("classical")

    def save_and_stop(*arguments: object) -> None:
        save_checkpoint(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(execute_module, "save_checkpoint", save_and_stop)
        execute(run, tiny, tmp_path, **ONE_THREAD)
    path = checkpoint_folder(run, tmp_path) / "state.safetensors"
    for sources in ([digest(tiny), "another teacher"], ["other data"]):
        training, _, _ = begin(run.settings, tiny, 0, CPU)
        resume(training, run, path, sources)
        assert training.rows == [] and "other settings, data or teacher" in capsys.readouterr().out
    resume(training, run, path, [digest(tiny)])
    assert len(training.rows) == 1
    other = replace(tiny, train=Split(255 - tiny.train.images, tiny.train.labels))
    found = execute(run, other, tmp_path, **ONE_THREAD)
    assert timeless(found.history) == timeless(execute(run, other, tmp_path / "undisturbed", **ONE_THREAD).history)


class Answering:
    """A backend that says when it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def ask(self, circuit: Circuit, phases: torch.Tensor) -> torch.Tensor:
        return circuit(phases.double())

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("failing", ["resume", "begin_rounds", "new_network", "on_device"])
def test_a_backend_is_closed_when_a_training_cannot_begin(
    failing: str, tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Answering()
    monkeypatch.setattr(quantum_train, "backend_of", lambda *arguments: backend)

    def fails(*arguments: object, **named: object) -> None:
        raise RunError("no")

    monkeypatch.setattr(execute_module if failing == "resume" else quantum_train, failing, fails)
    with pytest.raises(RunError, match="no"):
        execute(run_of("gradient"), tiny, tmp_path, **ONE_THREAD)
    assert backend.closed == 1


@pytest.mark.parametrize("circuits", ["auto", [[9, 4], [8, 4]]])
def test_a_platform_too_small_is_told_before_a_generator_asks_it(circuits: object, tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    class Small(Remote):
        def __init__(self) -> None:
            self.asked = 0

        def check(self, circuit: Circuit) -> None:
            raise RunError(f"too small for {circuit.modes} modes")

    monkeypatch.setattr(quantum_train, "QuantumTrain", lambda *arguments, **named: pytest.fail("built before the check"))
    settings = run_of("gradient", photonics={"circuits": circuits}).settings
    with pytest.raises(RunError, match=r"too small for \d+ modes"):
        build_generator(settings, tiny, 0, Small())


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(5000))


def of_another_program(path: Path) -> None:
    save_file({"weight": torch.ones(3)}, path)


def with_tensors_missing(path: Path) -> None:
    rewrite(path, lambda tensors: {name: value for name, value in tensors.items() if "stream" not in name})


def with_other_shapes(path: Path) -> None:
    rewrite(path, lambda tensors: tensors | {"module.phases.0": torch.zeros(5)})


def with_an_unknown_part(path: Path) -> None:
    rewrite(path, lambda tensors: tensors | {"scheduler.step": torch.zeros(1)})


def with_rows_cut_off(path: Path) -> None:
    tensors, metadata = contents(path)
    path.write_bytes(save(tensors, metadata | {"rows": metadata["rows"][:-5]}))


def contents(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(path, framework="pt") as file:
        return load_file(path), file.metadata()


def rewrite(path: Path, change) -> None:
    tensors, metadata = contents(path)
    path.write_bytes(save(change(tensors), metadata))


@pytest.mark.whole
@pytest.mark.parametrize(
    "damage",
    [truncated, empty, garbage, of_another_program, with_tensors_missing, with_other_shapes, with_an_unknown_part, with_rows_cut_off],
)
def test_a_damaged_checkpoint_is_set_aside_and_told_of(damage, stopped: tuple[Run, Path], tiny: Dataset, tmp_path: Path) -> None:
    run, path = stopped
    damage(path)
    damaged = path.read_bytes()
    with pytest.raises(RunError) as raised:
        execute(run, tiny, tmp_path, **ONE_THREAD)
    message = str(raised.value)
    assert [part for part in (str(path), "cannot be read", "state.damaged", "start the run again") if part not in message] == []
    assert path.with_suffix(".damaged").read_bytes() == damaged
    result = execute(run, tiny, tmp_path, **ONE_THREAD)  # as the message says
    assert timeless(result.history) == timeless(execute(run, tiny, tmp_path / "undisturbed", **ONE_THREAD).history)


@pytest.mark.parametrize("other", [{"mapping": {"bond_dim": 3, "init_std": 0.05}}, {"network": {"name": "cnn-relu"}}])
def test_a_checkpoint_of_other_settings_is_not_taken_up(
    other: dict, stopped: tuple[Run, Path], tiny: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of("gradient", **other)
    assert run.key == stopped[0].key
    result = execute(run, tiny, tmp_path, **ONE_THREAD)
    printed = capsys.readouterr()
    assert "belongs to other settings, data or teacher; starting from the beginning" in printed.out + printed.err
    assert timeless(result.history) == timeless(execute(run, tiny, tmp_path / "undisturbed", **ONE_THREAD).history)


def test_a_checkpoint_of_another_seed_is_not_taken_up(stopped: tuple[Run, Path], tiny: Dataset) -> None:
    run, path = stopped
    other = run.model_copy(update={"seed": 1})
    training, _, _ = begin(other.settings, tiny, 1, CPU)
    resume(training, other, path, [digest(tiny)])
    assert training.rows == []


def test_a_killed_writer_leaves_the_last_checkpoint_whole(
    stopped: tuple[Run, Path], tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, path = stopped
    before = path.read_bytes()
    training, progress, _ = begin(run.settings, tiny, 0, CPU)
    next(progress)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(training, run, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


# Prepared data


@pytest.mark.parametrize("damage", [None, truncated, empty, garbage, of_another_program])
def test_data_that_is_missing_or_damaged_is_told(damage, tiny: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    if damage:
        path.write_bytes(save(*to_tensors(tiny)))
        damage(path)
    with pytest.raises(RunError, match=r"digits\.safetensors: not a prepared data set .*`snakemake prepare`"):
        read_data(path)


def test_data_with_one_changed_pixel_is_told(tiny: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    path.write_bytes(save(*to_tensors(tiny)))
    assert digest(read_data(path)) == digest(tiny)
    rewrite(path, lambda tensors: tensors | {"train.images": tensors["train.images"] ^ (torch.arange(256).view(16, 16) == 7)})
    with pytest.raises(RunError, match=r"digits\.safetensors.*expected SHA-256"):
        read_data(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: replace(data, classes=2),
        lambda data: replace(data, tests={}),
        lambda data: replace(data, train=Split(data.train.images.float(), data.train.labels)),
        lambda data: replace(data, train=Split(data.train.images[0], data.train.labels)),
        lambda data: replace(data, train=Split(data.train.images[:0], data.train.labels[:0])),
        lambda data: replace(data, tests={"test": Split(data.train.images[..., 1:], data.train.labels)}),
        lambda data: replace(data, tests={"test": Split(data.train.images, -data.train.labels)}),
        lambda data: replace(data, tests={"test": Split(data.train.images, data.train.labels.int())}),
    ],
)
def test_data_of_another_form_is_told_though_its_digest_is_right(change, tiny: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    tensors, metadata = to_tensors(change(tiny))
    path.write_bytes(save({name: value.clone() for name, value in tensors.items()}, metadata))
    with pytest.raises(RunError, match=r"digits\.safetensors: not a prepared data set \(data set digits"):
        read_data(path)


def test_data_of_numbers_that_numpy_does_not_have_and_unreadable_metadata_are_told(tiny: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    tensors, metadata = to_tensors(tiny)
    named = json.loads(metadata["dataset"])
    for changed in ("[" * 10**5, json.dumps(named | {"classes": float("inf")}), json.dumps([named]), json.dumps(named | {"tests": [[]]})):
        path.write_bytes(save(tensors, {"dataset": changed}))
        with pytest.raises(RunError, match="snakemake prepare"):
            read_data(path)
    path.write_bytes(save(tensors | {"train.images": tensors["train.images"].bfloat16()}, metadata))
    with pytest.raises(RunError, match=r"torch\.bfloat16"):
        read_data(path)


def test_memory_that_does_not_suffice_for_the_data_is_no_damage(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "digits.safetensors"
    path.write_bytes(save(*to_tensors(tiny)))

    def failing(*arguments: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(execute_module, "load_file", failing)
    with pytest.raises(RunError, match="not enough memory"), memory_told(run_of("gradient")):
        read_data(path)


# Whole processes


LONG = TREE | {
    "schedules": {"gradient": {"rounds": 14, "mapping_epochs": 1, "batch_size": 60, "phase_steps": 1, "phase_batch_size": 50}},
    "experiments": {"gradient": {"method": "quantum_train", "seeds": [0]}},
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits as a prepared file."""
    path = tmp_path_factory.mktemp("data") / "digits.safetensors"
    path.write_bytes(save(*to_tensors(load(DatasetSection(name="digits")))))
    return path


def train_command(run: Run, data: Path) -> list[str]:
    lightweights = [sys.executable, "-c", "from lightweights.cli import main; main()"]
    return [*lightweights, "train", str(settings_file(run)), "--seed", "0", "--data", str(data), "--checkpoint-seconds", "0"]


def rounds_saved(path: Path) -> int:
    try:
        with safe_open(path, framework="pt") as file:
            return len(json.loads(file.metadata()["rows"]))
    except FileNotFoundError:
        return 0


@pytest.mark.whole
def test_a_killed_process_goes_on_to_the_same_bytes(digits: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle, on a terminal that shows the progress; the second process is silent, as its stderr is a pipe."""
    run = open_study(LONG, tmp_path / "results").runs()[0]
    checkpoint = tmp_path / checkpoint_folder(run) / "state.safetensors"
    terminal, side = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "160"}
    process = subprocess.Popen(train_command(run, digits), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=side, env=environment)
    os.close(side)
    shown, deadline = b"", time.monotonic() + 300
    try:
        while rounds_saved(checkpoint) < 3:
            assert process.poll() is None, shown.decode(errors="replace")
            assert time.monotonic() < deadline
            while select.select([terminal], [], [], 0.01)[0]:
                shown += os.read(terminal, 65536)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(terminal)
    saved = rounds_saved(checkpoint)
    assert 3 <= saved < 14
    text = shown.decode(errors="replace")
    assert "gradient/base/seed-0" in text
    assert "/14" in text
    assert "loss" in text
    assert not (tmp_path / run_folder(run)).exists()

    checkpointed = shutil.copy(checkpoint, tmp_path / "copy.safetensors")
    done = subprocess.run(train_command(run, digits), cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    resumed, trained = done.stdout.splitlines()
    assert resumed.startswith("gradient/base/seed-0: going on from its checkpoint, with ")
    assert trained.startswith("gradient/base/seed-0: train ")
    assert not checkpoint.exists()

    truth = execute(run, read_data(digits), tmp_path / "undisturbed", **ONE_THREAD)
    found, expected = (metrics_of(run, results) for results in (tmp_path / "results", tmp_path / "undisturbed"))
    for part in ("run", "settings", "final", "last10", "parameters"):
        assert found[part] == expected[part]
    history = pd.read_csv(tmp_path / run_folder(run) / "history.csv")
    assert timeless(history) == timeless(truth.history)
    with safe_open(checkpointed, framework="pt") as file:
        kept = json.loads(file.metadata()["rows"])
    assert history["seconds"].tolist()[:saved] == [row["seconds"] for row in kept]  # those rounds were not trained again
    assert model_file(run, tmp_path / "results").read_bytes() == model_file(run, tmp_path / "undisturbed").read_bytes()


@pytest.mark.whole
def test_two_processes_never_train_the_same_run(digits: Path, tmp_path: Path) -> None:
    run = open_study(LONG, tmp_path / "results").runs()[0]
    with exclusive(checkpoint_folder(run, tmp_path / "results"), run):
        done = subprocess.run(train_command(run, digits), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    said = (
        f"lightweights: run trial/gradient/base/seed-0 is being trained by another process: process {os.getpid()} on this machine, since 2"
    )
    assert done.stderr.startswith(said)
    assert "wait for it, or stop it and start again; if it no longer runs, delete results/trial/.checkpoint/" in done.stderr
    assert not (tmp_path / run_folder(run)).exists()


def test_a_lock_is_free_after_its_holder(tmp_path: Path) -> None:
    run = run_of("gradient")
    with exclusive(tmp_path / "run", run), pytest.raises(RunError, match="another process"), exclusive(tmp_path / "run", run):
        pytest.fail("two held the lock")
    with exclusive(tmp_path / "run", run):
        pass


def test_a_folder_that_takes_no_lock_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lock").mkdir()  # opening it fails, as it does in a folder that is read-only
    with pytest.raises(RunError, match="cannot be written to"), exclusive(tmp_path, run_of("gradient")):
        pytest.fail("held")


def command_line(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["lightweights", *arguments])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code or 0


def test_a_diverging_run_ends_with_one_paragraph(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = LONG | {"mapping": {"bond_dim": 4}, "schedules": {"gradient": {"rounds": 3, "mapping_lr": 10, "batch_size": 10}}}
    run = open_study(tree, tmp_path / "results").runs()[0]
    data = tmp_path / "digits.safetensors"
    data.write_bytes(save(*to_tensors(tiny)))
    code = command_line(monkeypatch, tmp_path, "train", str(settings_file(run)), "--seed", "0", "--data", str(data))
    printed = capsys.readouterr()
    assert code == 1
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("lightweights: run trial/gradient/base/seed-0 diverged: training_loss is nan in round 1; ")
    assert "schedule.mapping_lr (it is 10)" in line
    assert not (tmp_path / run_folder(run)).exists()


def test_the_command_line_prints_the_schema(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line(monkeypatch, tmp_path, "schema") == 0
    committed = Path(__file__).resolve().parents[1] / "workflow/schemas/params.schema.json"
    assert json.loads(capsys.readouterr().out) == json.loads(committed.read_text())


def test_the_command_line_trains_a_network_of_the_users(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "users_network.py").write_text(
        "from torch import nn\n"
        "def linear(shape, classes):\n"
        "    channels, height, width = shape\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    run = open_study(TREE | {"network": {"name": "users_network:linear"}}, tmp_path / "results").runs()[1]
    data = tmp_path / "digits.safetensors"
    data.write_bytes(save(*to_tensors(tiny)))
    assert command_line(monkeypatch, tmp_path, "train", str(settings_file(run)), "--seed", "0", "--data", str(data)) == 0
    assert metrics_of(run, tmp_path / "results")["parameters"]["target"] == 256 * 3 + 3
    printed = capsys.readouterr()
    assert printed.out.startswith("gradient/base/seed-0: train ")
    assert printed.err == ""
