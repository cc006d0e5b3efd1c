"""The protocol as a document: SPENT 2019 (doi:10.1136/bmj.m122), each item filled from the protocol, or MISSING.

Numbers are those of SPIRIT 2013, which SPENT extends; the wording of the topics is our own. Nothing is guessed: what
the protocol does not say is MISSING, with the key that would say it, and what cannot apply says why.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from nof1.report.plain import plain, sentence
from nof1.report.rounding import fixed
from nof1.report.templating import only_this, stylesheet, templates
from nof1.sleep.measures import MEASURES
from nof1.trial.allocation import count_sequences, smallest_p
from nof1.trial.protocol import Arm, Outcome, Protocol
from nof1.trial.safety import questions_before_start
from nof1.trial.scheme import SCHEMES

Say = Callable[[Protocol], str | None]
"""Fills an item; None: the protocol does not say it."""

DRAWN: Final = {
    "randomised-pairs": "each pair of periods in one order or the other, by a fair coin",
    "alternating": "the same order throughout, which of the orders by chance",
    "counterbalanced": "pairs of blocks there and back, which comes first by chance",
    "permuted-blocks": "every block in any order, all equally likely",
    "unrestricted": "any balanced order, all equally likely",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the document.

    Parameters
    ----------
    text
        What the protocol says of it; None: MISSING.
    key
        Where the protocol would say it in so many words; None: it says so by what it is.
    """

    number: str
    topic: str
    text: str | None
    key: str | None


def items(protocol: Protocol, topics: Collection[str] | None = None) -> tuple[Item, ...]:
    """Fill every item, or those of some topics, in the order of the statement."""
    wanted = [item for item in _ITEMS if topics is None or item[1] in topics]
    return tuple(Item(number, topic, _told(protocol, say, key), key) for number, topic, say, key in wanted)


def render_markdown(protocol: Protocol) -> str:
    """Write the document as Markdown: the same protocol gives the same bytes."""
    lines = [f"# {_escaped(_title(protocol))}", "", f"Protocol `{protocol.id}`, SHA-256 `{protocol.sha256}`.", ""]
    for item in items(protocol):
        lines += [
            f"## {item.number} {item.topic}",
            "",
            _escaped(item.text) if item.text else f"**MISSING** {_where(item)}",
        ]
        lines.append("")
    return "\n".join([*lines, missing_words(protocol), ""])


def render_html(protocol: Protocol) -> str:
    """Write the document as one page that needs no network and no script."""
    style = stylesheet("report.css")
    return (
        templates()
        .get_template("spent.html")
        .render(
            title=_title(protocol),
            protocol=protocol,
            items=items(protocol),
            where=_where,
            missing=missing_words(protocol),
            style=style,
            policy=only_this(style),
        )
    )


def missing_words(protocol: Protocol) -> str:
    """Say how much of the document is there."""
    found = items(protocol)
    missing = [f"{item.topic} ({item.number})" for item in found if item.text is None]
    if not missing:
        return f"All {len(found)} items are filled in."
    return f"{len(found) - len(missing)} of {len(found)} items are filled in; MISSING: {', '.join(missing)}."


def _where(item: Item) -> str:
    return f"Say it in the protocol, under [about]: {item.key} = …"


def _escaped(text: str) -> str:
    """Keep a text of others from acting in Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~!" else c for c in text)


def _told(protocol: Protocol, say: Say | None, key: str | None) -> str | None:
    own = getattr(protocol.about, key) if key else None
    parts = [say(protocol) if say else None, sentence(own) if own else None]
    return plain(" ".join(part for part in parts if part)) or None


def _title(protocol: Protocol) -> str:
    return f"{plain(protocol.title)} (protocol of an N-of-1 trial)"


def _version(protocol: Protocol) -> str:
    return f"{protocol.id}, SHA-256 {protocol.sha256}. nof1 start registers exactly this text."


def _question(protocol: Protocol) -> str | None:
    told = [sentence(text) for text in (protocol.question, protocol.shows) if text.strip()]
    return " ".join(told) or None


def _comparisons(protocol: Protocol) -> str:
    pairs = [f"{_name(protocol.arm(one.arm))} − {_name(protocol.arm(one.reference))}" for one in protocol.contrasts]
    return f"Compared: {'; '.join(pairs)}."


def _name(arm: Arm) -> str:
    return f"{arm.code} ({arm.label})"


def _design(protocol: Protocol) -> str:
    design = protocol.design
    if SCHEMES[design.scheme] is None:
        begin = "The periods and their dates are brought as a file"
        return f"{begin}; the first {design.transition_nights} nights of each are not compared."
    periods = design.blocks * len(protocol.arms)
    nights = design.run_in_nights + periods * (design.period_nights + design.washout_nights)
    return (
        f"{periods} periods of {design.period_nights} nights in {design.blocks} blocks, each holding every arm once; "
        f"{design.run_in_nights} nights of run-in, {design.washout_nights} of washout after each period: "
        f"{nights} nights in all. The first {design.transition_nights} nights of each period are not compared."
    )


def _eligibility(protocol: Protocol) -> str | None:
    asked = "; ".join(questions_before_start(protocol))
    return f"Before the first night is asked, and a yes is put before a clinician: {asked}." if asked else None


def _interventions(protocol: Protocol) -> str:
    return " ".join(sentence(", ".join(_dose(arm))) for arm in protocol.arms)


def _dose(arm: Arm) -> Iterator[str]:
    yield f"{arm.code}: {arm.label}"
    if arm.elemental_mg is not None:
        yield f"{arm.elemental_mg:g} mg of the element" + (f" as {arm.salt}" if arm.salt else "")
    if arm.units_per_dose is not None:
        yield f"{arm.units_per_dose} a dose"
    if arm.take:
        yield arm.take


def _reasons_to_stop(protocol: Protocol) -> str:
    stop = "; ".join(protocol.safety.stop_if) or "no reason is named beforehand"
    anyway = "The person may stop at any time, and says why or not."
    return f"Stop, and ask: {stop}. {sentence(protocol.safety.emergency)} {anyway}"


def _adherence(protocol: Protocol) -> str:
    counted = any(arm.units_per_dose for arm in protocol.arms)
    return "Every evening is logged: dose taken, when, or why not." + (
        " Doses left over are counted." if counted else ""
    )


def _concurrent(protocol: Protocol) -> str | None:
    kept = [f"{one.drug} {one.before_h:g} h before or {one.after_h:g} h after" for one in protocol.safety.separate]
    return f"Kept apart from the dose: {'; '.join(kept)}." if kept else None


def _outcomes(protocol: Protocol) -> str:
    told = " ".join(map(_outcome, protocol.outcomes))
    return (
        f"{told} Nights are measured by the person's own wearable, which estimates stages and is no polysomnography; "
        f"latency_source = {protocol.sleep.latency_source}."
    )


def _outcome(outcome: Outcome) -> str:
    measure = MEASURES[outcome.measure]
    each = [f"{fixed(outcome.worthwhile, 1)} {measure.unit}"] if outcome.worthwhile is not None else []
    each += [f"×{fixed(outcome.worthwhile_ratio, 2)}"] if outcome.worthwhile_ratio is not None else []
    worth = " or ".join(each) or "a change that nobody has named"
    return sentence(
        f"{outcome.role}: {measure.label} ({outcome.measure}), {outcome.better} is better, worthwhile from {worth}"
    )


def _timeline(protocol: Protocol) -> str:
    diary = ", ".join(item.label or item.key for item in protocol.diary)
    asked = f" Asked beside it: {diary}." if diary else ""
    return f"Each evening: the dose, and the diary. Each morning: the wearable's night.{asked}"


def _sequence(protocol: Protocol) -> str:
    scheme = protocol.design.scheme
    if scheme not in DRAWN:
        return "The order is not drawn by nof1: it comes with the schedule."
    orders = count_sequences(protocol.design, protocol.arms)
    least = smallest_p(protocol.design, protocol.arms)
    told = f"Drawn by nof1 start from the machine's random source: {DRAWN[scheme]}. {orders} orders are possible"
    return f"{told}; the smallest p of a randomisation test is {least:.2g}." if least is not None else f"{told}."


def _concealment(protocol: Protocol) -> str:
    if not protocol.conceals:
        return "Not applicable: open label, the order is shown from the start."
    return (
        "The order is encrypted at the start to the custodian's key, and a commitment to it is put on record: it "
        "can be neither read nor changed before it is opened."
    )


def _who_draws(protocol: Protocol) -> str:
    if not protocol.conceals:
        return "nof1 start draws; the person reads the order."
    who = (
        "the custodian, who packs the doses and holds the key,"
        if protocol.blinding.custodian
        else "whoever holds the key"
    )
    return f"nof1 start draws; {who} alone can read the order."


def _blinding(protocol: Protocol) -> str:
    if not protocol.conceals:
        return "Nobody is blinded."
    guess = protocol.blinding.guess
    asked = "Nobody is asked to guess." if guess == "never" else f"The person guesses the arm: {guess}."
    return f"Concealed from: {' and '.join(protocol.blinding.concealed_from)}. {asked}"


def _emergency(protocol: Protocol) -> str:
    if not protocol.conceals:
        return "Not applicable: open label."
    return (
        "nof1 kits prints a card for each period, to be kept sealed, and nof1 unblind opens one period; every opening "
        "is put on record with its reason."
    )


def _looks(protocol: Protocol) -> str:
    return sentence(protocol.analysis.looks or "No comparison of arms is shown before the planned end")


def _analysis(protocol: Protocol) -> str:
    rules = protocol.analysis
    prior = "the model's own" if rules.prior_effect_sd == "default" else f"SD {rules.prior_effect_sd:g}"
    covariates = f" Adjusted for: {', '.join(rules.covariates)}." if rules.covariates else ""
    return (
        "A Bayesian model of all compared nights, in the arm that was assigned: one night resembles the night before "
        "(AR(1) that knows gaps), and periods, weekdays and a trend have effects of their own. "
        f"{round(100 * rules.ci_prob)} % intervals; better from P {rules.benefit:g}, worthwhile from P "
        f"{rules.worthwhile:g}, meaningful from P {rules.meaningful:g}, no worthwhile difference from P "
        f"{rules.no_worthwhile_difference:g}; prior of the effect: {prior}.{covariates} A fit that fails "
        "its checks gives no claim."
    )


def _other_analyses(_: Protocol) -> str:
    return (
        "Carryover by a wash-in model of all nights; period effects, correlation and other priors in the sensitivity "
        "table; missing nights by arm, with the point from which they would turn the verdict; a randomisation test "
        "where the order was drawn."
    )


def _harms(protocol: Protocol) -> str:
    logged = ", ".join(protocol.safety.log)
    return (
        f"Asked for every evening, in the same words: {logged}."
        if logged
        else "Whatever is felt is logged; nothing is asked for by name."
    )


def _audit(_: Protocol) -> str:
    return "Every event is in one hash-chained record, which nof1 verify checks."


def _amendments(_: Protocol) -> str:
    return "nof1 amend puts each on record, dated; the report lists them as deviations."


def _one_person(_: Protocol) -> str:
    return "Not applicable: one person, who is known."


def _no_specimens(_: Protocol) -> str:
    return "Not applicable: none are taken."


_ITEMS: Final[tuple[tuple[str, str, Say | None, str | None], ...]] = (
    ("1", "Title", _title, None),
    ("2", "Registration", None, "registration"),
    ("3", "Version", _version, None),
    ("4", "Funding", None, "funding"),
    ("5", "Who is responsible", None, "roles"),
    ("6a", "Background", None, "background"),
    ("6b", "What is compared", _comparisons, None),
    ("7", "Question", _question, None),
    ("8", "Periods, run-in and washout", _design, None),
    ("8", "Why transition and washout are so long", None, "washout_reason"),
    ("9", "Setting", None, "setting"),
    ("10", "Who may take part", _eligibility, "eligibility"),
    ("11a", "Treatments", _interventions, None),
    ("11b", "Reasons to stop", _reasons_to_stop, None),
    ("11c", "Adherence", _adherence, None),
    ("11d", "What else is taken", _concurrent, "concurrent_therapy"),
    ("12", "Outcomes", _outcomes, None),
    ("13", "Day by day", _timeline, None),
    ("14", "Why so many periods", None, "justification"),
    ("15", "Recruitment", _one_person, None),
    ("16a", "How the order is drawn", _sequence, None),
    ("16b", "Concealment", _concealment, None),
    ("16c", "Who draws and who packs", _who_draws, None),
    ("17a", "Blinding", _blinding, None),
    ("17b", "Emergency unblinding", _emergency, None),
    ("19", "Data", None, "data_handling"),
    ("20a", "Analysis", _analysis, None),
    ("20b", "Carryover, periods, correlation, missing nights", _other_analyses, None),
    ("21", "Looks before the end", _looks, None),
    ("22", "Harms", _harms, None),
    ("23", "Audit", _audit, None),
    ("24", "Ethics", None, "ethics"),
    ("25", "Amendments", _amendments, None),
    ("26", "Consent", None, "consent"),
    ("28", "Interests", None, "interests"),
    ("30", "After the trial", None, "aftercare"),
    ("31", "Telling the result", None, "results"),
    ("33", "Specimens", _no_specimens, None),
)
