"""What `lightweights verify` finds."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """What was checked (counts), what is wrong, what is not here, what lies in a recorded folder without being recorded, the experiments of
    runs that were landed without a model, and what has no digest to be held against.
    """

    checked: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    without_model: list[str] = field(default_factory=list)
    without_digest: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, number: int = 1) -> None:
        """Note that so many more have been checked."""
        self.checked[what] = self.checked.get(what, 0) + number

    def undigested(self, what: str) -> None:
        """Note one more that has no digest."""
        self.without_digest[what] = self.without_digest.get(what, 0) + 1
