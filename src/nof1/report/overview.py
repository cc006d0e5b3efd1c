"""Many patients at a glance: how far each is, what was found, and what to look at, linked to their page."""

from dataclasses import dataclass

from nof1.report import sentences
from nof1.report.cautions import CHANGED, cautions
from nof1.report.plain import plain
from nof1.report.progress import Progress
from nof1.report.sentences import Json
from nof1.report.templating import only_this, stylesheet, templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One participant.

    Parameters
    ----------
    title
        Of the trial; None where none has begun, or nothing can be read of it.
    found
        The headline of every contrast, or how far the trial is and what comes next; never an effect of one that is
        sealed.
    flags
        What to look at before the verdict is believed: the gravest of the page's cautions, and how many there are more.
    link
        The page, from the index; None where there is none.
    """

    participant: str
    title: str | None
    found: tuple[str, ...]
    flags: tuple[str, ...]
    link: str | None


def analysed_row(result: Json, link: str) -> Row:
    """Tell what was found."""
    outcomes, arms, trial = result["outcomes"], result["arms"], result["trial"]
    unusable = [one for one in outcomes if one["verdict"] == "not_usable"]
    stale = [told for told in cautions(result) if told.startswith(CHANGED)]
    others = [told for told in cautions(result) if told not in stale]
    first, more = others[:1], len(others) - 1
    flags = [
        *stale,
        *(f"{sentences.title(one, arms)}: {plain(one['why_not_usable'] or 'no check was passed')}" for one in unusable),
        *first,
        *([f"{more} more such point{'s' if more > 1 else ''} on the page"] if more > 0 else []),
    ]
    return Row(
        participant=result["participant"],
        title=f"{plain(result['protocol']['title'])} ({trial['first_night']} to {trial['last_night']})",
        found=tuple(sentences.headline(one, arms, blinding=result["blinding"]) for one in outcomes),
        flags=tuple(flags),
        link=link,
    )


def running_row(progress: Progress, link: str) -> Row:
    """Tell how far a trial is that has no result."""
    missing = progress.evenings["state"].to_list().count("missing")
    return Row(
        participant=progress.participant,
        title=plain(progress.title),
        found=progress.standing,
        flags=(
            *([f"{_nights(missing)} not recorded"] if missing else []),
            *(f"{plain(why)}: {_nights(count)}" for why, count in progress.kept_out.items()),
            *map(plain, progress.said),
        ),
        link=link,
    )


def _nights(count: int) -> str:
    return f"{count} night{'s' if count > 1 else ''}"


def render_overview(rows: list[Row]) -> str:
    """Render the index: HTML that needs no network and no script."""
    style = stylesheet("report.css")
    page = templates().get_template("overview.html")
    return page.render(rows=rows, style=style, policy=only_this(style), disclaimer=sentences.DISCLAIMER)
