"""Anything may be in the files and settings that we read: only our own errors come out, and memory stays bounded."""

import hashlib
import io
import json
import lzma
import resource
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load, save

from lightweights.datasets import Dataset, own, to_tensors
from lightweights.datasets.catalogue import CIFAR10_TEST
from lightweights.datasets.cifar10 import read_archive
from lightweights.datasets.dataset import DataError
from lightweights.datasets.formats import CIFAR_RECORD, gunzip, read_cifar_batch, read_idx_images, read_idx_labels, unxz
from lightweights.datasets.wordnet import parse_glosses, read_package
from lightweights.methods.distillation import TeacherError, metrics_beside, new_teacher, source
from lightweights.report.claims import ClaimsError, read_claims
from lightweights.settings.base import SettingsError
from lightweights.settings.reading import load_study
from lightweights.settings.runs import Run
from lightweights.settings.study import Study, parse_study
from lightweights.study.checkpoint import resume, save_checkpoint
from lightweights.study.collect import CollectError, collect, read_histories, read_runs
from lightweights.study.cost import Costs
from lightweights.study.execute import begin, read_data
from lightweights.study.faults import RunError
from lightweights.study.layout import checkpoint_folder, history_file, metrics_file, run_folder, settings_file, weights_file
from lightweights.study.plan import made_with, open_study, read_run
from lightweights.study.status import progress_of
from lightweights.study.verify import Findings, VerifyError, check_recorded, check_runs, object_file, recorded_outputs

FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], derandomize=True)
MEBIBYTE = 2**20

TREE = {
    "study": {"name": "trial"},
    "dataset": {"name": "digits"},
    "schedules": {"gradient": {"rounds": 2, "mapping_epochs": 1, "phase_steps": 1, "batch_size": 60, "phase_batch_size": 60}},
    "experiments": {
        "classical": {"method": "classical", "seeds": [0]},
        "photonic": {"method": "quantum_train", "seeds": [0], "vary": {"mapping.bond_dim": [1, 2]}},
    },
}
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20)
names = st.sampled_from(
    ["..", "../x", "/tmp/x", "a/b", "A", "", ".", "x" * 300, "a\n", "study", "name", "mapping.bond_dim", "seeds"]
) | st.text(max_size=8)
plain = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12)
damage = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=5)


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No more than ``size`` bytes are held by Python at any time inside, and not many more by libraries."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + size + 64 * MEBIBYTE, before[1]))
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()
        resource.setrlimit(resource.RLIMIT_AS, before)


def damaged(content: bytes, changes: list[tuple[int, int]], length: int) -> bytes:
    """Some bytes changed, then cut to a length."""
    changed = bytearray(content)
    for place, value in changes:
        if changed:
            changed[place % len(changed)] = value
    return bytes(changed[:length])


def replaced(tree, path: list[int], value):
    """The tree with the value at a place replaced: at each level the n-th of the entries is followed."""
    if not path or not isinstance(tree, dict | list) or not tree:
        return value
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = keys[path[0] % len(keys)]
    changed = dict(tree) if isinstance(tree, dict) else list(tree)
    changed[key] = replaced(tree[key], path[1:], value)
    return changed


# Settings


@pytest.mark.whole
@FUZZ
@given(plain)
def test_any_settings_give_a_study_or_our_error(tree: object) -> None:
    try:
        assert isinstance(parse_study(tree), Study)
    except SettingsError as error:
        assert len(str(error)) < 10_000


@FUZZ
@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), plain)
def test_runs_of_any_study_lie_in_its_folder(path: list[int], value: object) -> None:
    try:
        study = parse_study(replaced(TREE, path, value))
    except SettingsError:
        return
    folder = Path("/results")
    for run in study.runs():
        for file in (metrics_file(run, folder), weights_file(run, folder), settings_file(run, folder), history_file(run, folder)):
            assert ".." not in file.parts
            assert file.resolve().is_relative_to(folder / study.study.name)


@pytest.mark.parametrize("name", ["..", ".", "../other", "a/b", "/tmp/x", "", "a\n", "a\0", ".hidden", "~"])
def test_names_cannot_leave_the_results_folder(name: str) -> None:
    for tree in (
        TREE | {"study": {"name": name}},
        TREE | {"experiments": {name: TREE["experiments"]["classical"]}},
        TREE | {"experiments": {"photonic": TREE["experiments"]["photonic"] | {"chapter": name}}},
    ):
        with pytest.raises(SettingsError):
            parse_study(tree)


@FUZZ
@given(names, names, names, st.integers(-1, 2**33))
def test_a_run_of_any_name_is_refused_or_stays_in_place(study: str, experiment: str, variant: str, seed: int) -> None:
    whole = parse_study(TREE).runs()[0]
    try:
        run = Run(study=study, experiment=experiment, variant=variant, seed=seed, settings=whole.settings)
    except ValueError:
        return
    assert run_folder(run, Path("/results")).resolve().is_relative_to(Path("/results") / study / "runs" / experiment)


def test_settings_that_ask_for_more_than_memory_holds_are_refused() -> None:
    laughs = {"a0": ["x"] * 9}
    for level in range(1, 12):
        laughs[f"a{level}"] = [laughs[f"a{level - 1}"]] * 9
    endless: dict = {}
    endless["study"] = endless
    vary = {f"mapping.x{number}": list(range(100)) for number in range(8)}
    many = {"photonic": TREE["experiments"]["photonic"] | {"vary": vary}}
    with at_most(100 * MEBIBYTE):
        for tree in (laughs, endless, TREE | {"experiments": many}):
            with pytest.raises(SettingsError, match=r"more than 200,000 values|more than 50 levels|a study can have 100,000"):
                parse_study(tree)


@FUZZ
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | plain.map(lambda tree: yaml.safe_dump(tree).encode()))
@example(b"!!python/object/apply:os.system ['touch owned']")
@example(b"a: &a [*a]")
@example(b"a: !!bool x")
@example(b"\xff\xfe")
def test_any_params_file_gives_a_study_or_our_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "params.yaml"
    file.write_bytes(content)
    with suppress(SettingsError):
        load_study(file)
    assert not Path("owned").exists()


@FUZZ
@given(st.binary(max_size=100) | plain.map(lambda tree: json.dumps(tree).encode()))
def test_any_settings_file_gives_a_run_or_our_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "results/trial/settings/photonic/x.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    with pytest.raises(SettingsError):
        read_run(file, 0, tmp_path / "results")


# Data


IDX_I = np.array([2051, 3, 4, 5], ">i4").tobytes() + bytes(60)
IDX_L = np.array([2049, 3], ">i4").tobytes() + bytes(3)


@FUZZ
@given(damage, st.integers(0, 80))
def test_idx_files(changes: list, length: int) -> None:
    for content, read in (
        (IDX_I, lambda data: read_idx_images(data, 3, 4, 5, "images")),
        (IDX_L, lambda data: read_idx_labels(data, 3, 10, "labels")),
    ):
        try:
            array = read(damaged(content, changes, length))
        except DataError:
            continue
        assert array.dtype == np.uint8 and len(array) == 3


def test_an_idx_header_that_promises_too_much_costs_nothing() -> None:
    with at_most(MEBIBYTE), pytest.raises(DataError):
        read_idx_images(np.array([2051, 2**30, 2**10, 2**10], ">i4").tobytes(), 2**30, 2**10, 2**10, "images")


@FUZZ
@given(damage, st.integers(0, 2 * CIFAR_RECORD + 1))
def test_cifar_batches(changes: list, length: int) -> None:
    try:
        images, labels = read_cifar_batch(damaged(bytes(2 * CIFAR_RECORD), changes, length), 2, 10, "batch")
    except DataError:
        return
    assert images.shape == (2, 3, 32, 32) and labels.max() < 10


@FUZZ
@given(damage, st.integers(0, 200), st.sampled_from(["gzip", "xz", "tar"]))
def test_packed_files(changes: list, length: int, kind: str) -> None:
    content = bytes(range(100))
    packed = {"gzip": zlib.compress(content, wbits=31), "xz": lzma.compress(content), "tar": zlib.compress(bytes(2048), wbits=31)}[kind]
    try:
        if kind == "tar":
            list(read_archive(damaged(packed, changes, length), (CIFAR10_TEST,), 100))
        else:
            assert (gunzip if kind == "gzip" else unxz)(damaged(packed, changes, length), 100, "file") == content
    except DataError:
        pass


@pytest.mark.parametrize("unpack", [gunzip, unxz])
def test_a_packed_file_that_unpacks_to_too_much_is_refused_early(unpack: Callable) -> None:
    zeros = bytes(200 * MEBIBYTE)
    packed = zlib.compress(zeros, wbits=31) if unpack is gunzip else lzma.compress(zeros, preset=0)
    del zeros
    with at_most(8 * MEBIBYTE), pytest.raises(DataError, match="has more"):
        unpack(packed, 1000, "bomb")


OWN = np.random.default_rng(0).integers(0, 256, (12, 2, 2), dtype=np.uint8)


def own_files() -> dict[str, bytes]:
    """Data of one's own in each form that is read."""
    stream, labels = io.BytesIO(), np.arange(12) % 3
    np.savez_compressed(stream, images=OWN, labels=labels)
    rows = "\n".join(",".join(map(str, [label, *image.flatten()])) for image, label in zip(OWN, labels, strict=True))
    return {"npz": stream.getvalue(), "csv": f"label,a,b,c,d\n{rows}\n".encode()}


@FUZZ
@given(
    damage | st.lists(st.tuples(st.integers(0, 10**4), st.integers(32, 126)), max_size=3),
    st.integers(0, 3000),
    st.sampled_from(["npz", "csv"]),
)
@example([], 60, "npz")
def test_data_of_ones_own(tmp_path: Path, changes: list, length: int, kind: str) -> None:
    file = tmp_path / f"own.{kind}"
    file.write_bytes(damaged(own_files()[kind], changes, length))
    try:
        data = own.npz(str(file)) if kind == "npz" else own.csv(str(file), 2, 2)
    except DataError as error:
        assert "own" in str(error)
        return
    assert isinstance(data, Dataset) and data.classes == len(data.train.labels.unique())


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes_as_data_of_ones_own(tmp_path: Path, content: bytes) -> None:
    for head, read in ((b"PK\x03\x04", own.npz), (b"", own.npz), (b"label,a\n", lambda file: own.csv(file, 1, 1))):
        (tmp_path / "own").write_bytes(head + content)
        with pytest.raises(DataError):
            read(str(tmp_path / "own"))


def test_an_npz_file_whose_array_promises_too_much_costs_nothing(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (2**40,)})
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue())
        archive.writestr("labels.npy", header.getvalue())
    with at_most(4 * MEBIBYTE), pytest.raises(DataError, match="should have 1099511627776 bytes"):
        own.npz(str(tmp_path / "own.npz"))


@FUZZ
@given(st.binary(max_size=300), damage)
def test_packages_and_glosses(content: bytes, changes: list) -> None:
    whole = b"!<arch>\n" + f"{'data.tar.xz':16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
    for read in (lambda data: read_package(data, 9), lambda data: parse_glosses(data, 9)):
        for data in (content, whole, damaged(whole, changes, 10**6)):
            with pytest.raises(DataError):
                read(data)


# Tensors


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, Run]:
    """Prepared data and a checkpoint of a run."""
    from conftest import tiny_dataset

    run = next(run for run in parse_study(TREE).runs() if run.experiment == "photonic")
    data = tiny_dataset()
    training, rounds, _ = begin(run.settings, data, 0, torch.device("cpu"))
    next(rounds)
    file = tmp_path_factory.mktemp("checkpoint") / "state"
    save_checkpoint(training, run, file)
    return save(*to_tensors(data)), file.read_bytes(), run


header = st.lists(st.tuples(st.integers(0, 700), st.integers(32, 126)), max_size=4)


@FUZZ
@given(header | damage, st.integers(0, 10**6))
def test_prepared_data(stored: tuple, tmp_path: Path, changes: list, length: int) -> None:
    file = tmp_path / "data.safetensors"
    file.write_bytes(damaged(stored[0], changes, length))
    try:
        assert isinstance(read_data(file), Dataset)
    except RunError as error:
        assert str(file) in str(error)


@settings(FUZZ, max_examples=15)
@given(header | damage, st.integers(0, 10**6))
def test_checkpoints(stored: tuple, tiny: Dataset, tmp_path: Path, changes: list, length: int) -> None:
    file = tmp_path / "state.safetensors"
    file.write_bytes(damaged(stored[1], changes, length))
    training, _, _ = begin(stored[2].settings, tiny, 0, torch.device("cpu"))
    try:
        resume(training, stored[2], file)
    except RunError as error:
        assert "set aside" in str(error)
        return
    if training.rows:  # taken up, so it is what was written
        assert save(training.tensors()) == save(load(stored[1]))


def test_a_changed_bit_of_a_checkpoint_is_seen_wherever_it_lies(stored: tuple, tiny: Dataset, tmp_path: Path) -> None:
    file, whole = tmp_path / "state.safetensors", stored[1]
    training, _, _ = begin(stored[2].settings, tiny, 0, torch.device("cpu"))
    for place in np.linspace(0, len(whole) - 1, 300).astype(int):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << int(place) % 8
        file.write_bytes(spoilt)
        training.rows.clear()
        with suppress(RunError):
            resume(training, stored[2], file)
        assert not training.rows, place


def test_a_checkpoint_of_an_older_version_is_taken_up_and_told(
    stored: tuple, tiny: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = tmp_path / "state.safetensors"
    file.write_bytes(stored[1])
    with safe_open(file, "pt") as opened:
        told = {name: value for name, value in opened.metadata().items() if name in ("identity", "rows")}
    file.write_bytes(save(load(stored[1]), told))
    training, _, _ = begin(stored[2].settings, tiny, 0, torch.device("cpu"))
    resume(training, stored[2], file)
    assert training.rows and "has no digest" in capsys.readouterr().out


@pytest.mark.parametrize(
    "rows", ["[1]", "[{}]", '{"a": 1}', "[]", "3", "[" * 10**5, "{", '[{"seconds": [1]}]', '[{"seconds": 1' + "0" * 400 + "}]"]
)
def test_status_with_any_rows_in_a_checkpoint(rows: str, tmp_path: Path) -> None:
    run = open_study(TREE, tmp_path).runs()[1]
    path = checkpoint_folder(run, tmp_path) / "state.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(save({"x": torch.zeros(1)}, {"rows": rows}))
    assert f"{run.key}: to do" in progress_of("trial", tmp_path)
    path.write_bytes(save({"x": torch.zeros(1)}, {"rows": '[{"seconds": 60}]'}))
    assert f"{run.key}: 1 of 2, 1 minutes left" in progress_of("trial", tmp_path)


def test_a_tensor_file_that_promises_too_much_costs_nothing(tmp_path: Path) -> None:
    claim = json.dumps({"train.images": {"dtype": "U8", "shape": [2**40], "data_offsets": [0, 2**40]}}).encode()
    file = tmp_path / "data.safetensors"
    with at_most(4 * MEBIBYTE):
        for content in (len(claim).to_bytes(8, "little") + claim, (2**60).to_bytes(8, "little") + claim):
            file.write_bytes(content)
            with pytest.raises(RunError):
                read_data(file)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path, bytes, bytes]:
    """A student's run, its teacher's weights, and what these and their metrics.json hold."""
    from conftest import tiny_dataset

    tree = {
        "study": {"name": "trial"},
        "dataset": {"name": "digits"},
        "teacher": {"widths": [2, 2, 2]},
        "experiments": {
            "teacher": {"method": "teacher", "seeds": [0]},
            "student": {"method": "student", "teacher": "teacher", "seeds": [0]},
        },
    }
    teacher, student = parse_study(tree).runs()
    results = tmp_path_factory.mktemp("taught")
    weights = save({f"network.{name}": value for name, value in new_teacher(teacher.settings, tiny_dataset(), 0).state_dict().items()})
    metrics = json.dumps(metrics_of(teacher)).encode()  # without the digest of the weights
    for path, content in ((weights_file(teacher, results), weights), (metrics_file(teacher, results), metrics)):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    return student, weights_file(teacher, results), weights, metrics


@settings(FUZZ, max_examples=25)
@given(header | damage, st.integers(0, 10**6), st.booleans())
@example([], 10**6, True)
def test_weights_of_a_teacher(taught: tuple, tiny: Dataset, changes: list, length: int, of_metrics: bool) -> None:
    run, path, weights, metrics = taught
    path.write_bytes(weights if of_metrics else damaged(weights, changes, length))
    metrics_beside(path).write_bytes(damaged(metrics, changes, length) if of_metrics else metrics)
    with at_most(20 * MEBIBYTE):
        try:
            source(run, tiny, path)
        except TeacherError as error:
            assert str(path) in str(error) and (changes or length < len(weights))


@pytest.mark.parametrize("path", ["teacher", "a/teacher", "/teacher"])
def test_a_teacher_that_lies_elsewhere(taught: tuple, tiny: Dataset, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", lambda path: taught[2])
    with pytest.raises(TeacherError, match=f"its teacher {path} cannot be read"):
        source(taught[0], tiny, Path(path))


# Tables

RUNS = (Path(__file__).parents[1] / "results/paper/runs.csv").read_bytes().splitlines(keepends=True)
CLAIMS = (Path(__file__).parents[1] / "chapters/quantum_train/claims.csv").read_bytes()
printable = st.lists(st.tuples(st.integers(0, 10**5), st.integers(32, 126)), max_size=4)


@FUZZ
@given(damage | printable, st.integers(0, 10**5))
@example([], 0)
def test_any_table_of_runs_is_read_or_told(tmp_path: Path, changes: list, length: int) -> None:
    (tmp_path / "runs.csv").write_bytes(damaged(b"".join(RUNS[:12]), changes, length))
    try:
        assert not read_runs(tmp_path / "runs.csv").duplicated(["experiment", "variant", "seed"]).any()
    except CollectError as error:
        assert "runs.csv" in str(error) and "nothing is trained" in str(error)


@FUZZ
@given(damage | printable, st.integers(0, 10**5))
@example([], 0)
def test_any_table_of_claims_is_read_or_told(tmp_path: Path, changes: list, length: int) -> None:
    (tmp_path / "claims.csv").write_bytes(damaged(CLAIMS, changes, length))
    try:
        read_claims(tmp_path / "claims.csv")
    except ClaimsError as error:
        assert "claims.csv" in str(error)


# Run folders


def metrics_of(run: Run) -> dict:
    return {
        "run": run.model_dump(mode="json", exclude={"settings"}),
        "settings": run.settings.plain(),
        "final": {"train_accuracy_percent": 50.0, "test_accuracy_percent": 40.0},
        "last10": {"train_accuracy_percent": 50.0, "test_accuracy_percent": 40.0},
        "parameters": {"target": 10, "mapping": 3},
        "provenance": {"wall_seconds": 1.0, "host": "h", "device": "cpu", "threads": 1, "commit": None, "data_sha256": "0"},
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path]:
    """A study whose runs are all there, so that one can be damaged."""
    results = tmp_path_factory.mktemp("results")
    study = open_study(TREE, results)
    for run in study.runs():
        metrics_file(run, results).parent.mkdir(parents=True)
        metrics_file(run, results).write_text(json.dumps(metrics_of(run)))
        unit, length = ("epoch", 50) if run.experiment == "classical" else ("round", 2)
        rows = "".join(f"{n},50.0,40.0\n" for n in range(1, length + 1))
        history_file(run, results).write_text(f"{unit},train_accuracy_percent,test_accuracy_percent\n{rows}")
    findings = Findings()
    check_runs(study, results, findings)
    assert len(collect(study, results)) == 3 and not findings.wrong
    return study, results


DEEP = b"[" * 100_000


@FUZZ
@given(
    st.binary(max_size=100)
    | plain.map(lambda tree: json.dumps(tree).encode())
    | st.tuples(st.lists(st.integers(0, 9), min_size=1, max_size=4), plain)
)
@example(DEEP)
@example(b'{"a":' * 5000)
@example(([4, 1], 2**64))
@example(([5, 5], ["x"]))
def test_any_metrics_file(house: tuple[Study, Path], content: bytes | tuple) -> None:
    study, results = house
    run = study.runs()[1]
    if isinstance(content, tuple):
        content = json.dumps(replaced(metrics_of(run), *content)).encode()
    metrics_file(run, results).write_bytes(content)
    made_with(metrics_file(run, results), run.settings)
    Costs(study.runs(), results)
    findings = Findings()
    check_runs(study, results, findings)
    try:
        assert len(collect(study, results)) == 3
    except CollectError as error:
        assert findings.wrong and len(str(error)) < 10_000
    finally:
        metrics_file(run, results).write_text(json.dumps(metrics_of(run)))


def test_a_small_metrics_file_never_becomes_large(house: tuple[Study, Path]) -> None:
    """All its paths together, or one of its values, may be far larger than any settings."""
    study, results = house
    run = study.runs()[1]
    below: dict = {f"{number:02}": 1 for number in range(100)}
    for letter in "abcdefghij":
        below = {letter * 100_000: below}
    for tree in (below, {"method": "x" * 10**6}, {"method": [0] * 10**5}):
        metrics_file(run, results).write_text(json.dumps(metrics_of(run) | {"settings": tree}))
        with at_most(20 * MEBIBYTE), pytest.raises(CollectError, match="made with") as raised:
            collect(study, results)
        assert len(str(raised.value)) < 10_000
    metrics_file(run, results).write_text(json.dumps(metrics_of(run)))


def test_weights_and_histories_of_any_size_are_not_held_in_memory(house: tuple[Study, Path]) -> None:
    study, results = house
    run = study.runs()[1]
    weights, history = weights_file(run, results), history_file(run, results)
    weights.parent.mkdir(parents=True, exist_ok=True)
    before = history.read_bytes()
    for path, size, said in ((weights, 2**26, "not the weights of a run"), (history, 2**30, "more than 67,108,864 bytes")):
        with path.open("wb") as file:
            file.truncate(size)
        findings = Findings()
        with at_most(20 * MEBIBYTE):
            check_runs(study, results, findings)
        (told,) = findings.wrong
        assert said in told and told.startswith(str(path))
        path.unlink()
    history.write_bytes(before)


@pytest.mark.whole
@settings(FUZZ, max_examples=25)
@given(header | damage, st.integers(0, 200))
def test_any_weights(house: tuple[Study, Path], changes: list, length: int) -> None:
    study, results = house
    weights = save({"network.weight": torch.zeros(3)})
    path = weights_file(study.runs()[1], results)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damaged(weights, changes, length))
    findings = Findings()
    with at_most(20 * MEBIBYTE):
        check_runs(study, results, findings)
    path.unlink()
    assert not findings.wrong or [line.startswith(f"{path}: not the weights of a run") for line in findings.wrong] == [True]


@FUZZ
@given(st.binary(max_size=100) | st.text("round,12\n\r\"';.", max_size=60).map(str.encode))
def test_any_history(house: tuple[Study, Path], content: bytes) -> None:
    study, results = house
    file = history_file(study.runs()[1], results)
    before = file.read_bytes()
    file.write_bytes(content)
    findings, told = Findings(), ""
    try:
        check_runs(study, results, findings)
        read_histories("trial", collect(study, results), results)
    except CollectError as error:
        told = str(error)
        assert study.runs()[1].key in told
    finally:
        file.write_bytes(before)
    assert [line.partition(": ")[0] for line in findings.wrong] in ([str(file)], [str(metrics_file(study.runs()[1], results))])
    assert told or findings.wrong


@FUZZ
@given(st.binary(max_size=60) | plain.map(lambda tree: yaml.safe_dump({"stages": tree}, allow_unicode=True).encode()))
@example(b"stages: {a: {outs: [{path: ../../etc, md5: x.dir}, {path: results/trial/../../x, md5: x}]}}")
def test_any_lock_file(tmp_path: Path, content: bytes) -> None:
    lock = tmp_path / "dvc.lock"
    lock.write_bytes(content)
    try:
        outputs = recorded_outputs(lock, Path("results/trial"))
    except VerifyError:
        return
    assert all(path.is_relative_to("results/trial") and ".." not in path.parts for path in outputs)
    check_recorded(outputs, tmp_path / "cache", set(), Findings())


@FUZZ
@given(
    st.binary(max_size=60)
    | plain.map(lambda tree: json.dumps(tree).encode())
    | st.lists(st.fixed_dictionaries({"relpath": st.just("file") | names, "md5": st.just("0" * 32) | names})).map(
        lambda tree: json.dumps(tree).encode()
    )
)
@example(DEEP)
@example(b'[{"relpath": "file", "md5": "../../../../../dev/zero"}]')
def test_any_listing_in_dvcs_cache(tmp_path: Path, listing: bytes) -> None:
    folder, digest = tmp_path / "folder", hashlib.md5(listing).hexdigest() + ".dir"
    kept = object_file(tmp_path / "cache", digest)
    for path, content in ((folder / "file", b"x"), (kept, listing)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    findings = Findings()
    check_recorded({folder: {"md5": digest}}, tmp_path / "cache", set(), findings)
    assert findings.wrong or findings.absent
