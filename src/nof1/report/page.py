"""The report page: one HTML text that needs no network, no script and no other file."""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from nof1.report import figures, sentences
from nof1.report.canvas import Figure
from nof1.report.rounding import ROUNDING, fixed, percent
from nof1.report.sentences import Json

if TYPE_CHECKING:
    import jinja2
    import xarray as xr

LATENCY_SOURCE: Final = {
    "diary": "from lights-out as written in the diary",
    "in_bed": "from the mark or tap of going to bed, as exported by the device",
    "vendor": "the device maker's own figure",
    "stages": "from the first minute of the recording: the device guessed when bed began, which is biased and may be "
    "moved by the treatment itself; no verdict is given on it",
}
SCHEME: Final = {
    "randomised-pairs": "each pair of periods in an order drawn by a fair coin",
    "alternating": "strictly alternating periods; only the first was drawn",
    "fixed": "a schedule made elsewhere",
}
CHECKS: Final = {
    "rhat_max": ("Largest R-hat (1.00 = the chains agree)", 3),
    "ess_bulk_min": ("Smallest effective number of draws, centre", 0),
    "ess_tail_min": ("Smallest effective number of draws, tails", 0),
    "divergences": ("Divergent transitions (0 = none)", 0),
    "bfmi_min": ("Smallest energy fraction, BFMI", 2),
    "chains": ("Chains", 0),
    "draws": ("Draws of each chain", 0),
}
"""Keys of ``diagnostics``, what they are called, and their decimal places."""


def render_report(result: Json, posterior: "xr.DataTree") -> str:
    """Render the whole page.

    Parameters
    ----------
    result
        The content of ``result.json``.
    posterior
        One child an outcome, named by its measure; below it ArviZ's groups. Only ``posterior``, ``prior`` and
        ``constant_data`` are read.

    Returns
    -------
    str
        HTML. The same result and posterior give the same bytes.

    Raises
    ------
    DataError
        A verdict contradicts its probabilities.
    """
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _templates()
        .get_template("page.html")
        .render(
            result=result,
            style=style,
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:",
            outcomes=[_outcome(outcome, result, posterior) for outcome in result["outcomes"]],
            cautions=sentences.cautions(result),
            doses=sentences.doses(result),
            key=sentences.key(result["arms"]),
            disclaimer=sentences.DISCLAIMER,
            latency_source=LATENCY_SOURCE.get(result["trial"]["latency_source"], result["trial"]["latency_source"]),
            scheme=SCHEME.get(result["protocol"]["scheme"], result["protocol"]["scheme"]),
            rounding=ROUNDING,
            scale=_scale(),
        )
    )


def _style() -> str:
    return (files("nof1.report") / "templates" / "report.css").read_text(encoding="utf-8")


@cache
def _templates() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nof1.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    environment.filters |= {
        "fixed": fixed,
        "percent": percent,
        "words": sentences.probability_words,
        "data_uri": _data_uri,
    }
    return environment


def _plain(value: object) -> object:
    """Clean every text that enters the page and keep numbers with their units; markup of our own passes."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return re.sub(r"(?<=\d) (?=%|min\b)", "\u00a0", sentences.plain(value))


def _data_uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _scale() -> list[tuple[str, str]]:
    """Lay out the table of words for probabilities, from the most to the least likely."""
    least = [least for least, _, _ in sentences.PROBABILITY_WORDS]
    up = [
        (high, f"{bound} to {above} %")
        for (bound, high, _), above in zip(sentences.PROBABILITY_WORDS, [100, *least], strict=False)
    ]
    down = [
        (low, f"{100 - above} to {100 - bound} %")
        for (bound, _, low), above in zip(sentences.PROBABILITY_WORDS, [100, *least], strict=False)
    ]
    return [*up, (sentences.AS_LIKELY_AS_NOT, f"{100 - least[-1]} to {least[-1]} %"), *reversed(down)]


def _outcome(outcome: Json, result: Json, posterior: "xr.DataTree") -> dict[str, Any]:
    """Gather what one outcome shows: sentences, figures, tables."""
    arms, blinding = result["arms"], result["blinding"]
    told = outcome["verdict"] != "not_usable"
    first, *rest = sentences.finding(outcome, arms, blinding=blinding)
    return {
        "is": outcome,
        "name": sentences.capitalised(sentences.plain(outcome["label"])),
        "headline": first,
        "sentences": rest,
        "figures": _figures(outcome, result, posterior),
        "numbers": _numbers(outcome) if told else [],
        "probabilities": _probabilities(outcome, result) if told else [],
        "in_words": outcome["verdict"] != "descriptive_only",
        "excluded": {sentences.why_excluded(why): n for why, n in outcome["nights"]["excluded"].items()},
        "used_by_arm": {sentences.arm_name(code): n for code, n in outcome["nights"]["used_by_arm"].items()},
        "typical": figures.typical(outcome),
        "change": sentences.worthwhile_words(outcome),
        "worthwhile_why": sentences.sentence(outcome["worthwhile_why"]) if outcome["worthwhile_why"] else "",
        "checks": _checks(outcome["diagnostics"]),
    }


def _figures(outcome: Json, result: Json, posterior: "xr.DataTree") -> dict[str, Figure]:
    """Draw what there is to draw: nights always, estimates only of a fit that may be used."""
    arms = result["arms"]
    groups = posterior.children.get(outcome["measure"])
    drawn = {}
    if groups is not None and "constant_data" in groups.children:
        drawn["nights"] = figures.nights_figure(
            outcome, arms, figures.planned_nights(groups["constant_data"].to_dataset())
        )
    if outcome["verdict"] != "not_usable":
        drawn["levels"] = figures.levels_figure(outcome, arms)
        if groups is not None:
            drawn["posterior"] = figures.posterior_figure(outcome, arms, groups)
    return drawn


def _checks(diagnostics: Json | None) -> list[tuple[str, str]]:
    """Lay out the checks of a fit; none where nothing was fitted."""
    return [
        (words, fixed(diagnostics[key], decimals))
        for key, (words, decimals) in CHECKS.items()
        if diagnostics and diagnostics.get(key) is not None
    ]


def _numbers(outcome: Json) -> list[tuple[str, str, str, str, str]]:
    """Lay out rows of name, unit, median, 50 % and 95 % interval."""
    arm, reference = sentences.arm_name(outcome["arm"]), sentences.arm_name(outcome["reference"])
    unit = outcome["unit"]
    rows = [_row(f"{arm} − {reference}", unit, outcome["effect"], 1)]
    if outcome["ratio"]:
        rows.append(_row(f"{arm} / {reference}", "ratio", outcome["ratio"], 2))
    return [
        *rows,
        *(_row(f"on {sentences.arm_name(code)}", unit, level, 1) for code, level in outcome["levels"].items()),
    ]


def _row(name: str, unit: str, summary: Json, decimals: int) -> tuple[str, str, str, str, str]:
    def interval(key: str) -> str:
        return " to ".join(fixed(end, decimals) for end in summary[key]) if key in summary else "–"

    return name, unit, fixed(summary["median"], decimals), interval("ci50"), interval("ci95")


def _probabilities(outcome: Json, result: Json) -> list[tuple[str, float]]:
    """Name the five probabilities; those that ask for a worthwhile change are left out where none was fixed."""
    words = sentences.contrast(outcome, result["arms"])
    change, change_worse = sentences.worthwhile_words(outcome), sentences.worthwhile_words(outcome, worse=True)
    named: Mapping[str, str] = {
        "p_better": f"{words.better} on {words.arm} (better)",
        "p_better_worthwhile": f"{words.better} by at least {change}",
        "p_worse": f"{words.worse} on {words.arm} (worse)",
        "p_worse_worthwhile": f"{words.worse} by at least {change_worse}",
        "p_no_worthwhile_difference": "a difference smaller than worth having",
    }
    known = outcome["probability"]
    return [(name, known[key]) for key, name in named.items() if known[key] is not None]
