"""What nof1 can import: the installed connectors, in words."""

from dataclasses import dataclass
from typing import Final

from nof1.connect.connector import About, Connector, Form
from nof1.connect.registry import find_connector, find_connectors, how_to_get_the_export

COLUMNS: Final = ("name", "source", "sleep as", "time to fall asleep", "zone", "naps", "seen")
"""The headings of `matrix`."""

_STAGING: Final = {"stages": "stages", "sleep_wake": "sleep/wake", "totals": "totals"}
_LATENCY: Final = {"in_bed": "bed mark", "vendor": "own figure", "stages": "a guess"}
_ZONE: Final = {"record": "yes", "some": "partly", "none": "no"}


@dataclass(frozen=True, slots=True)
class FormRead:
    """One form of file that a source's reader knows; `latency` is what this form offers of the source's.

    `alone` says whether such a file is taken for sleep by itself, whatever lies beside it.
    """

    name: str
    evidence: str
    seen: bool
    alone: bool
    latency: list[str]


@dataclass(frozen=True, slots=True)
class Source:
    """One source that nof1 can import; `staging`, `latency`, `latency_note`, `zone`, `naps` as in `About`.

    Parameters
    ----------
    seen
        Whether its reader has met real exports: `yes`, `partly` (some forms), `no`.
    how_to_get
        How a person gets the export, in Markdown; None where the connector does not tell.
    """

    name: str
    title: str
    staging: list[str]
    latency: list[str]
    latency_note: str
    zone: str
    naps: bool
    seen: str
    forms: list[FormRead]
    how_to_get: str | None


def list_sources() -> list[Source]:
    """Every source, by name."""
    return [_source(connector) for connector in find_connectors().values()]


def describe_source(name: str) -> Source:
    """One source.

    Raises
    ------
    UsageError
        No connector of that name is installed.
    """
    return _source(find_connector(name))


def matrix(sources: list[Source]) -> list[tuple[str, ...]]:
    """What each source can tell, one row each, under `COLUMNS`.

    Its sleep in the finest form that it offers; its latency as the forms offer it whose real exports were met, or all
    its forms where none was: what only a rarity tells must not look like what everybody gets.
    """
    return [
        (
            source.name,
            source.title,
            _STAGING.get(source.staging[0], source.staging[0]) if source.staging else "",
            ", ".join(_LATENCY.get(one, one) for one in _usual_latency(source)) or "cannot tell",
            _ZONE.get(source.zone, source.zone),
            "yes" if source.naps else "no",
            source.seen,
        )
        for source in sources
    ]


def _usual_latency(source: Source) -> list[str]:
    alone = [form for form in source.forms if form.alone]
    usual = [form for form in alone if form.seen] or alone
    return [one for one in source.latency if any(one in form.latency for form in usual)]


def _source(connector: Connector) -> Source:
    about = connector.about
    seen = {form.seen for form in connector.forms if form.alone}
    return Source(
        name=connector.name,
        title=about.title,
        staging=list(about.staging),
        latency=list(about.latency),
        latency_note=about.latency_note,
        zone=about.zone,
        naps=about.naps,
        seen="yes" if seen == {True} else "partly" if True in seen else "no",
        forms=[_form(form, about) for form in connector.forms],
        how_to_get=how_to_get_the_export(connector),
    )


def _form(form: Form, about: About) -> FormRead:
    latency = about.latency if form.latency is None else form.latency
    return FormRead(form.name, form.evidence, form.seen, form.alone and not form.weak, list(latency))
