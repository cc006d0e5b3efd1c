"""What every page shares: templates that keep text text, its style, and the policy that lets nothing else in."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from nof1.report import sentences
from nof1.report.plain import plain
from nof1.report.rounding import fixed, percent

if TYPE_CHECKING:
    import jinja2
    import markupsafe


@cache
def templates() -> "jinja2.Environment":
    """Load the templates; what they are given is escaped and cleaned, and a name that is missing is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nof1.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finished,
    )
    environment.filters |= {
        "fixed": fixed,
        "percent": percent,
        "words": sentences.probability_words,
        "data_uri": _data_uri,
    }
    return environment


def stylesheet(name: str) -> str:
    """Return the text of a style sheet beside the templates."""
    return (files("nof1.report") / "templates" / name).read_text(encoding="utf-8")


def only_this(style: str) -> str:
    """Return the content security policy of a page that holds this one style and loads nothing."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'"


def _finished(value: object) -> object:
    """Clean every text that enters the page and keep numbers with their units; markup of our own passes."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return re.sub(r"(?<=\d) (?=%|min\b)", "\u00a0", plain(value))


def _data_uri(svg: str) -> "markupsafe.Markup":
    """Make an address of a figure; letters and digits of our own making, which need no cleaning."""
    import markupsafe

    return markupsafe.Markup(f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}")  # noqa: S704
