"""What tests of several rooms share: a person who types commands, and exports and schedules made for them."""

import base64
import json
import os
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from nof1.study.demo import InventedPerson, write_demo_export

ZONE = "Europe/Berlin"
FIRST = date(2026, 1, 5)

FIXED_PROTOCOL = """
id = "test"
title = "A trial for the tests"

[[arm]]
code = "magnesium"
label = "Magnesium"
units_per_dose = 1

[[arm]]
code = "placebo"
label = "Placebo"
units_per_dose = 1
reference = true

[design]
scheme = "fixed"
transition_nights = {transition}

[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
worthwhile = 10

[[outcome]]
measure = "sol_min"

[analysis]
prior_effect_sd = {prior_sd}
prior_effect_reason = "the tests plant effects larger than any treatment has"
"""


def picture_widths(page: str) -> list[float]:
    """How wide each picture of a page is, in CSS pixels."""
    pictures = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page)
    return [float(ET.fromstring(base64.b64decode(one)).get("width", "0")) for one in pictures]  # noqa: S314


def require_tool(name: str, otherwise: str) -> None:
    """Skip a test where a tool is missing; but where all is checked (``CI=true``), nothing may pass by not running.

    Parameters
    ----------
    otherwise
        What cannot be tested without it.
    """
    if shutil.which(name) is None:
        cannot_run(f"{name} is not installed: {otherwise}")


def cannot_run(why: str) -> NoReturn:
    """Skip a test that this machine cannot run, or fail it where ``CI=true``."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}, and CI must not pass without this test")
    pytest.skip(why)


def check_result(result: dict[str, Any]) -> None:
    """Hold a result to its published schema: whatever any test analyses."""
    from nof1.study.result_schema import result_schema

    faults = [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(result_schema()).iter_errors(result)
    ]
    assert not faults, faults


class Typist:
    """Types commands as a person would, at a moment of the person's choosing."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.runner = CliRunner()

    def __call__(self, *words: object) -> Result:
        """Run one command; its result holds exit_code, stdout and stderr."""
        from nof1.cli import main

        result = self.runner.invoke(main, [str(word) for word in words], obj=lambda: self.now)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if words[0] == "analyse" and "--json" in words and "--quick" not in words and result.stdout:
            check_result(json.loads(result.stdout))
        return result

    def does(self, *words: object) -> str:
        """Run one command that must succeed, and give what it printed on stdout."""
        result = self(*words)
        assert result.exit_code == 0, result.output
        return result.stdout


def schedule_csv(arms: Callable[[int], str], nights: int, first: date = FIRST) -> str:
    """Spell out a schedule: one line an evening, `arms` giving the arm of each night counted from 0."""
    lines = (f"{first + timedelta(days=night)},{arms(night)}" for night in range(nights))
    return "date,arm\n" + "\n".join(lines) + "\n"


def alternating(length: int, codes: tuple[str, str] = ("magnesium", "placebo")) -> Callable[[int], str]:
    """Strictly alternating periods of so many nights."""
    return lambda night: codes[(night // length) % 2]


def write_export(
    path: Path,
    nights: int,
    effect: Callable[[int], float] = lambda night: 0.0,
    *,
    person: InventedPerson | None = None,
    first: date = FIRST,
    seed: int = 1,
) -> Path:
    """Write a synthetic Fitbit archive; `effect` adds minutes of deep sleep to each night counted from 0."""
    write_demo_export(
        path,
        person or InventedPerson(),
        first,
        nights,
        lambda evening: effect((evening - first).days),
        zone=ZONE,
        seed=seed,
    )
    return path
