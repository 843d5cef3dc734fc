"""`lightweights verify` and DVC remotes: what is damaged, missing or half-finished is named."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import houses
import pytest
import yaml
from faults.table import fault
from houses import ROOT, call, new_house
from safetensors.torch import save
from torch import zeros

from lightweights.settings.study import Study, parse_study
from lightweights.study.layout import history_file, metrics_file, weights_file
from lightweights.study.plan import open_study
from lightweights.study.verify import VerifyError, folder_md5, md5, object_file, verify_study

TREE = {
    "study": {"name": "trial"},
    "dataset": {"name": "digits"},
    "schedules": {"classical": {"epochs": 2}},
    "experiments": {"classical": {"method": "classical", "seeds": [0, 1, 2]}},
}


def populate(house: Path) -> Study:
    """A study with three landed runs, without training anything."""
    study = open_study(TREE, house / "results")
    for run in study.runs():
        weights = save({"network.weight": zeros(3) + run.seed})
        numbers = {"train_accuracy_percent": 50.0, "test_accuracy_percent": 40.0}
        metrics = {
            "run": run.model_dump(mode="json", exclude={"settings"}),
            "settings": run.settings.plain(),
            "final": numbers,
            "last10": numbers,
            "parameters": {"target": 3},
            "provenance": {"wall_seconds": 1.0, "data_sha256": "0", "weights_sha256": hashlib.sha256(weights).hexdigest()},
        }
        for path, content in (
            (weights_file(run, house / "results"), weights),
            (history_file(run, house / "results"), b"epoch,train_accuracy_percent,test_accuracy_percent\n1,50.0,40.0\n2,50.0,40.0\n"),
            (metrics_file(run, house / "results"), json.dumps(metrics).encode()),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return study


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A landed study recorded in dvc.lock as DVC would, with DVC's cache."""
    populate(tmp_path)
    outs = []
    for path in (Path("results/trial/runs/classical"), Path("results/trial/weights/classical")):
        files = {file.relative_to(tmp_path / path).as_posix(): md5(file) for file in sorted((tmp_path / path).rglob("*")) if file.is_file()}
        digest = folder_md5(files)
        outs.append({"path": path.as_posix(), "hash": "md5", "md5": digest, "nfiles": len(files)})
        if "weights" in path.parts:
            listing = [{"md5": value, "relpath": name} for name, value in sorted(files.items())]
            keep(tmp_path, digest, json.dumps(listing, sort_keys=True).encode())
            for name, value in files.items():
                keep(tmp_path, value, (tmp_path / path / name).read_bytes())
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {"classical": {"outs": outs}}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lightweights.study.verify.cache_folder", lambda: tmp_path / "cache")
    return tmp_path


def keep(house: Path, digest: str, content: bytes) -> None:
    path = object_file(house / "cache", digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def recorded_md5(kind: str) -> str:
    outs = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["classical"]["outs"]
    return next(out["md5"] for out in outs if kind in out["path"])


def verified() -> str:
    said: list[str] = []
    verify_study("trial", said.append)
    return "\n".join(said)


def weights_of(seed: int) -> Path:
    return Path(f"results/trial/weights/classical/base/seed-{seed}.safetensors")


def test_a_whole_study_is_as_recorded(house: Path) -> None:
    assert verified() == (
        "checked: 3 runs, 3 runs against their histories, 3 files of weights, 9 recorded files\n"
        "without a digest, so that only a change of form would show: 3 histories\nall of it is as recorded"
    )


def test_changed_weights_are_found_by_both_digests(house: Path) -> None:
    weights_of(1).write_bytes(save({"network.weight": zeros(3) + 7}))
    with pytest.raises(VerifyError) as raised:
        verified()
    message = str(raised.value)
    assert message.startswith("2 findings in results/trial:")
    assert f"{weights_of(1)}: SHA-256" in message and f"{weights_of(1)}: MD5" in message and "dvc checkout" in message
    assert "seed-0" not in message and "seed-2" not in message


def test_weights_of_runs_without_a_digest_are_compared_with_dvc_lock(house: Path) -> None:
    path = metrics_file(parse_study(TREE).runs()[1])
    metrics = json.loads(path.read_text())
    del metrics["provenance"]["weights_sha256"]
    path.write_text(json.dumps(metrics))
    weights_of(1).write_bytes(save({"network.weight": zeros(3) + 7}))
    with pytest.raises(VerifyError, match=r"seed-1.safetensors: MD5"):
        verified()


def test_weights_that_are_none_and_runs_of_other_settings_are_named(house: Path) -> None:
    weights_of(2).write_bytes(b"nothing")
    path = metrics_file(parse_study(TREE).runs()[0])
    path.write_text(path.read_text().replace('"epochs": 2', '"epochs": 3'))
    with pytest.raises(VerifyError) as raised:
        verified()
    assert "seed-2.safetensors: not the weights of a run" in str(raised.value)
    assert "made with schedule.epochs = 3, asked for is 2" in str(raised.value)


def test_a_changed_history_is_found_though_every_run_still_reads(house: Path) -> None:
    path = history_file(parse_study(TREE).runs()[0])
    path.write_text("epoch,train_accuracy_percent,test_accuracy_percent,x\n1,50.0,40.0,1\n2,50.0,40.0,1\n")
    with pytest.raises(VerifyError, match=r"runs/classical: its 6 files are not those of dvc.lock"):
        verified()


def test_a_file_of_no_run_in_a_recorded_folder_is_named_and_that_of_a_new_run_is_no_error(house: Path) -> None:
    for folder, stray in (("runs", "seed-0/note.txt"), ("weights", "seed-9.safetensors")):
        path = Path(f"results/trial/{folder}/classical/base/{stray}")
        path.write_text("x")
        with pytest.raises(VerifyError, match=f"{path}: neither recorded nor of a run"):
            verified()
        path.unlink()
    assert "all of it is as recorded" in verified()
    listing = object_file(house / "cache", recorded_md5("weights"))
    entries = [entry for entry in json.loads(listing.read_text()) if "seed-2" not in entry["relpath"]]
    content = json.dumps(entries, sort_keys=True).encode()
    known = hashlib.md5(content).hexdigest() + ".dir"
    keep(house, known, content)
    Path("dvc.lock").write_text(Path("dvc.lock").read_text().replace(recorded_md5("weights"), known))
    said = verified()
    assert f"not recorded (1; `dvc repro` records):\n  {weights_of(2)}" in said and "all of it" not in said


def test_changed_files_that_git_keeps_are_named(house: Path) -> None:
    dvc(house, "git", "init", "-q")
    commit(house)
    assert "all of it is as recorded" in verified()
    changed, lost = (history_file(run) for run in parse_study(TREE).runs()[:2])
    changed.write_text("epoch,train_accuracy_percent,test_accuracy_percent,x\n1,50.0,40.0,1\n2,50.0,40.0,1\n")
    stray = changed.with_name("note.txt")
    stray.write_text("x")
    with pytest.raises(VerifyError) as raised:
        verified()
    message = str(raised.value)
    assert f"{changed}: not as git has it" in message and f"{stray}: neither recorded" in message and str(lost) not in message
    stray.unlink()
    commit(house)
    said = verified()
    assert "not recorded (1; `dvc repro` records):\n  results/trial/runs/classical as it stands" in said and "all of it" not in said


def test_what_is_not_here_is_told_and_no_error(house: Path) -> None:
    weights_of(0).unlink()
    said = verified()
    assert f"not here (1; `lightweights restore` brings back what a DVC remote has):\n  {weights_of(0)}" in said
    assert "all of it" not in said


def test_a_corrupted_object_in_dvc_cache_is_named(house: Path) -> None:
    kept = object_file(house / "cache", md5(weights_of(2)))
    kept.write_bytes(b"bits rot")
    with pytest.raises(VerifyError) as raised:
        verified()
    said = str(raised.value)
    assert f"{kept}: DVC's copy of {weights_of(2)} is damaged; delete it, then `dvc pull`" in said
    kept.unlink()
    assert "as recorded" in verified()
    fault(
        "corrupted object in DVC's cache",
        "lightweights verify: `DVC's copy of ... is damaged; delete it`",
        "delete it, `dvc pull`; no run is affected",
        said=said,
    )


@pytest.mark.parametrize(
    "content",
    [
        "[",
        "stages: 3",
        "stages: {a: {outs: [1]}}",
        "stages: {a: {outs: [{path: results/trial/runs, md5: ../../../dev/zero}]}}",
        "stages: {a: {outs: [{path: results/trial/runs, md5: 12}]}}",
        "[" * 5000,
        "a: &a {}\nb: {<<: *a}",
    ],
)
def test_a_lock_file_that_is_none_is_told(house: Path, content: str) -> None:
    Path("dvc.lock").write_text(content)
    with pytest.raises(VerifyError, match=r"dvc.lock: not a lock file of DVC"):
        verified()


# DVC itself


def dvc(house: Path, *words: str, ok: bool = True) -> str:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(words, cwd=house, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert (done.returncode == 0) is ok, done.stdout
    return done.stdout


def recorded(house: Path) -> None:
    """A landed study whose weights DVC has recorded."""
    populate(house)
    dvc(house, "git", "init", "-q")
    dvc(house, "dvc", "init", "-q")
    stage = {"cmd": "true", "outs": [{"results/trial/weights/classical": {"persist": True}}]}
    (house / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"classical": stage}}))
    (house / ".gitignore").write_text("results/*/weights\n")
    dvc(house, "dvc", "commit", "-q", "-f")


def commit(house: Path) -> None:
    dvc(house, "git", "add", "-A")
    dvc(house, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")


@pytest.mark.slow
def test_a_file_that_a_killed_process_was_writing_is_not_recorded(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".dvcignore", tmp_path)
    dvc(tmp_path, "dvc", "init", "-q", "--no-scm")
    weights = weights_of(0)
    assert dvc(tmp_path, "dvc", "check-ignore", str(weights.with_name(f".{weights.name}.x1y2"))).strip()
    dvc(tmp_path, "dvc", "check-ignore", str(weights), ok=False)


@pytest.mark.slow
def test_a_local_remote_a_half_finished_push_and_a_missing_object(tmp_path: Path) -> None:
    """Pushed, cloned and pulled, the weights are the same; an object that never reached the remote is named."""
    house, clone = tmp_path / "house", tmp_path / "clone"
    house.mkdir()
    recorded(house)
    dvc(house, "dvc", "remote", "add", "-q", "-d", "store", str(tmp_path / "store"))
    commit(house)
    lost, store = md5(house / weights_of(1)), tmp_path / "store"
    shutil.copytree(house / ".dvc/cache/files", store / "files")  # as a push leaves it that was stopped: files go up before listings
    object_file(store, lost).unlink()
    for listing in store.rglob("*.dir"):
        listing.unlink()

    dvc(tmp_path, "git", "clone", "-q", str(house), str(clone))
    said = dvc(clone, "dvc", "pull", ok=False)
    assert "results/trial/weights/classical" in said
    dvc(house, "dvc", "push", "-q")  # once more: what is missing goes up
    assert md5(object_file(store, lost)) == lost

    object_file(store, lost).unlink()  # and one that is lost later
    pulled = dvc(clone, "dvc", "pull", ok=False)
    assert lost[2:] in pulled.replace("\n", "")
    said = dvc(clone, sys.executable, "-c", "from lightweights.cli import main; main()", "verify", "trial")
    assert str(weights_of(1)) in said or str(weights_of(1).parents[1]) in said  # DVC brings back all of a folder, or none of it
    shutil.copy(house / ".dvc/cache/files/md5" / lost[:2] / lost[2:], object_file(store, lost))
    dvc(clone, "dvc", "pull", "-q")
    for seed in (0, 1, 2):
        assert (clone / weights_of(seed)).read_bytes() == (house / weights_of(seed)).read_bytes()
    fault(
        "half-finished `dvc push`",
        "dvc pull: `failed to transfer`, with the object's digest; lightweights verify: `not here`, with the file or its folder",
        "push again: only what is missing goes up",
        said=pulled + said,
    )


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Address of a server that reads from the folder ``store``, as a group puts its remote on the web."""
    (tmp_path / "store").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "store")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def landed_house(folder: Path) -> Path:
    """A study of a small generator and a teacher, whose model DVC keeps, trained and under git and DVC."""
    study = houses.small_study()
    study["teacher"] = {"widths": [4, 4, 4]}
    study["schedules"]["teacher"] = {"epochs": 1}
    study["experiments"]["teacher"] = {"method": "teacher", "seeds": [0]}
    study["experiments"]["student"] = {"method": "student", "teacher": "teacher", "seeds": [], "override": {"feature.source": "zero"}}
    house = new_house(folder, study)
    call(house, "snakemake", "--cores", "1", "all")
    outs = [{path: {"persist": True}} for path in ("results/small/data", "results/small/weights/teacher")]
    (house / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"small": {"cmd": "snakemake --cores 1", "outs": outs}}}))
    shutil.copy(ROOT / ".gitignore", house)
    dvc(house, "git", "init", "-q")
    dvc(house, "dvc", "init", "-q")
    dvc(house, "dvc", "commit", "-q", "-f")
    return house


@pytest.mark.slow
def test_one_clone_pushes_and_another_clones_pulls_and_evaluates(tmp_path: Path, served: str) -> None:
    """The whole round. Without a remote, and where the remote lost an object, what is missing is said; small models need none."""
    house = landed_house(tmp_path / "house")
    commit(house)
    dvc(tmp_path, "git", "clone", "-q", str(house), "bare")
    said = call(tmp_path / "bare", "lightweights", "restore", "small")
    assert "no DVC remote is configured" in said and "3 of 3 runs are there, 2 with models" in said
    assert "missing models: teacher 1 (`dvc pull`" in said and "missing runs" not in said
    said = call(tmp_path / "bare", "lightweights", "evaluate", "all", "--study", "small")
    assert "checked: 2 runs" in said and "2 equal" in said and "its model is not here" in said and "small/teacher 1" in said

    dvc(house, "dvc", "remote", "add", "-q", "--local", "folder", str(tmp_path / "store"))
    dvc(house, "dvc", "push", "-q", "-r", "folder")
    dvc(house, "dvc", "remote", "add", "-q", "-d", "web", served)
    commit(house)
    dvc(tmp_path, "git", "clone", "-q", str(house), "clone")
    said = call(tmp_path / "clone", "lightweights", "restore", "small")
    assert "3 of 3 runs are there, 3 with models" in said and "missing" not in said
    assert "Nothing to be done" in call(tmp_path / "clone", "snakemake", "-n")
    assert "3 equal" in call(tmp_path / "clone", "lightweights", "evaluate", "all", "--study", "small")
    assert "all of it is as recorded" in call(tmp_path / "clone", "lightweights", "verify", "small")

    weights = Path("results/small/weights/teacher/base/seed-0.safetensors")
    object_file(tmp_path / "store", md5(house / weights)).unlink()
    dvc(tmp_path, "git", "clone", "-q", str(house), "poorer")
    said = call(tmp_path / "poorer", "lightweights", "restore", "small")
    assert "going on with what could be pulled" in said and "missing models: teacher 1 (" in said and "2 with models" in said
    assert str(weights) in call(tmp_path / "poorer", "lightweights", "verify", "small")


@pytest.mark.slow
def test_an_s3_remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Push to and pull from a server on loopback that speaks S3."""
    pytest.importorskip("dvc_s3", reason="`make env` installs dvc-s3 and moto for this test")
    moto_server = pytest.importorskip("moto.server", reason="`make env` installs dvc-s3 and moto for this test")
    import boto3

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        for name, value in {
            "AWS_ACCESS_KEY_ID": "made-up-key",
            "AWS_SECRET_ACCESS_KEY": "made-up-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3", endpoint_url=url).create_bucket(Bucket="bucket")
        house, clone = tmp_path / "house", tmp_path / "clone"
        house.mkdir()
        recorded(house)
        dvc(house, "dvc", "remote", "add", "-q", "-d", "store", "s3://bucket/lightweights")
        dvc(house, "dvc", "remote", "modify", "-q", "store", "endpointurl", url)
        said = dvc(house, "dvc", "push", "-v")
        commit(house)
        dvc(tmp_path, "git", "clone", "-q", str(house), str(clone))
        said += dvc(clone, "dvc", "pull", "-v")
        for seed in (0, 1, 2):
            assert (clone / weights_of(seed)).read_bytes() == (house / weights_of(seed)).read_bytes()
        assert "made-up-secret" not in said
        written = [file for file in [*house.rglob("*"), *clone.rglob("*")] if file.is_file()]
        assert not [file for file in written if b"made-up-secret" in file.read_bytes()]
    finally:
        server.stop()
