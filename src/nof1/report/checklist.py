"""What a report of a trial in one person must say: CENT 2015 (doi:10.1136/bmj.h1738), filled from the record.

The wording of the topics is our own. Nothing is guessed: what neither the result, nor the registered protocol, nor the
record says is MISSING, with where it would be said; what cannot apply says why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from nof1.report import contrasts, side_effects
from nof1.report.plain import capitalised, plain, sentence
from nof1.report.plan import KeptPlan, kept_words
from nof1.report.sentences import Json, arm_name, contrast, headline
from nof1.report.spent import items as protocol_items
from nof1.trial.protocol import Protocol

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Behind:
    """What the record knows beside the result.

    Parameters
    ----------
    protocol
        As it was registered.
    periods
        Arm code and nights of each period, in the order lived.
    conduct
        Pauses, early end and amendments, in sentences.
    ended_early
        The last evening, where it came before the planned one.
    baseline
        What was recorded of the person beforehand, in words; empty: nothing.
    plan
        What the design was expected to tell, as it was kept before the draw; None: nothing was kept.
    doses
        ``night`` and ``status`` of every night (`nof1.trial.adherence`); None where the diary was changed since.
    hypnograms
        Each night as `nof1.sleep.hypnogram.draw` draws it; empty where the sleep was changed since.
    """

    protocol: Protocol
    periods: tuple[tuple[str, int], ...]
    conduct: tuple[str, ...]
    ended_early: str | None
    baseline: tuple[str, ...]
    plan: KeptPlan | None = None
    doses: "pl.DataFrame | None" = None
    hypnograms: Mapping[date, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """One item; ``text`` None: MISSING, and ``where`` says where it would be said."""

    number: str
    topic: str
    text: str | None
    where: str = ""


type Say = Callable[[Json, Behind], str | None]


def checklist(result: Json, behind: Behind | None) -> list[Item]:
    """Fill every item, in the order of the statement; none where the record is not at hand."""
    if behind is None:
        return []
    told = [(number, topic, say(result, behind), where) for number, topic, say, where in _ITEMS]
    return [Item(number, topic, plain(text) if text else None, where) for number, topic, text, where in told]


def missing_words(items: list[Item]) -> str:
    """Say how much of the checklist is filled in."""
    missing = [item.number for item in items if item.text is None]
    if not missing:
        return f"All {len(items)} items are filled in."
    return f"{len(items) - len(missing)} of {len(items)} items are filled in; MISSING: {', '.join(missing)}."


def _registered(*topics: str) -> Say:
    """Take what the document of the protocol says under these topics."""

    def say(_: Json, behind: Behind) -> str | None:
        told = {item.topic: item.text for item in protocol_items(behind.protocol, topics)}
        return " ".join(text for topic in topics if (text := told[topic])) or None

    return say


def _fixed(text: str) -> Say:
    return lambda _result, _behind: text


def _title(result: Json, _: Behind) -> str | None:
    title = plain(result["protocol"]["title"])
    said = ("one person", "single person", "n-of-1", "n of 1", "single patient")
    return sentence(title) if any(words in title.lower() for words in said) else None


def _summary(result: Json, _: Behind) -> str:
    outcomes = result["outcomes"]
    return " ".join(headline(outcome, result["arms"], blinding=result["blinding"]) for outcome in outcomes)


def _conduct(result: Json, behind: Behind) -> str:
    said = [sentence(text) for text in (*behind.conduct, *result["trial"]["deviations"])]
    return " ".join(dict.fromkeys(said)) or "None is on record."


def _outcome_changes(result: Json, _: Behind) -> str:
    hashed = result["provenance"]["protocol_sha256"][:12]
    return f"None can be: thresholds and outcomes are read from the registered text (SHA-256 {hashed}…) alone."


def _sequence(_: Json, behind: Behind) -> str:
    order = ", ".join(arm_name(code) for code, _nights in behind.periods)
    return f"In the order lived: {order}."


def _lived(result: Json, behind: Behind) -> str:
    nights = sorted({nights for _, nights in behind.periods})
    length = f"{nights[0]}" if len(nights) == 1 else f"{nights[0]} to {nights[-1]}"
    return (
        f"{len(behind.periods)} periods of {length} nights, {result['trial']['planned_nights']} nights in all, in the "
        "order of 8c."
    )


def _losses(result: Json, _: Behind) -> str:
    alike = contrasts.grouped(result["outcomes"])[0]
    by_arm = list(contrasts.nights_by_arm(alike, result["arms"]).values()) or [alike[0]["nights"]]
    planned, recorded = (sum(arm[key] for arm in by_arm) for key in ("planned", "recorded"))
    return f"{planned - recorded} of {planned} nights on an arm were not recorded."


def _dates(result: Json, _: Behind) -> str:
    trial = result["trial"]
    return f"Registered {trial['registered']}; nights of {trial['first_night']} to {trial['last_night']}."


def _early_stop(_: Json, behind: Behind) -> str:
    return f"Ended early, with the night of {behind.ended_early}." if behind.ended_early else "Not ended early."


def _person(_: Json, behind: Behind) -> str | None:
    """Take only what was said of the person: what is asked of everybody is no diagnosis."""
    about = behind.protocol.about
    said = [sentence(text) for text in (about.eligibility, about.concurrent_therapy) if text]
    return " ".join(said) or None


def _length(result: Json, behind: Behind) -> str | None:
    registered = _registered("Why so many periods")(result, behind)
    reckoned = kept_words(behind.plan, behind.protocol) if behind.plan else None
    return " ".join(said for said in (registered, reckoned) if said) or None


def _baseline(_: Json, behind: Behind) -> str | None:
    return f"{'; '.join(behind.baseline)}." if behind.baseline else None


def _analysed(result: Json, _: Behind) -> str:
    return " ".join(_counted(alike, result["arms"]) for alike in contrasts.grouped(result["outcomes"]))


def _counted(alike: Sequence[Json], arms: Sequence[Json]) -> str:
    """Count the nights of every arm that any contrast of an outcome compares."""
    found = {code: n for one in alike for code, n in one["nights"]["used_by_arm"].items()}
    used = {arm["code"]: found[arm["code"]] for arm in arms if arm["code"] in found}
    by_arm = ", ".join(f"{n} on {arm_name(code)}" for code, n in used.items())
    return f"{capitalised(plain(alike[0]['label']))}: {sum(used.values())} nights ({by_arm})."


def _effects(result: Json, _: Behind) -> str | None:
    fitted = [outcome for outcome in result["outcomes"] if outcome["effect"]]
    if not fitted:
        return "Not applicable: no fit may be used; the page says why."
    return (
        f"Figures of every night and period, and the tables of estimates: {len(fitted)} of {len(result['outcomes'])}."
    )


def _relative(result: Json, _: Behind) -> str:
    relative = [outcome for outcome in result["outcomes"] if outcome["ratio"]]
    if not relative:
        return "Not applicable: no outcome is compared as a ratio; differences are in its own unit."
    names = dict.fromkeys(contrast(one, result["arms"]).name for one in relative)
    return f"Difference and ratio: {'; '.join(names)}."


def _others(result: Json, _: Behind) -> str | None:
    rows = [row for outcome in result["outcomes"] for row in outcome["sensitivity"] if row["effect"]]
    return f"{len(rows)} alternative analyses, in the tables of alternatives." if rows else None


def _harms(result: Json, _: Behind) -> str | None:
    told = side_effects.lines(result)
    return " ".join(told) or None


IN_PROTOCOL: Final = "in the protocol, under [about]: {} = …"
_ITEMS: Final[tuple[tuple[str, str, Say, str], ...]] = (
    ("1a", "Title says it is a trial in one person", _title, "in the protocol: title = …"),
    ("1b", "Summary", _summary, ""),
    ("2a", "Background, and why one person", _registered("Background"), IN_PROTOCOL.format("background")),
    ("2b", "Objectives", _registered("Question"), "in the protocol: question = …"),
    ("3a", "Design: periods, run-in, washout", _registered("Periods, run-in and washout"), ""),
    ("3b", "Changes after the start, with reasons", _conduct, ""),
    ("4a", "The person: diagnosis, other therapy", _person,
     IN_PROTOCOL.format("eligibility")),
    ("4b", "Setting", _registered("Setting"), IN_PROTOCOL.format("setting")),
    ("4c", "Research or care; ethics", _registered("Ethics"), IN_PROTOCOL.format("ethics")),
    ("5", "What was given in each period", _registered("Treatments"), ""),
    ("6a", "Outcomes, and how they are measured", _registered("Outcomes"), ""),
    ("6b", "Changes to outcomes", _outcome_changes, ""),
    ("7a", "How the length was chosen", _length, "with nof1 plan --keep, before the start"),
    ("7b", "Looks, and rules to stop", _registered("Looks before the end", "Reasons to stop"), ""),
    ("8a", "How the order was made", _registered("How the order is drawn"), ""),
    ("8b", "Restriction of the draw", _fixed("By the design of 3a, in the way of 8a."), ""),
    ("8c", "The whole sequence", _sequence, ""),
    ("9", "Concealment of the order", _registered("Concealment"), ""),
    ("10", "Who drew, who packed", _registered("Who draws and who packs"), ""),
    ("11a", "Who was blinded", _registered("Blinding"), ""),
    ("11b", "Likeness of the treatments", lambda _r, b: None if b.protocol.conceals else
     "Not applicable: nobody is blinded.", "on the custodian's page"),
    ("12a", "Methods of analysis", _registered("Analysis"), ""),
    ("12b", "Other analyses", _fixed("The alternatives, in the tables under each outcome."), ""),
    ("12c", "Carryover, period effects, correlation", _registered("Carryover, periods, correlation, missing nights"),
     ""),
    ("13a", "Periods lived, and their order", _lived, ""),
    ("13b", "Losses", _losses, ""),
    ("14a", "Dates", _dates, ""),
    ("14b", "Whether it was ended early", _early_stop, ""),
    ("15", "The person beforehand", _baseline, "with nof1 baseline"),
    ("16", "Nights analysed, by arm", _analysed, ""),
    ("17a", "Data of every period; effect and precision", _effects, ""),
    ("17b", "Absolute and relative effects", _relative, ""),
    ("18", "Results of other analyses", _others, "with nof1 analyse"),
    ("19", "Harms on each treatment", _harms, "in the diary, each evening"),
    ("20", "Limits", _fixed("Under “What could have fooled us”."), ""),
    ("21", "For whom it holds", _fixed("For this person, this device and this schedule, and for nobody else."), ""),
    ("22", "Interpretation", _fixed("The verdicts, by rules that were registered."), ""),
    ("23", "Registration", _registered("Registration"), IN_PROTOCOL.format("registration")),
    ("24", "Protocol", _registered("Version"), ""),
    ("25", "Funding", _registered("Funding"), IN_PROTOCOL.format("funding")),
)  # fmt: skip
