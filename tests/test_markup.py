"""Words of the user's are text everywhere: a title never becomes a link, an image, a script or a cell."""

import re
from html import unescape
from pathlib import Path

import pytest
from results_made import made
from synthetic import fabricate, small_study

from lightweights.report.chapter import chapters
from lightweights.report.contradictions import contradictions_of
from lightweights.report.html import as_text, to_html
from lightweights.report.page import report_page
from lightweights.report.words import front_page
from lightweights.study.collect import collect

HOSTILE = [
    "![x](http://far.example/x.png)",
    "[x](http://far.example)",
    "<img src=http://far.example/x.png>",
    "<script>alert(1)</script>",
    "<http://far.example>",
    "&lt;b&gt; a | b `c` *d* __e__ ~~f~~ \\[g](h)",
    "[x]: http://far.example\n\n![x]",
    "one\n\n# two\n\n![x](http://far.example/x.png)",
]
LOADS = re.compile(r"<(img|script|iframe|link|object|a)\b[^>]*far\.example", re.IGNORECASE)


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_in_markdown_reads_as_it_was_written(title: str) -> None:
    page = to_html(f"# Scorecard: {as_text(title)}\n", "x")
    heading = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert heading is not None and "<" not in heading[1]
    assert unescape(heading[1]) == f"Scorecard: {' '.join(title.split())}"
    assert page.count("<h1>") == 1 and not LOADS.search(page)


@pytest.mark.parametrize("title", HOSTILE)
def test_no_page_loads_what_a_title_names(title: str, tmp_path: Path) -> None:
    study = small_study()
    study = study.model_copy(update={"study": study.study.model_copy(update={"title": title})})
    fabricate(study, tmp_path)
    results = made(collect(study, tmp_path), study, tmp_path)
    front = front_page(results, len(contradictions_of(chapters())))
    assert not LOADS.search(to_html(front, title))
    assert not LOADS.search(report_page(results))


@pytest.mark.parametrize("title", ["Photonic Quantum-Train", "Horizontal or vertical, 2.0 (new)", "Größe: 50 %"])
def test_ordinary_titles_stay_as_they_are(title: str) -> None:
    assert as_text(title) == title


def test_a_title_steers_no_terminal() -> None:
    assert as_text("a\x1b[2Jb\u202ec") == "a\\[2Jbc"
