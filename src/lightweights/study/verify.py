"""`lightweights verify`: is everything that lies in the results folder what dvc.lock, the settings and the runs say it is?

Contents are read and hashed anew; unlike `dvc status`, nothing is believed because a time stamp has not changed.
"""

import hashlib
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from lightweights.errors import LightweightsError
from lightweights.files import read_yaml
from lightweights.settings.study import Study
from lightweights.study.alike import TOLERANCE, as_held, held
from lightweights.study.collect import CollectError, collect
from lightweights.study.consistency import check_collected, check_run
from lightweights.study.findings import Findings
from lightweights.study.layout import RESULTS, history_file, metrics_file, model_file, study_folder, study_settings_file, weights_file
from lightweights.study.plan import read_study

_SHOWN = 20


class VerifyError(LightweightsError):
    """Files that are not what they should be; names each, and the remedy."""


def verify_study(
    name: str,
    say: Callable[[str], None],
    results: Path = RESULTS,
    lock: Path = Path("dvc.lock"),
    more: Sequence[Callable[[str, Findings], None]] = (),
) -> None:
    """Check a study and say what was checked; ``more`` checks what was made from the runs. Raises VerifyError naming what is wrong."""
    study = read_study(study_settings_file(name, results))
    findings = Findings()
    check_runs(study, results, findings)
    places = (metrics_file, history_file, model_file, weights_file)
    files = {place(run, results) for run in study.runs() for place in places}
    check_recorded(recorded_outputs(lock, study_folder(name, results)), cache_folder(), files, findings)
    for check in more:
        check(name, findings)
    say("checked: " + (", ".join(f"{number} {what}" for what, number in findings.checked.items()) or "nothing is here"))
    if findings.checked.get("drawn files to a tolerance"):
        say(f"drawn files that differ from what is recorded have the same words, and numbers to a relative difference of {TOLERANCE:g}")
    for what, number in findings.without_digest.items():
        say(f"without a digest, so that only a change of form would show: {number} {what}")
    if findings.without_model:
        counts = ", ".join(f"{name} {count}" for name, count in Counter(findings.without_model).items())
        say(f"landed without their models, until they are trained again ({len(findings.without_model)}): {counts}")
    findings.absent = list(dict.fromkeys(findings.absent))  # models are looked for twice: for their run and for dvc.lock
    if findings.absent:
        say(f"not here ({len(findings.absent)}; `lightweights restore` brings back what a DVC remote has):\n" + _listed(findings.absent))
    if findings.unrecorded:
        say(f"not recorded ({len(findings.unrecorded)}; `dvc repro` records):\n" + _listed(findings.unrecorded))
    if findings.wrong:
        raise VerifyError(
            f"{len(findings.wrong)} findings in {study_folder(name, results)}:\n{_listed(findings.wrong)}\n"
            "Bring the named files back (`git checkout`, `dvc checkout`, `dvc pull`), or move them away and train their runs anew"
        )
    say("the rest is as recorded" if findings.absent or findings.unrecorded else "all of it is as recorded")


def check_runs(study: Study, results: Path, findings: Findings) -> None:
    """Each run's files against each other, runs against the settings that ask for them, and runs.csv. What is wrong with a run is said
    once.
    """
    failed, told = None, set()
    try:
        runs = collect(study, results, partial=True)
        findings.count("runs", len(runs))
        check_collected(runs, study_folder(study.study.name, results) / "runs.csv", findings)
    except CollectError as error:
        failed = error
    for run in study.runs():
        if metrics_file(run, results).is_file():
            before = len(findings.wrong)
            check_run(run, results, findings)
            if len(findings.wrong) > before:
                told.add(run.key)
    if failed is not None and (not failed.runs or set(failed.runs) - told):
        findings.wrong.append(str(failed))


def recorded_outputs(lock: Path, folder: Path) -> dict[Path, dict[str, Any]]:
    """What dvc.lock says of the files and folders below ``folder``. Raises VerifyError where it cannot be read."""
    if not lock.is_file():
        return {}
    try:
        stages = (read_yaml(lock) or {}).get("stages", {})
        outs = {Path(out["path"]): out for stage in stages.values() for out in stage.get("outs", []) if "md5" in out}
        for path, out in outs.items():
            _check_digest(out["md5"], str(path))
        return {path: out for path, out in outs.items() if path.is_relative_to(folder) and ".." not in path.parts}
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise VerifyError(f"{lock}: not a lock file of DVC ({error}); `git checkout {lock}` brings it back") from None


def _check_digest(digest: str, of: str) -> None:
    """Digests become paths in DVC's cache."""
    if not re.fullmatch(r"[0-9a-f]{32}(\.dir)?", digest):
        raise ValueError(f"{of}: md5 {digest!r} is no digest")


def check_recorded(outputs: dict[Path, dict[str, Any]], cache: Path | None, files: Collection[Path], findings: Findings) -> None:
    """Files and folders against their MD5 in dvc.lock; of a folder in DVC's cache each file, and the cached copy itself. ``files``: those
    that belong to runs of the study, whether recorded or not.
    """
    for path, out in outputs.items():
        if not os.path.exists(path):  # noqa: PTH110 (Path.exists raises OSError for names that are too long)
            findings.absent += [str(path / name) for name in _cached(cache, out["md5"]) or {}] or [str(path)]
        elif path.is_file():
            _compare(path, out["md5"], "dvc.lock", findings)
        else:
            _check_folder(path, out, cache, files, findings)


def _check_folder(path: Path, out: dict[str, Any], cache: Path | None, files: Collection[Path], findings: Findings) -> None:
    found = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}
    listing = _cached(cache, out["md5"])
    if listing is None:
        digest = folder_md5({name: md5(file) for name, file in found.items()})
        if digest == out["md5"]:
            findings.count("recorded files", len(found))
        elif (held := held_by_git(path)) is not None:
            _compare_with_git(path, found, *held, files, findings)
        elif len(found) == out.get("nfiles"):
            findings.wrong.append(f"{path}: its {len(found)} files are not those of dvc.lock ({out['md5']}, found {digest})")
        else:
            findings.absent.append(f"{path} as recorded in dvc.lock: {out.get('nfiles')} files there, {len(found)} here")
            _name_extra(set(found.values()) - set(files), files, findings)
        return
    _name_extra((found[name] for name in found if name not in listing), files, findings)
    for name, expected in listing.items():
        if name in found:
            _compare(found[name], expected, "dvc.lock", findings)
        else:
            findings.absent.append(str(path / name))
        kept = object_file(cache, expected) if cache else None
        if kept and kept.is_file() and md5(kept) != expected:
            findings.wrong.append(f"{kept}: DVC's copy of {path / name} is damaged; delete it, then `dvc pull`")


def _compare_with_git(
    path: Path, found: dict[str, Path], tracked: set[Path], changed: set[Path], files: Collection[Path], findings: Findings
) -> None:
    here = set(found.values())
    findings.absent += [str(file) for file in sorted(tracked - here)]
    for file in sorted(changed & here):
        if is_drawn(file) and as_held(file):
            findings.count("drawn files to a tolerance")
        else:
            findings.wrong.append(f"{file}: not as git has it, and {path} not as dvc.lock has it{remedy_for(file)}")
    findings.count("recorded files", len((tracked & here) - changed))
    _name_extra(here - tracked, files, findings)
    if here == tracked and not changed:
        findings.unrecorded.append(f"{path} as it stands, and as git has it")


def _name_extra(extra: Iterable[Path], files: Collection[Path], findings: Findings) -> None:
    for file in sorted(extra):
        if file in files:
            findings.unrecorded.append(str(file))
        else:
            findings.wrong.append(f"{file}: neither recorded nor of a run of the study")


def held_by_git(folder: Path) -> tuple[set[Path], set[Path]] | None:
    """Files below a folder in git's last commit, and those of them that have changed since; None where git has none."""

    def listed(*words: str) -> set[Path]:
        done = subprocess.run(["git", *words, "HEAD", "--", folder], capture_output=True, text=True, check=True)
        return {Path(name) for name in done.stdout.split("\0") if name}

    try:
        tracked, changed = listed("ls-tree", "-r", "-z", "--name-only"), listed("diff", "--relative", "-z", "--name-only", "--no-renames")
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return (tracked, changed & tracked) if tracked else None


def _compare(path: Path, expected: str, source: str, findings: Findings) -> None:
    found = md5(path)
    if found != expected and is_drawn(path) and hashlib.md5(held(path) or b"").hexdigest() == expected and as_held(path):
        findings.count("drawn files to a tolerance")
        return
    if found != expected:
        findings.wrong.append(f"{path}: MD5 {found}, but {source} has {expected}{remedy_for(path)}")
    findings.count("recorded files")


def is_drawn(path: Path) -> bool:
    """Whether a file of a study is computed from its runs, and so no run itself."""
    return not {"runs", "weights", "data", "settings"} & set(path.parts[2:-1])


def remedy_for(path: Path) -> str:
    """What makes a drawn file again."""
    return "; `snakemake --cores 1 summary` makes it anew from the runs, nothing is trained" if is_drawn(path) else ""


def _cached(cache: Path | None, digest: str) -> dict[str, str] | None:
    """The files of a folder that DVC has in its cache: MD5 by name."""
    try:
        content = object_file(cache, digest).read_bytes() if cache else b""
        if hashlib.md5(content).hexdigest() != digest.removesuffix(".dir"):
            return None
        listing = {entry["relpath"]: entry["md5"] for entry in json.loads(content)}
        for name, kept in listing.items():
            _check_digest(kept, name)
        return listing
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
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
