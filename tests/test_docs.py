"""The documentation: it builds without a warning, and what its pages tell the reader to do works as written.

Blocks of code are followed in their order and in one folder, a clone of the workflow (benchmarks/walk.py).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from houses import ROOT, command, new_house

from benchmarks import walk
from lightweights.settings.reading import load_study
from lightweights.settings.study import Study

DOCS = ROOT / "docs"


def follow(page: str, house: Path) -> str:
    """Do what a page says; what its commands print."""
    printed = []

    def call(words: list[str], told: str) -> None:
        words = [sys.executable if word == "python" else word for word in words]
        done = subprocess.run(**command(house, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{page}:\n{told}\n{done.stdout}"
        printed.append(done.stdout)

    walk.follow((DOCS / page).read_text(), house, call)
    return "\n".join(printed)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workflow with the settings of this tree, as a repository of Git and DVC."""
    monkeypatch.setenv("LIGHTWEIGHTS_DATA", "")
    house = new_house(tmp_path / "clone", yaml.safe_load((ROOT / "params.yaml").read_text()))
    shutil.copy(ROOT / ".gitignore", house)
    shutil.copytree(ROOT / "chapters", house / "chapters", ignore=shutil.ignore_patterns("__pycache__"))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Reader")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "reader@example.org")
    for words in (["git", "init", "-q"], ["dvc", "init", "-q"], ["git", "add", "-A"], ["git", "commit", "-qm", "Clone"]):
        subprocess.run(**command(house, *words), check=True, capture_output=True)
    return house


def metrics_of(house: Path, study: str) -> pd.DataFrame:
    return pd.read_csv(house / "results" / study / "runs.csv").set_index(["experiment", "seed"])


def test_the_walk_has_a_step_for_each_section_that_does_something():
    sections = (DOCS / "tutorial.md").read_text().split("\n## ")[1:]
    doing = [section[0] for section in sections if any(language in ("python", "bash", "yaml") for language, _ in walk.blocks(section))]
    assert doing == list(walk.STEPS)
    assert all(walk.blocks(walk.part_of(*place)) for place in walk.PAGES.values())


@pytest.mark.slow
def test_tutorial_leads_to_a_study_of_ones_own(clone: Path):
    printed = follow("tutorial.md", clone)
    runs = metrics_of(clone, "mine")
    assert runs.test_accuracy_percent.loc["classical"].min() > 80
    assert runs.test_accuracy_percent.loc["quantum_train"].max() > 50
    assert re.search(r"means\.json +\S+ +[\d.]+ +[\d.]+ +-?[\d.]+", printed), "dvc metrics diff shows no change"
    assert (clone / "results/mine/report.html").stat().st_size > 100_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "study", "experiments"),
    [
        ("own_data.md", "stripes", {"classical": 80, "quantum_train": 70}),
        ("own_network.md", "nets", {"classical": 50, "quantum_train": 20}),
        ("own_arm.md", "waves", {"ablation": 10}),
        ("add_a_paper.md", "claimed", {"digits_direct": 70}),
    ],
)
def test_worked_examples_work(clone: Path, page: str, study: str, experiments: dict[str, float]):
    printed = follow(page, clone)
    runs = metrics_of(clone, study)
    for experiment, percent in experiments.items():
        assert runs.test_accuracy_percent.loc[experiment].mean() > percent
    if study == "waves":
        assert set(runs.arm) == {"photonic", "mps-only", "waves:Waves"}
        assert re.search(r"\| +waves:Waves", printed)


@pytest.mark.whole
@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_settings_files_in_the_pages_hold_settings_that_there_are(page: str):
    known = set(load_study(ROOT / "params.yaml").experiments)
    files = [text for language, text in walk.blocks((DOCS / page).read_text()) if language == "yaml" and walk.FILE.match(text)]
    for text in files:
        tree = yaml.safe_load(text)
        if walk.FILE.match(text)[1].startswith("chapters/"):
            known |= set(tree["experiments"])
        else:
            assert set(tree) <= set(Study.model_fields)
            assert set(tree["study"]["only"]) <= known


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as by `make docs`: a warning is an error, a broken link a warning. Sidebars without functions take half of it."""
    folder = tmp_path_factory.mktemp("site")
    call = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "-D", "toc_object_entries=0"]
    call += [str(DOCS), str(folder)]
    built = subprocess.run(call, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.whole
def test_reference_pages_hold_what_the_code_holds(site: Path):
    settings = (site / "settings.html").read_text()
    for path in ("study.only", "dataset.sha256", "mapping.bond_dim", "schedules.cobyla.evaluations", "execution.gpus"):
        assert path in settings
    assert "Bond dimension chi of the matrix product state." in settings
    assert "lightweights prepare OUTPUT" in (site / "commands.html").read_text()
    assert 'id="lightweights.quantum_train.QuantumTrain.bake"' in (site / "api/quantum_train.html").read_text()


@pytest.mark.whole
def test_site_asks_for_nothing_from_elsewhere(site: Path):
    loads = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"(https?:|//)[^\"]*\"[^>]*>")
    for page in site.rglob("*.html"):
        found = [match[0] for match in loads.finditer(page.read_text()) if 'rel="canonical"' not in match[0]]
        assert not found, f"{page.name}: {found}"


@pytest.mark.whole
def test_a_broken_link_fails_the_build(tmp_path: Path):
    """One page with the settings of all."""
    (tmp_path / "docs").mkdir()
    shutil.copy(DOCS / "conf.py", tmp_path / "docs")
    (tmp_path / "docs/index.md").write_text("# Page\n\n[nowhere](no_such_page.md)\n")
    call = [sys.executable, "-m", "sphinx", "-W", "-q", "-D", "extensions=myst_parser", str(tmp_path / "docs"), str(tmp_path / "site")]
    built = subprocess.run(call, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert built.returncode != 0
    assert "no_such_page.md" in built.stderr
