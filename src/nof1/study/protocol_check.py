"""Checking a protocol before it is started: mistakes, weak points, and what its design can reach."""

from dataclasses import dataclass
from pathlib import Path

from nof1.study.protocols import load_protocol
from nof1.study.trials import require_models
from nof1.trial.allocation import smallest_p
from nof1.trial.strength import weaknesses


@dataclass(frozen=True, slots=True)
class CheckedProtocol:
    """A protocol without mistakes.

    Parameters
    ----------
    sha256
        What `nof1 start` would register, if the text stays as it is.
    smallest_p
        The smallest two-sided p of a randomisation test; None for a schedule that is brought.
    weaknesses
        Where the design is weak, and what that costs.
    """

    id: str
    sha256: str
    smallest_p: float | None
    weaknesses: tuple[str, ...]


def check_protocol(protocol: Path | str) -> CheckedProtocol:
    """Check a file, or a protocol of the library, as `nof1 start` will.

    Raises
    ------
    ProtocolError
        It has mistakes, all of them listed.
    DataError
        An outcome has no model yet.
    InputMissingError, UsageError
        There is no such protocol, or it is not text.
    """
    checked = load_protocol(protocol)
    require_models(checked)
    return CheckedProtocol(checked.id, checked.sha256, smallest_p(checked.design, checked.arms), weaknesses(checked))
