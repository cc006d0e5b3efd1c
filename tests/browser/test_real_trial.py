"""A trial over a real person's nights, from the first command to the page."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv

pytestmark = pytest.mark.browser

FIRST, NIGHTS = date(2019, 11, 3), 64


def test_a_fixed_trial_over_real_nights_ends_with_a_silent_page(
    typist: Typist, shared_samples: Path, page: Any
) -> None:
    """init, start, import, status, analyse and report run over a real Fitbit export, and the page opens in silence."""
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    (typist.home / "t.csv").write_text(schedule_csv(alternating(8), NIGHTS, FIRST))
    export = shared_samples / "fitbit" / "fitbit_webapi_v1.2_sleep_by_date_list.json"
    typist.does("init", "s", "--zone", ZONE)
    typist.does("start", "t.toml", "--schedule", "t.csv", "--study", "s")
    imported = json.loads(typist.does("import", export, "--study", "s", "--json"))
    assert (imported["read"], imported["accepted"], imported["rejected"]) == (59, 59, 0)
    status = json.loads(typist.does("status", "--study", "s", "--json"))
    assert sum(period["recorded"] + period["missing"] for period in status["periods"]) == NIGHTS
    result = json.loads(typist.does("analyse", "--study", "s", "--json"))
    assert [outcome["verdict"] for outcome in result["outcomes"]][1] in {"descriptive_only", "not_usable"}
    path = Path(json.loads(typist.does("report", "--study", "s", "--json"))["report"])
    page.open(path, width=1280)
    assert page.requests == [path.as_uri()]
    assert page.complaints == []
    assert page.evaluate("document.querySelectorAll('img').length") > 0
