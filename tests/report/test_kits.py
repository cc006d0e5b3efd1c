"""The custodian's page keeps hostile text as text, and one look for every protocol."""

from datetime import date
from html.parser import HTMLParser

import pytest

from nof1.report.kits import Kits, render_kits
from nof1.trial.bottles import Bottle
from nof1.trial.protocol import Arm


def kits(label: str = "Chalk", *, units: int | None = 3, take: str | None = "with water") -> Kits:
    """Make the kits of a trial of two bottles."""
    arms = (
        Arm(code="a", label=label, units_per_dose=units, elemental_mg=200, salt="citrate"),
        Arm(code="b", label="Starch"),
    )
    packed = tuple(
        Bottle(
            number=number,
            arm=arm,
            first_night=date(2026, 12, number),
            last_night=date(2026, 12, number + 4),
            nights=5,
            doses=7,
            units=units and 7 * units,
            tells=(3 - number,),
        )
        for number, arm in enumerate(arms, start=1)
    )
    return Kits(
        participant="P01",
        protocol="dusts",
        title=label,
        receipt="ab" * 32,
        units_per_dose=units,
        take=take,
        reserve_nights=2,
        emergency=label,
        stop_if=(label,),
        bottles=packed,
    )


def tags(page: str) -> list[str]:
    """The tags of a page, in order."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            found.append(tag)

    Reader().feed(page)
    return found


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "</style><img src=x onerror=alert(1)>", "\u202eabc"])
def test_hostile_labels_stay_text(hostile: str) -> None:
    """Whatever a protocol calls its arms, the page has the same tags."""
    page = render_kits(kits(hostile))
    assert tags(page) == tags(render_kits(kits()))
    assert "\u202e" not in page


def test_cards_tell_salt_and_elemental_dose_apart() -> None:
    """In an emergency the milligrams of the element count, and of which salt they come."""
    assert "Chalk: 200 mg elemental, as citrate, in each evening's dose" in render_kits(kits()).replace(
        "\u00a0", " "
    ).replace("&#39;", "'")


def test_doses_without_a_count_are_packed_as_doses() -> None:
    """Where the protocol counts no units, list and labels speak of doses."""
    page = render_kits(kits(units=None, take=None))
    assert "7 doses" in page
    assert "Every evening one dose from this bottle." in page
