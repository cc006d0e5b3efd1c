"""The stage vocabulary: what a device may say a person was doing, and which saying wins."""

from typing import Final

WAKE: Final = "wake"
LIGHT: Final = "light"
DEEP: Final = "deep"
REM: Final = "rem"
ASLEEP: Final = "asleep"
"""Sleep that the source did not stage."""
UNSCORED: Final = "unscored"
"""Recorded time that says nothing: gaps, lost contact, labels nobody knows."""

STAGES: Final = (WAKE, LIGHT, DEEP, REM, ASLEEP, UNSCORED)
SLEEP: Final = (LIGHT, DEEP, REM, ASLEEP)
"""The stages that count as sleep."""

PRECEDENCE: Final = {DEEP: 0, REM: 0, LIGHT: 0, ASLEEP: 1, WAKE: 2, UNSCORED: 3}
"""Where two sessions of one stream overlap, the lower number wins: a specific stage beats asleep beats wake."""
