"""Two participants, from the first command to the last check, as they are typed."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.cases import FIRST, FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export

SECOND = FIRST + timedelta(days=10)
ABOUT_ONE = (
    "import",
    "start",
    "log",
    "today",
    "status",
    "nights",
    "schedule",
    "diary",
    "calendar",
    "analyse",
    "report",
)


def test_two_people_share_a_protocol_and_nothing_else(typist: Typist) -> None:
    """Each is started, imported and logged under their own code; the study verifies as a whole."""
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    typist.does("init", "s", "--zone", ZONE)
    added = json.loads(typist.does("participant", "add", "P02", "--zone", "Asia/Tokyo", "--json", "--study", "s"))
    assert added == {"code": "P02", "zone": "Asia/Tokyo"}
    for code, first in (("P01", FIRST), ("P02", SECOND)):
        (typist.home / f"{code}.csv").write_text(schedule_csv(alternating(5), 20, first))
        write_export(typist.home / f"{code}.zip", 20, first=first, seed=int(code[1:]))
        typist.does("start", "t.toml", "--schedule", f"{code}.csv", "--participant", code, "--study", "s")
        typist.does("import", f"{code}.zip", "--participant", code, "--study", "s")
        typist.does("log", "--date", first, "--taken", "--participant", code, "--study", "s")
    for code, first in (("P01", FIRST), ("P02", SECOND)):
        status = json.loads(typist.does("status", "--json", "--participant", code, "--study", "s"))
        assert status["first_night"] == str(first)
        assert (status["periods"][0]["taken"], status["periods"][0]["recorded"]) == (1, 5)
    listed = json.loads(typist.does("participant", "list", "--json", "--study", "s"))
    assert [(one["code"], one["first_night"]) for one in listed] == [("P01", str(FIRST)), ("P02", str(SECOND))]
    assert "Asia/Tokyo" in typist.does("participant", "list", "--study", "s")
    assert json.loads(typist.does("verify", "--json", "--study", "s"))["sleep_files"] == 2


@pytest.mark.parametrize("name", ABOUT_ONE)
def test_commands_ask_whose(typist: Typist, name: str) -> None:
    """Where there are two, a command that is about one ends with exit 2 and names both."""
    typist.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    (typist.home / "t.csv").write_text(schedule_csv(alternating(5), 20))
    typist.does("init", "s", "--zone", ZONE)
    typist.does("participant", "add", "P02", "--zone", ZONE, "--study", "s")
    words = {"import": ("t.toml",), "start": ("t.toml", "--schedule", "t.csv"), "log": ("--taken",)}.get(name, ())
    result = typist(name, *words, "--study", "s")
    assert result.exit_code == 2, result.output
    assert "--participant (P01, P02)" in result.stderr
