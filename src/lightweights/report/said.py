"""Files that a chapter says itself, besides runs: published numbers, contradictions, and what stands beside them."""

from pathlib import Path

from lightweights.report.chapter import Chapter, chapters
from lightweights.report.claims import claims_of

SAID = ("claims.csv", "contradictions.csv", "corrections.csv", "elsewhere.csv", "independent.csv", "published.yaml")


def said_by(chapter: Chapter) -> list[Path]:
    """Those of a chapter that are there."""
    return [path for name in SAID if (path := chapter.folder / name).is_file()]


def said_for(chapter: Chapter) -> list[Path]:
    """Those that a chapter's tables, figures and page are made from: its own, those of chapters that claim from a source of its own, since
    verdicts are corrected over all claims of a source, and those of all where it shows the claims of all.
    """
    if any(item.claims for item in chapter.figures.values()):
        return [path for other in chapters() for path in said_by(other)]
    sources: dict[str, set[str]] = {}
    for claim in claims_of(chapters()):
        sources.setdefault(claim.chapter, set()).add(claim.source)
    own = sources.get(chapter.name, set())
    return [path for other in chapters() if other.name == chapter.name or own & sources.get(other.name, set()) for path in said_by(other)]
