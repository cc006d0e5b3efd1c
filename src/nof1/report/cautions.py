"""What the reader must know before believing any number, and what is known of the doses."""

from typing import Final

from nof1.report.concealment import seen_through, who_knew
from nof1.report.plain import plain
from nof1.report.sentences import Json

LAST: Final = ("“", "Paused from ", "Resumed on ")
"""How deviations begin that stand last, covariates and pauses: a sheet with no room for all must not tell these and
hide a changed diary."""
ENOUGH_TAKEN: Final = 0.8
"""Where fewer of the doses due are known to have been taken, the page says so beside the verdict."""

CHANGED: Final = "The record has changed since this analysis"
"""How the deviation begins that tells a page of an older record."""


def cautions(result: Json) -> list[str]:
    """Say what the reader must know before believing any number."""
    said = []
    said += [caution for caution in (_hardly_taken(result), who_knew(result), seen_through(result)) if caution]
    if not result["protocol"]["drawn_by_nof1"]:
        said.append(
            "nof1 did not draw this schedule: whatever else changed with the treatments may have caused a difference."
        )
    if not result["trial"]["registered_before_first_night"]:
        said.append(
            f"The protocol was registered on {result['trial']['registered']}, after the first night: nobody can know "
            "whether what counts as worthwhile was chosen with the nights in view."
        )
    deviations = map(plain, result["trial"]["deviations"])
    return [*said, *sorted(deviations, key=lambda told: told.startswith(LAST))]


def _hardly_taken(result: Json) -> str | None:
    """Warn where too few of the doses are known to have been taken for any verdict to be about the treatment."""
    total = _dose_counts(result)
    if total["taken"] >= ENOUGH_TAKEN * total["due"]:
        return None
    return (
        f"Only {total['taken']} of {total['due']} doses are known to have been taken ({total['not_taken']} were not, "
        f"{total['unknown']} are unknown): what was not taken can make no difference, and the result cannot tell that "
        "from a treatment that makes none."
    )


def doses(result: Json) -> str | None:
    """Say what is known of the doses; None where none was due."""
    total = _dose_counts(result)
    if not total["due"]:
        return None
    text = (
        f"Doses: {total['due']} were due; {total['taken']} are logged as taken, {total['not_taken']} as not taken, "
        f"{total['unknown']} are unknown"
    )
    text += f"; {total['taken_not_due']} were taken though none was due. " if total["taken_not_due"] else ". "
    return text + "Nights are compared as assigned, whatever was taken."


def _dose_counts(result: Json) -> dict[str, int]:
    arms = result["trial"]["doses"].values()
    return {
        key: sum(counts[key] for counts in arms) for key in ("due", "taken", "not_taken", "unknown", "taken_not_due")
    }
