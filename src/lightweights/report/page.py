"""report.html: a study on one page that needs nothing from elsewhere, for readers without this repository.

Texts, tables and figures are those that lie in the study's folder. A click enlarges a figure, or sorts a table by the column of a heading;
both say how they were made and from which runs.
"""

import base64
import re
from collections.abc import Collection, Iterable, Mapping
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

import pandas as pd
import yaml

from lightweights.report.chapter import Shown, chapters
from lightweights.report.experiments import chapters_for, items_of
from lightweights.report.html import render
from lightweights.report.results import Results
from lightweights.settings.study import Study
from lightweights.study.collect import reported_test_sets
from lightweights.study.layout import key_of_row, study_settings_file

WIDE = 300
"""Points: a wider figure is shown with its panels stacked on narrow screens."""


def report_page(results: Results) -> str:
    """The page, from the files in the study's folder; a text or figure that is not there is left out."""
    study, runs, folder = results.study, results.runs, results.folder
    there, house = set(runs.experiment), chapters_for(study)
    figures, tables = (
        {
            name: item
            for c in house
            for name, item in items_of(c, kind, study, there).items()
            if (folder / f"{kind}/{name}.{ending}").is_file()
        }
        for kind, ending in (("figures", "svg"), ("tables", "md"))
    )
    settings = yaml.safe_dump(study.model_dump(mode="json", exclude_none=True), sort_keys=False, width=110)
    drawn = {*(f"figures/{name}" for name in figures), *(f"tables/{name}" for name in tables)}
    own = [chapter for chapter in house if there & chapter.experiments]
    sections = {"results": ("Results", text_html(folder / "RESULTS.md", drawn))}
    sections |= {c.name: (c.title, text_html(folder / f"{c.name}.md", drawn, without=("Tables and figures",))) for c in own}
    sections |= {
        "figures": (
            "Figures",
            contents_html("figure", figures) + "\n".join(figure_html(name, item, study, runs, folder) for name, item in figures.items()),
        ),
        "tables": (
            "Tables",
            contents_html("table", tables) + "\n".join(table_html(name, item, study, runs, folder) for name, item in tables.items()),
        ),
        "scorecard": ("Scorecard", text_html(folder / "scorecard.md")),
        "runs": ("Runs", made_of_html(study, runs) + runs_html(runs)),
        "settings": ("Settings", f"<pre>{escape(settings)}</pre>"),
    }
    sections = {place: content for place, content in sections.items() if content[1]}
    body = [f"<h1>{escape(study.study.title)}</h1>"]
    body += [f'<section id="{place}"><h2>{escape(title)}</h2>\n{content}\n</section>' for place, (title, content) in sections.items()]
    navigation = " ".join(f'<a href="#{place}">{escape(title)}</a>' for place, (title, _) in sections.items())
    template = Template(resources.files("lightweights.report").joinpath("report.html").read_text())
    return template.substitute(title=escape(study.study.title), navigation=navigation, body="\n".join(body))


def contents_html(kind: str, items: Mapping[str, Shown]) -> str:
    """The list of figures or tables, each a link to it; nothing without any."""
    links = "".join(f'<li><a href="#{kind}-{name}">{escape(item.title)}</a>: {escape(item.shows)}</li>\n' for name, item in items.items())
    return f'<ol class="contents">\n{links}</ol>\n' if links else ""


def made_of_html(study: Study, runs: pd.DataFrame) -> str:
    """What the page was made from: study, data set, runs, commits."""
    commits = ", ".join(f"<code>{escape(str(commit)[:12])}</code> ({count})" for commit, count in runs.commit.value_counts().items())
    return (
        f"<p>Study <b>{escape(study.study.name)}</b> on {escape(study.dataset.name)}: {len(runs)} of "
        f"{len(study.runs())} runs. Commits that trained them (runs): {commits or 'none recorded'}. Means stand with their standard "
        "deviation (ddof = 1), the number of seeds n and a 95 % interval. Click a figure to enlarge it, a heading to sort a table.</p>"
    )


def figure_html(name: str, item: Shown, study: Study, runs: pd.DataFrame, folder: Path) -> str:
    """A figure that a click enlarges, its caption, how it is drawn, and the runs behind it."""
    drawn = (folder / f"figures/{name}.svg").read_bytes()
    points = float(re.search(rb'width="([\d.]+)pt"', drawn)[1])  # type: ignore[index]
    image, narrow = base64.b64encode(drawn).decode(), folder / f"figures/{name}.png"
    stacked = (
        f'<source media="(max-width: 700px)" srcset="data:image/png;base64,{base64.b64encode(narrow.read_bytes()).decode()}">'
        if points > WIDE and narrow.is_file()
        else ""
    )
    return (
        f'<figure id="figure-{name}"><button aria-label="Enlarge {escape(item.title)}"><picture>{stacked}<img alt="{escape(item.shows)}" '
        f'style="max-width: {points / 8:.0f}rem" src="data:image/svg+xml;base64,{image}"></picture></button>\n'
        f"<figcaption><b>{escape(item.title)}.</b> {escape(item.shows)}. "
        f"{made_html('figure', name, study, runs, item.needs)}</figcaption></figure>"
    )


def table_html(name: str, item: Shown, study: Study, runs: pd.DataFrame, folder: Path) -> str:
    """A table with its caption, how it is made, and the runs behind it."""
    text = text_html(folder / f"tables/{name}.md")
    return (
        f'<div class="table" id="table-{name}"><h3>{escape(item.title)}: {escape(item.shows)}</h3>\n{text}\n'
        f"<p>{made_html('table', name, study, runs, item.needs)}</p></div>"
    )


def made_html(kind: str, name: str, study: Study, runs: pd.DataFrame, needed: Iterable[str]) -> str:
    """The command that makes a table or figure anew, and the runs of its experiments."""
    behind = runs[runs.experiment.isin(tuple(needed))]
    keys = "\n".join(key_of_row(run) for run in behind.itertuples())
    return (
        f"Made by <code>lightweights draw {study_settings_file(study.study.name).as_posix()} {kind}s/{name}</code>"
        f"<details><summary>The {len(behind)} runs behind it</summary><pre>{escape(keys)}</pre></details>"
    )


def runs_html(runs: pd.DataFrame) -> str:
    """All runs: what they are, what they reached, what they took."""
    columns = ["experiment", "variant", "seed", *(f"{name}_accuracy_percent" for name in reported_test_sets(runs))]
    columns += ["parameters_trained_used", "wall_seconds", "device", "commit"]
    shown_runs = runs[columns].rename(columns=lambda name: name.replace("_", " ").replace("percent", "(%)"))
    shown_runs["commit"] = shown_runs["commit"].str[:12]
    return f'<div class="scroll runs">{shown_runs.to_html(index=False, border=0, na_rep="", float_format="{:.2f}".format)}</div>'


def text_html(path: Path, drawn: Collection[str] = (), without: Iterable[str] = ()) -> str:
    """A Markdown file without its title, the named sections and its images; links lead to where this page has the same (``drawn``)."""
    if not path.is_file():
        return ""
    opening, *sections = re.split(r"^(?=## )", path.read_text(), flags=re.MULTILINE)
    kept = [part for part in sections if part.partition("\n")[0].removeprefix("## ") not in without]
    text = re.sub(r"^# .*\n", "", opening, flags=re.MULTILINE) + "".join(kept)
    text = re.sub(r"^(?:!\[|<picture>).*\n\n\*.*\*\n", "", text, flags=re.MULTILINE)  # figures with their captions
    html = render(text).replace("<h2>", "<h3>").replace("</h2>", "</h3>").replace("<div>", '<div class="scroll">')
    for name in drawn:
        html = re.sub(rf'href="{name}\.\w+"', f'href="#{name.replace("s/", "-", 1)}"', html)
    places = "|".join(("scorecard", "runs", "RESULTS", "experiments", *(chapter.name for chapter in chapters())))
    html = re.sub(rf'href="({places})\.\w+"', lambda found: f'href="#{found[1].lower()}"', html)
    return re.sub(r'<a href="(?!#|https?:)[^"]*">(.*?)</a>', r"\1", html)
