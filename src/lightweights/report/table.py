"""A table: tidy numbers, and the same as readable Markdown and as LaTeX for a paper."""

import math
import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lightweights.report.comparisons import signed_summary
from lightweights.report.measures import FEWEST, NOTHING, format_number, no_interval, possible
from lightweights.report.statistics import Summary
from lightweights.study.csv_text import computed_csv


@dataclass(frozen=True)
class Table:
    """A table: tidy ``data`` for CSV, ``display`` of ready cells (a cell may have two lines), and its caption."""

    name: str
    caption: str
    data: pd.DataFrame
    display: pd.DataFrame


def markdown(display: pd.DataFrame) -> str:
    """A pipe table whose columns are also aligned as plain text."""
    rows = [display.columns, *display.itertuples(index=False)]
    lines = [[str(cell).replace("-\n", "-").replace("\n", " ").replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    lines.insert(1, [("-" * width) for width in widths])
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines)


def to_markdown(table: Table) -> str:
    """The table with its caption above it."""
    return f"{table.caption}\n\n{markdown(table.display)}\n"


def to_latex(table: Table) -> str:
    """A table* of the booktabs package; the second line of a cell stands below the first in smaller type."""
    body = []
    for row in table.display.itertuples(index=False):
        cells = [str(cell).split("\n") for cell in row]
        for line in range(max(len(cell) for cell in cells)):
            texts = [_escape(cell[line]) if line < len(cell) else "" for cell in cells]
            texts = [f"{{\\tiny {text}}}" if line and text else text for text in texts]
            body.append("    " + " & ".join(texts) + r" \\")
    heads = " & ".join(r"\shortstack{" + r"\\".join(_escape(part) for part in str(c).split("\n")) + "}" for c in table.display.columns)
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table*}",
            r"  \centering\scriptsize\setlength{\tabcolsep}{3pt}",
            rf"  \caption{{{_escape(table.caption)}}}",
            rf"  \label{{tab:{table.name.replace('_', '-')}}}",
            rf"  \begin{{tabular}}{{l{'r' * (table.display.shape[1] - 1)}}}",
            r"    \toprule",
            f"    {heads} \\\\",
            r"    \midrule",
            *body,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table*}",
            "",
        ]
    )


def table_files(table: Table) -> dict[str, str]:
    """The texts of <name>.csv, .md and .tex by their ending."""
    return {"csv": computed_csv(table.data), "md": to_markdown(table), "tex": to_latex(table)}


def summary_cell(summary: Summary, column: str) -> str:
    """Mean ± sd, the interval on a second line, from three values on and no further than is possible."""
    if summary.one_value:
        return f"{format_number(summary.mean, column)}\n({summary.n} of the same value)"
    if summary.n < FEWEST:
        return short_cell(summary, column) + (f"\n{no_interval(summary.n)}" if summary.n > 1 else "")
    low, high = (format_number(possible(end, column), column) for end in (summary.low, summary.high))
    return f"{short_cell(summary, column)}\n[{low}, {high}]"


def short_cell(summary: Summary, column: str) -> str:
    """Mean ± sd."""
    if not summary.n:
        return NOTHING
    spread = "" if math.isnan(summary.sd) else f" ± {format_number(summary.sd, column)}"
    return format_number(summary.mean, column) + spread


def from_three(summary: Summary, column: str) -> str:
    """Mean ± sd, the interval from three values on: that of two reaches beyond all that is possible. Nothing of no values."""
    if not summary.n:
        return NOTHING
    return summary_cell(summary, column) if summary.n > 2 else short_cell(summary, column)


def signed_from_three(difference: Summary, column: str) -> str:
    """A mean of differences with its sign: with its interval from three on, else with its sd. Nothing without pairs."""
    if not difference.n:
        return NOTHING
    return signed_summary(difference, column) if difference.n > 2 else "+" * (difference.mean > 0) + short_cell(difference, column)


def counts_of(runs: pd.DataFrame) -> dict[str, Any]:
    """Trained parameters of one variant's runs, as published and in use, and the range of the effective ones, as columns of a table."""
    effective = runs.parameters_trained_effective
    counts = {f"parameters_{kind}": runs[f"parameters_trained_{kind}"].max() for kind in ("published", "used")}
    return counts | {"parameters_effective_min": effective.min(), "parameters_effective_max": effective.max()}


def counts_cell(row: pd.Series) -> str:
    """Parameters as published / used / effective, or one number where they are the same."""
    if pd.isna(row.parameters_used):
        return NOTHING
    low, high = row.parameters_effective_min, row.parameters_effective_max
    effective = str(low) if low == high else f"{low}-{high}"
    shown = [str(row.parameters_published), str(row.parameters_used), effective]
    return shown[0] if len(set(shown)) == 1 else f"{shown[0]} / {shown[1]} /\n{shown[2]}"


def _escape(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "<": "$<$", ">": "$>$"}
    escaped = re.sub(r"[\\~^±<>&%$#_{}]", lambda match: special.get(match[0], "\\" + match[0]), text)
    emphasised = re.sub(r"\*(\w+)\*", r"\\emph{\1}", escaped)
    with_ranges = re.sub(r"(?<=\d)-(?=\d)", "--", emphasised)
    return re.sub(r"(?<![\w.)-])-(?=\d)", "$-$", with_ranges)
