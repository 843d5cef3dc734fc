"""What a study of very many runs costs before and after its training: ``python -m benchmarks.scale 1000 10000``.

For each number of runs a study with made-up numbers (ten variants, three history rows a run) in a folder of its own; every step in a
process of its own. Prints a table in Markdown: processor seconds and largest memory. Ten thousand runs take some minutes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
OPEN = "from pathlib import Path; from lightweights.settings.reading import load_study; load_study(Path('params.yaml')).runs()"
SETTINGS = "results/made-up/settings/study.json"
HISTORIES = f"""
import json
from pathlib import Path
from lightweights.study.collect import collect, read_histories
from lightweights.study.plan import read_study
study = read_study(Path("{SETTINGS}"))
read_histories("made-up", collect(study, Path("results")), Path("results"))
"""
STEPS = {
    "expanding all runs": (sys.executable, "-c", OPEN),
    "`lightweights plan`, all to do": ("lightweights", "plan", "--cores", "2", "--nodes", "4"),
    "`snakemake -n`, all to do": ("snakemake", "-n", "--quiet", "all"),
    "made-up runs": (),
    "`lightweights collect`": ("lightweights", "collect", SETTINGS),
    "collecting, reading all histories": (sys.executable, "-c", HISTORIES),
    "`lightweights draw tables/quantum_train`": ("lightweights", "draw", SETTINGS, "tables/quantum_train"),
    "`lightweights draw figures/training_curves`": ("lightweights", "draw", SETTINGS, "figures/training_curves"),
    "`lightweights draw scorecard`": ("lightweights", "draw", SETTINGS, "scorecard"),
    "`lightweights verify`, no weights there": ("lightweights", "verify", "made-up"),
    "`snakemake summary`: tables, figures, scorecard, results": ("snakemake", "--quiet", "all", "--cores", "1", "summary"),
    "`snakemake -n`, all done": ("snakemake", "-n", "--quiet", "all"),
    "`lightweights report`": ("lightweights", "report", SETTINGS),
}
"""In the order in which a study needs them; runs are made up where the command is empty."""


def study_of(runs: int) -> dict:
    """Settings that ask for so many runs."""
    return {
        "study": {"name": "made-up"},
        "dataset": {"name": "digits"},
        "schedules": {"gradient": {"rounds": 3}},
        "experiments": {
            "quantum_train": {
                "method": "quantum_train",
                "seeds": list(range(runs // 10)),
                "vary": {"mapping.bond_dim": list(range(1, 11))},
            }
        },
    }


def house_of(runs: int, folder: Path) -> None:
    """The workflow with that study, nothing trained."""
    shutil.copy(ROOT / "Snakefile", folder)
    shutil.copytree(ROOT / "workflow", folder / "workflow")
    (folder / "profiles").symlink_to("workflow/profiles")
    (folder / "params.yaml").write_text(yaml.safe_dump(study_of(runs)))


def make_up(runs: int, folder: Path) -> None:
    """All runs of the study with the numbers of tests/synthetic.py."""
    sys.path.insert(0, str(ROOT / "tests"))
    from synthetic import fabricate

    from lightweights.settings.study import parse_study

    fabricate(parse_study(study_of(runs)), folder / "results")


def cost_of(command: tuple[str, ...], folder: Path) -> str:
    """Processor seconds and the largest memory of a program and what it starts."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    log = folder / "said.log"
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}:\n{log.read_text()}")
    return f"{usage.ru_utime + usage.ru_stime:.1f} s, {usage.ru_maxrss / 1024:.0f} MB"


def main(sizes: list[int]) -> None:
    found: dict[str, list[str]] = {name: [] for name, command in STEPS.items() if command}
    for runs in sizes:
        with tempfile.TemporaryDirectory(prefix="lightweights-scale-") as name:
            folder = Path(name)
            house_of(runs, folder)
            for step, command in STEPS.items():
                print(f"{runs:,} runs: {step}", file=sys.stderr)
                if command:
                    found[step].append(cost_of(command, folder))
                else:
                    make_up(runs, folder)
    print("| | " + " | ".join(f"{runs:,} runs" for runs in sizes) + " |\n|---|" + "---|" * len(sizes))
    print("\n".join(f"| {step} | {' | '.join(costs)} |" for step, costs in found.items()))


if __name__ == "__main__":
    if len(sys.argv) < 2 or not all(word.isdigit() and int(word) >= 10 for word in sys.argv[1:]):
        sys.exit(__doc__)
    main([int(word) for word in sys.argv[1:]])
