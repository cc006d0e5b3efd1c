"""One stage a line, an epoch each: what the numbers mean, and when the night began, is said in comments at the top."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from nof1.connect.clock import with_or_without_offset
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import epochs
from nof1.errors import DataError
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, UNSCORED, WAKE
from nof1_connectors.hypnogram.comments import lights_out_of, missing_lines

LINES: Final = {
    "start": "# start: 2026-03-01T23:10:00+01:00",
    "epoch_s": "# epoch_s: 30",
    "stages": "# stages: yasa   (or rk, or words)",
}
"""The lines that must stand at the top, as they are shown to a person."""

STAGES_OF: Final[Mapping[str, Mapping[str, str]]] = {
    "yasa": {"-2": UNSCORED, "-1": UNSCORED, "0": WAKE, "1": LIGHT, "2": LIGHT, "3": DEEP, "4": REM},
    "rk": {"-2": UNSCORED, "-1": UNSCORED, "0": WAKE, "1": LIGHT, "2": LIGHT, "3": DEEP, "4": DEEP, "5": REM},
    "words": {
        **dict.fromkeys(("w", "wake", "awake"), WAKE),
        **dict.fromkeys(("n1", "n2", "s1", "s2", "light"), LIGHT),
        **dict.fromkeys(("n3", "s3", "s4", "deep"), DEEP),
        **dict.fromkeys(("r", "rem"), REM),
        "asleep": ASLEEP,
        **dict.fromkeys(("?", "uns", "art", "unscored"), UNSCORED),
    },
}
"""What a token means, in lower case. In ``yasa`` 4 is REM sleep; in ``rk`` it is stage 4, and REM sleep is 5."""

MAX_EPOCH_S: Final = 300
MIN_BARE: Final = 60
"""A file without comments is taken for a hypnogram from so many lines on: half an hour."""

_TOKENS: Final = frozenset(token for tokens in STAGES_OF.values() for token in tokens)
MAX_WORD: Final = 12
"""The longest word that is taken for a stage."""
_WORD: Final = re.compile(rf"[\w?+-]{{1,{MAX_WORD}}}")
_EPOCH_S: Final = re.compile(r"[1-9]\d{0,2}")


def is_tokens(told: Mapping[str, str], lines: Sequence[str]) -> bool:
    """Say whether a file that begins like this is a hypnogram: anything under all `LINES`, or else known tokens."""
    if not missing_lines(told, list(LINES)):
        return True  # it is meant as one: if it is damaged, that must be told
    enough = 1 if not LINES.keys().isdisjoint(told) else MIN_BARE
    return len(lines) >= enough and all(line.strip().lower() in _TOKENS for line in lines)


def parse_tokens(told: dict[str, str], lines: Sequence[str], where: str, options: ReadOptions) -> Session:
    """Turn one file into one session.

    Raises
    ------
    DataError
        The lines that say what the tokens mean are missing.
    ValueError
        The file cannot be used; the message is the reason.
    """
    if missing := missing_lines(told, list(LINES)):
        shown = "\n".join(f"  {LINES[name]}" for name in missing)
        raise DataError(f"{where} does not say what its lines mean. Add at its top, with your own values:\n{shown}")
    if told["stages"] not in STAGES_OF:
        raise ValueError(f"its stages are {told['stages'][:40]!r}; they can be {', '.join(STAGES_OF)}")
    if not _EPOCH_S.fullmatch(told["epoch_s"]) or int(told["epoch_s"]) > MAX_EPOCH_S:
        raise ValueError(f"its epoch_s is {told['epoch_s'][:40]!r}, not a whole number of seconds up to {MAX_EPOCH_S}")
    labels = [line.strip() for line in lines]
    if strange := next((label for label in labels if not _WORD.fullmatch(label)), None):
        raise ValueError(f"its line {strange[:40]!r} is not a stage")
    _check_mapping(told["stages"], set(labels))
    epoch_s = int(told["epoch_s"])
    if epoch_s * len(labels) > MAX_SESSION_S:
        raise ValueError(f"its {len(labels):,} epochs of {epoch_s} s are longer than two days: one file is one night")
    start, notes = with_or_without_offset(told["start"], options)
    lights_out = lights_out_of(told, options)
    return make_session(
        stream="/".join(("hypnogram", *([told["device"]] if told.get("device") else []))),
        record_id=identity(told["start"]),
        start=start,
        end=start.plus(epoch_s * len(labels)),
        pieces=epochs(labels, epoch_s),
        stage_of=STAGES_OF[told["stages"]],
        in_bed=lights_out,
        in_bed_source="tap",
        device=told.get("device"),
        flags=[STARTS_AT_ONSET] if lights_out != start.instant else [],
        notes=notes,
    )


def _check_mapping(stages: str, labels: set[str]) -> None:
    """Refuse what would take stage 4 for REM sleep, or REM sleep for stage 4."""
    if stages == "yasa" and "5" in labels:
        raise ValueError("it holds 5, which yasa does not write: should it say `# stages: rk`?")
    if stages == "rk" and "4" in labels and "5" not in labels:
        raise ValueError("it holds stage 4 and no REM sleep (5): should it say `# stages: yasa`, where 4 is REM sleep?")
