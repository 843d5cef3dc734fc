"""report.html in a real browser: complete without the network, readable on a small screen, figures enlarge, tables sort."""

import os
import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from browser import PROGRAM, with_page
from houses import ROOT
from synthetic import fabricate, small_study

from lightweights.files import write_atomic
from lightweights.report import make
from lightweights.report.chapter import catalogue, chapters, shown
from lightweights.study.layout import study_settings_file

in_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium or Chrome on this machine")
STUDY = small_study()
DRAWN, MADE = (shown(catalogue(kind), set(STUDY.experiments)) for kind in ("figures", "tables"))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a study of made-up numbers, all its tables and figures made before."""
    folder, before = tmp_path_factory.mktemp("study"), Path.cwd()
    shutil.copytree(ROOT / "chapters", folder / "chapters")
    os.chdir(folder)
    try:
        fabricate(STUDY, Path("results"))
        settings = study_settings_file(STUDY.study.name)
        write_atomic(settings, STUDY.to_json())
        make.collect_study(settings, partial=False)
        names = [*(f"tables/{name}" for name in MADE), *(f"figures/{name}" for name in DRAWN)]
        make.draw(settings, [*names, "scorecard", "RESULTS", *(chapter.name for chapter in chapters())])
        make.write_report(settings)
    finally:
        os.chdir(before)
    return folder / "results/made-up/report.html"


@pytest.mark.whole
def test_page_holds_settings_commit_commands_and_every_run(report: Path):
    text = unescape(report.read_text())
    assert "bond_dim: 4" in text and "rounds: 12" in text
    assert "<code>12e4567</code> (18)" in text
    for kind, names in (("figure", DRAWN), ("table", MADE)):
        for name in names:
            assert f"lightweights draw results/made-up/settings/study.json {kind}s/{name}" in text
    assert "The 9 runs behind it" in text
    for run in STUDY.runs():
        assert run.key in text


def test_every_link_leads_somewhere_on_the_page(report: Path):
    text = report.read_text()
    places = set(re.findall(r'id="([^"]+)"', text))
    links = re.findall(r'href="([^"]+)"', text)
    assert len(links) > 6
    assert {link for link in links if link.removeprefix("#") not in places} == set()


@in_browser
@pytest.mark.parametrize("width", [400, 1300])
def test_page_shows_all_figures_without_errors_or_requests(report: Path, width: int):
    async def visit(page):
        await page.open(report, width)
        images = await page.value(
            "Promise.all([...document.querySelectorAll('figure img')].map(async image => (await image.decode(), "
            "[image.naturalWidth, image.getBoundingClientRect().width, image.getBoundingClientRect().left])))"
        )
        return images, await page.value("document.documentElement.scrollWidth"), page.complaints, page.requests

    images, page_width, complaints, requests = with_page(visit)
    assert len(images) == len(DRAWN)
    assert all(natural > 0 and min(width, 250) <= shown_width <= width and left >= 0 for natural, shown_width, left in images)
    assert page_width <= width, "the page is wider than the window"
    assert complaints == []
    assert {address for address in requests if not address.startswith("data:")} == {report.as_uri()}


@in_browser
def test_a_click_enlarges_a_figure_and_a_heading_sorts_its_table(report: Path):
    async def visit(page):
        await page.open(report, 1300)
        before = await page.value("document.querySelector('dialog').open")
        await page.value("document.querySelector('figure > button').click()")
        fits = await page.value("document.querySelector('dialog img').getBoundingClientRect().width")
        await page.value("document.querySelector('[data-zoom=\"1.25\"]').click()")
        larger = await page.value("document.querySelector('dialog img').getBoundingClientRect().width")
        opened = await page.value("document.querySelector('dialog').open")
        await page.value("document.querySelector('[data-close]').click()")
        closed = await page.value("document.querySelector('dialog').open")
        runs = "document.querySelector('#runs table')"
        column = f"[...{runs}.tHead.rows[0].cells].findIndex(cell => cell.textContent === 'test600 accuracy (%)')"
        cells = f"[...{runs}.tBodies[0].rows].map(row => parseFloat(row.cells[{column}].textContent))"
        unsorted = await page.value(cells)
        await page.value(f"{runs}.tHead.rows[0].cells[{column}].click()")
        ascending = await page.value(cells)
        await page.value(f"{runs}.tHead.rows[0].cells[{column}].click()")
        return before, opened, closed, larger / fits, unsorted, ascending, await page.value(cells), page.complaints

    before, opened, closed, ratio, unsorted, ascending, descending, complaints = with_page(visit)
    assert (before, opened, closed) == (False, True, False)
    assert ratio == pytest.approx(1.25, abs=0.02)
    assert len(unsorted) == len(STUDY.runs()) and unsorted != sorted(unsorted)
    assert ascending == sorted(unsorted)
    assert descending == sorted(unsorted, reverse=True)
    assert complaints == []
