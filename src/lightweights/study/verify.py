"""`lightweights verify`: is everything that lies in the results folder what dvc.lock, the settings and the runs say it is?

Contents are read and hashed anew; unlike `dvc status`, nothing is believed because a time stamp has not changed.
"""

import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError, safe_open

from lightweights.errors import LightweightsError
from lightweights.params import Run, Study
from lightweights.study.collect import CollectError, collect, read_histories
from lightweights.study.files import read_json
from lightweights.study.layout import RESULTS, metrics_file, study_folder, study_settings_file, weights_file
from lightweights.study.summary import read_study

_SHOWN = 20


class VerifyError(LightweightsError):
    """Files that are not what they should be; names each, and the remedy."""


@dataclass
class Findings:
    """What was checked (counts), what is wrong, and what is not here."""

    checked: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        """Note that so many more have been checked."""
        self.checked[what] = self.checked.get(what, 0) + number


def verify_study(name: str, say: Callable[[str], None], results: Path = RESULTS, lock: Path = Path("dvc.lock")) -> None:
    """Check a study and say what was checked. Raises VerifyError naming what is wrong."""
    study = read_study(study_settings_file(name, results))
    findings = Findings()
    check_runs(study, results, findings)
    check_recorded(recorded_outputs(lock, study_folder(name, results)), cache_folder(), findings)
    say("checked: " + (", ".join(f"{number} {what}" for what, number in findings.checked.items()) or "nothing is here"))
    findings.absent = list(dict.fromkeys(findings.absent))  # weights are looked for twice: for their run and for dvc.lock
    if findings.absent:
        say(f"not here ({len(findings.absent)}; `lightweights restore` brings back what a DVC remote has):\n" + _listed(findings.absent))
    if findings.wrong:
        raise VerifyError(
            f"{len(findings.wrong)} findings in {study_folder(name, results)}:\n{_listed(findings.wrong)}\n"
            "Delete the named files and bring them back (`git checkout`, `dvc checkout`, `dvc pull`), or train the runs anew"
        )
    say("all of it is as recorded")


def check_runs(study: Study, results: Path, findings: Findings) -> None:
    """Runs against the settings that ask for them, histories for wholeness, weights against the digests in metrics.json."""
    there = [run for run in study.runs() if metrics_file(run, results).is_file()]
    try:
        runs = collect(study, results, partial=True)
        read_histories(study.study.name, runs, results)
        findings.count("runs", len(runs))
    except CollectError as error:
        findings.wrong.append(str(error))
    for run in there:
        _check_weights(run, results, findings)


def _check_weights(run: Run, results: Path, findings: Findings) -> None:
    path = weights_file(run, results)
    if not path.is_file():
        findings.absent.append(str(path))
        return
    try:
        expected = read_json(metrics_file(run, results))["provenance"].get("weights_sha256")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, framework="numpy"):
            pass
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        findings.wrong.append(f"{path}: not the weights of a run ({error})")
        return
    if expected not in (None, found):
        findings.wrong.append(f"{path}: SHA-256 {found}, but metrics.json has {expected}")
    findings.count("files of weights")


def recorded_outputs(lock: Path, folder: Path) -> dict[Path, dict[str, Any]]:
    """What dvc.lock says of the files and folders below ``folder``. Raises VerifyError where it cannot be read."""
    if not lock.is_file():
        return {}
    try:
        stages = (yaml.safe_load(lock.read_text()) or {}).get("stages", {})
        outs = {Path(out["path"]): out for stage in stages.values() for out in stage.get("outs", [])}
        return {path: out for path, out in outs.items() if path.is_relative_to(folder) and ".." not in path.parts and "md5" in out}
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise VerifyError(f"{lock}: not a lock file of DVC ({error}); `git checkout {lock}` brings it back") from None


def check_recorded(outputs: dict[Path, dict[str, Any]], cache: Path | None, findings: Findings) -> None:
    """Files and folders against their MD5 in dvc.lock; of a folder in DVC's cache each file, and the cached copy itself."""
    for path, out in outputs.items():
        if not path.exists():
            findings.absent.append(str(path))
        elif path.is_file():
            _compare(path, out["md5"], "dvc.lock", findings)
        else:
            _check_folder(path, out, cache, findings)


def _check_folder(path: Path, out: dict[str, Any], cache: Path | None, findings: Findings) -> None:
    found = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}
    listing = _cached(cache, out["md5"])
    if listing is None:
        digest = folder_md5({name: md5(file) for name, file in found.items()})
        if digest == out["md5"]:
            findings.count("recorded files", len(found))
        elif len(found) == out.get("nfiles"):
            findings.wrong.append(f"{path}: its {len(found)} files are not those of dvc.lock ({out['md5']}, found {digest})")
        else:
            findings.absent.append(
                f"{path} as recorded in dvc.lock: {out.get('nfiles')} files there, {len(found)} here; `dvc repro` records"
            )
        return
    for name, expected in listing.items():
        if name in found:
            _compare(found[name], expected, "dvc.lock", findings)
        else:
            findings.absent.append(str(path / name))
        kept = object_file(cache, expected) if cache else None
        if kept and kept.is_file() and md5(kept) != expected:
            findings.wrong.append(f"{kept}: DVC's copy of {path / name} is damaged; delete it, then `dvc pull`")


def _compare(path: Path, expected: str, source: str, findings: Findings) -> None:
    found = md5(path)
    if found != expected:
        findings.wrong.append(f"{path}: MD5 {found}, but {source} has {expected}")
    findings.count("recorded files")


def _cached(cache: Path | None, digest: str) -> dict[str, str] | None:
    """The files of a folder that DVC has in its cache: MD5 by name."""
    try:
        content = object_file(cache, digest).read_bytes() if cache else b""
        if hashlib.md5(content).hexdigest() != digest.removesuffix(".dir"):
            return None
        return {entry["relpath"]: entry["md5"] for entry in json.loads(content)}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def object_file(cache: Path, digest: str) -> Path:
    """Where DVC's cache keeps an object."""
    return cache / "files" / "md5" / digest[:2] / digest[2:]


def folder_md5(files: dict[str, str]) -> str:
    """DVC's digest of a folder: MD5 of its listing. ``files`` has the MD5 of each file by its path in the folder."""
    listing = [{"md5": digest, "relpath": name} for name, digest in sorted(files.items())]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir"


def md5(path: Path) -> str:
    """MD5 of a file, as DVC writes it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def cache_folder() -> Path | None:
    """DVC's cache of this repository; None where there is none."""
    try:
        done = subprocess.run(["dvc", "cache", "dir"], capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Path(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None


def _listed(lines: list[str]) -> str:
    rest = [f"  and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join([*(f"  {line}" for line in lines[:_SHOWN]), *rest])
