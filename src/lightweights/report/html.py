"""Markdown as one self-contained HTML page, for the report."""

import re
from html import escape

from markdown_it import MarkdownIt

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 75rem; margin: 1.5rem auto; padding: 0 1rem; color: #222; }
div { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid #ddd; vertical-align: top; }
th { border-bottom: 2px solid #888; }
"""


_MARKS = re.compile(r"([\\`*_\[\]<>&!|~])")


def as_text(words: str) -> str:
    """Words of a user's on one line of Markdown, where nothing in them is a mark: no link, image, code, cell or emphasis; what
    would steer a terminal is left out.
    """
    return _MARKS.sub(r"\\\1", "".join(sign for sign in " ".join(words.split()) if sign.isprintable()))


def render(markdown: str) -> str:
    """HTML of the Markdown text; tables stand in a div, so that wide ones can be scrolled."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return body.replace("<table>", "<div><table>").replace("</table>", "</table></div>")


def to_html(markdown: str, title: str) -> str:
    """A page of the Markdown text, tables included, that needs nothing from elsewhere."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><meta name="viewport" content="width=device-width, initial-scale=1">'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n<body>\n{render(markdown)}</body></html>\n'
