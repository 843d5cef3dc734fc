"""A stranger's walk with the clock: ``python -m benchmarks.walk``.

Clones this repository into a new folder, makes the environment and the demo there, does what docs/tutorial.md says, section by section, and
then what some other pages say.
Prints a table in Markdown: minutes of each step and since the clone. What a reader takes to read and to type comes on top.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w./]+\.\w+)\n")
STEPS = {
    "2": "images of one's own in a CSV file",
    "3": "a network of one's own",
    "4": "both trained: nine runs, with tables and figures",
    "5": "one setting changed, six runs trained again, `dvc metrics diff`",
    "6": "figure and table for a paper, one offline report",
}
"""What a reader has after each section of the tutorial."""
PAGES = {
    "a module of one's own trained, saved and loaded": ("library.md", "In ten lines"),
    "part of a transformer generated": ("adapters_howto.md", ""),
    "a landed model loaded, exported and evaluated": ("data_versioning.md", "Models"),
    "the folder of a paper added, run and judged": ("add_a_paper.md", ""),
}
"""What a reader has after another page, or the section of it that has this title."""


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and text of each block of code in a page."""
    return BLOCK.findall(text)


def follow(text: str, folder: Path, call: Callable[[list[str], str], None]) -> None:
    """Do what a page says: blocks of Python and YAML that begin with a comment naming a file are written, other Python blocks and those of
    bash are given to ``call`` as words, with the block's text. Blocks of other languages are for reading.
    """
    for language, block in blocks(text):
        named = FILE.match(block)
        if named and language in ("python", "yaml"):
            (folder / named[1]).write_text(block)
        elif language in ("python", "bash"):
            call(["python", "-c", block] if language == "python" else ["bash", "-euo", "pipefail", "-c", block], block)


def part_of(page: str, title: str) -> str:
    """A page of the documentation, or the section of it that has this title."""
    text = (ROOT / "docs" / page).read_text()
    return next(part for part in text.split("\n## ") if part.startswith(f"{title}\n")) if title else text


def walk(folder: Path) -> list[tuple[str, float]]:
    """Steps and their seconds, in a clone that is made in the folder."""
    house = folder / "lightweights"
    names = {f"GIT_{who}_{what}": "reader@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = os.environ | names | {"PATH": f"{house / '.venv/bin'}:{os.environ['PATH']}", "LIGHTWEIGHTS_DATA": ""}

    def call(words: list[str], told: str) -> None:
        done = subprocess.run(words, cwd=house, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"{told.strip()}\nended with {done.returncode}:\n{done.stdout[-3000:]}")

    def timed(step: str, do: Callable[[], object]) -> tuple[str, float]:
        print(f"{step} ...", file=sys.stderr, flush=True)
        started = time.monotonic()
        do()
        return step, time.monotonic() - started

    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(house)], check=True)
    taken = [
        timed("`make env`: the environment", lambda: call(["make", "env"], "make env")),
        timed("`make demo`: a whole small study, the first figure", lambda: call(["make", "demo"], "make demo")),
    ]
    for section in (house / "docs/tutorial.md").read_text().split("\n## ")[1:]:
        if section[0] in STEPS:
            taken.append(timed(STEPS[section[0]], lambda section=section: follow(section, house, call)))
    taken += [timed(step, lambda place=place: follow(part_of(*place), house, call)) for step, place in PAGES.items()]
    return taken


def main() -> None:
    """Take the walk and print it."""
    with tempfile.TemporaryDirectory() as folder:
        taken, since = walk(Path(folder)), 0.0
    print("| step | minutes | since the clone |\n|---|---|---|")
    for step, seconds in taken:
        since += seconds
        print(f"| {step} | {seconds / 60:.1f} | {since / 60:.1f} |")


if __name__ == "__main__":
    main()
