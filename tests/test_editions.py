"""The benchmark of editions: what is taken from git, and what its report says. No time is asserted."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the benchmarks are not part of the installed package

from benchmarks import editions  # noqa: E402


def test_this_tree_is_laid_out_with_all_that_its_workflow_needs(tmp_path: Path) -> None:
    house = editions.lay_out(tmp_path / "now", None)
    assert all((house / name).exists() for name in editions.TREE)
    assert (house / "workflow/presets/demo.yaml").is_file() and not (house / "results").exists()
    assert "__pycache__" not in {path.name for path in house.rglob("*")}


def test_an_edition_that_git_does_not_have_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(editions.NoEditionError, match=r"0123456: not in this clone.*--before COMMIT"):
        editions.lay_out(tmp_path / "before", "0123456")


def test_an_earlier_edition_comes_without_its_results(tmp_path: Path) -> None:
    if subprocess.run(["git", "cat-file", "-e", "HEAD"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("this tree is no clone")
    house = editions.lay_out(tmp_path / "before", "HEAD")
    assert (house / "Snakefile").is_file() and (house / "short.yaml").is_file() and not (house / "results").exists()


def test_processor_time_is_that_of_the_programs_alone_and_a_failure_is_told(tmp_path: Path) -> None:
    busy = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    used, wall = editions.seconds(tmp_path, editions.Work("busy", [[sys.executable, "-c", busy]] * 2))
    assert 0.6 <= used < 5 and wall >= 0.6
    with pytest.raises(RuntimeError, match="ended with status 3:\nno luck"):
        editions.seconds(tmp_path, editions.Work("fails", [[sys.executable, "-c", "print('no luck'); raise SystemExit(3)"]]))


def test_a_program_may_print_the_seconds_that_count(tmp_path: Path) -> None:
    slow = [sys.executable, "-c", "import time; time.sleep(0.2); print(0.5, 0.75)"]
    assert editions.seconds(tmp_path, editions.Work("rounds", [slow], prints=True)) == (0.5, 0.75)


def test_rounds_of_table_3_are_timed_without_the_start_of_their_process() -> None:
    assert [work.name for work in editions.works(True) if work.prints] == [
        "run of Table 3, bond_dim=10",
        "the same, now measured every 10th round",
        "the same, now the network alone",
    ]


def test_both_editions_do_the_same_works() -> None:
    assert [work.name for work in editions.works(True)] == [work.name for work in editions.works(False)]


@pytest.mark.whole
def test_snakemake_takes_the_works_of_this_tree(tmp_path: Path) -> None:
    house = editions.lay_out(tmp_path / "now", None)
    asked = [program for work in editions.works(True) for program in work.programs if program[0] == "snakemake"]
    assert len(asked) == 2
    for program in asked:
        editions.seconds(house, editions.Work("dry run", [[*program, "--dry-run"]]))  # raises where it fails


def test_the_report_says_whether_targets_are_met() -> None:
    row = {"repeats": 2, "before_core_s": 100.0, "now_core_s": 60.0, "now_wall_s": 31.0}
    rows = [
        {"work": name, "ratio": ratio, "target": target} | row
        for name, ratio, target in (("a", 0.6, 0.7), ("b", 0.8, 0.7), ("c", 0.9, None))
    ]
    text = editions.markdown(pd.DataFrame(rows), "abcdefghij", ["- A processor."])
    assert "abcdefg." in text and "abcdefgh" not in text
    assert "| a | 100 | 60 | 0.60 | at most 0.70: met | 31 | 2 |" in text
    assert "| b | 100 | 60 | 0.80 | at most 0.70: missed |" in text and "| c | 100 | 60 | 0.90 |  |" in text
