"""Judge of the published scores of devices, which nobody can measure again."""

from lightweights.report.claims import Claim
from lightweights.report.results import Results
from lightweights.report.verdicts import NOT_COMPARABLE, Evidence, Judgement


def device_score(claim: Claim, results: Results) -> Evidence:
    """The devices are retired, and what they were like on the day of the measurement is not public."""
    return Evidence(
        Judgement(NOT_COMPARABLE, "the device is retired and its noise of that day is not public; noise of stated size stands beside")
    )
