"""Every error a user can meet.

    Nof1Error                     1
    ├── UsageError                2   the words of the call contradict each other
    ├── DataError                65   the data cannot be used
    │   ├── NothingImportedError 65   exports of which no record was accepted
    │   └── ProtocolError        65   a protocol with mistakes, all of them listed
    ├── InputMissingError        66   no such file, folder or study
    ├── FitNotUsableError        69   the fit failed its checks
    ├── ConnectorFailedError     70   an installed connector failed: a fault of its package, not of the export
    ├── WriteError               73   a file cannot be created or written
    ├── ReadError                74   the disk or the file failed while being read
    ├── BusyError                75   another command is writing: try again
    ├── TamperedError            76   the record or a file is not what was recorded
    └── NotAllowedError          77   sealed, before the planned end, a risk that nobody has judged, a weak design
        └── SafetyUnansweredError 77  the safety questions of a protocol are not answered

The number is the exit code of the command line. Messages say what is wrong, where, and what to do next.
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class Nof1Error(Exception):
    """The root of every error that nof1 raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(Nof1Error):
    """The call cannot be carried out as worded."""

    exit_code = 2


class DataError(Nof1Error):
    """The data cannot be used as it stands."""

    exit_code = 65


class NothingImportedError(DataError):
    """Exports of which no record was accepted; nothing was stored.

    Parameters
    ----------
    account
        What became of every record: a `nof1.study.import_summary.ImportSummary`.
    """

    def __init__(self, message: str, account: Any) -> None:
        self.account = account
        super().__init__(message)


class ProtocolError(DataError):
    """A protocol with mistakes.

    Parameters
    ----------
    where
        The file or protocol that was read.
    mistakes
        One line a mistake, each beginning with its key path.
    """

    def __init__(self, where: str, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        count = f"{len(self.mistakes)} mistake" + ("s" if len(self.mistakes) != 1 else "")
        super().__init__(f"{where} has {count}:\n" + "\n".join(f"  {line}" for line in self.mistakes))


class InputMissingError(Nof1Error):
    """A file, a folder or a study that was named is not there."""

    exit_code = 66


class FitNotUsableError(Nof1Error):
    """The model was fitted, and its checks failed."""

    exit_code = 69


class ConnectorFailedError(Nof1Error):
    """An installed connector cannot be loaded, or failed at what it promises: a fault of its package."""

    exit_code = 70


class WriteError(Nof1Error):
    """Something could not be created or written; what was there before is unchanged."""

    exit_code = 73


class ReadError(Nof1Error):
    """The system reported an input/output error."""

    exit_code = 74


class BusyError(Nof1Error):
    """Another command is writing to this study."""

    exit_code = 75


class TamperedError(Nof1Error):
    """The record, the protocol or a sleep file is not what was recorded."""

    exit_code = 76


class NotAllowedError(Nof1Error):
    """Not before the planned end, not while the allocation is sealed, or not before somebody has accepted it."""

    exit_code = 77


class AnswerChangedError(NotAllowedError):
    """A risk is denied for which the safety gate stopped a start before, and nobody says why.

    Parameters
    ----------
    denied
        The questions, each with its earlier answer.
    """

    def __init__(self, denied: str) -> None:
        self.denied = denied
        super().__init__(
            f"A start was stopped because of: {denied}. Now it is no, and nothing was begun. Say what has changed, or "
            'what was mistaken: --reason "ECG of 2 December: no heart block". Both answers stay on record.'
        )


class SafetyUnansweredError(NotAllowedError):
    """A protocol's safety questions are not answered yet.

    Parameters
    ----------
    protocol
        Its id.
    questions
        What it asks before the first night.
    """

    def __init__(self, protocol: str, questions: Sequence[str]) -> None:
        self.questions = tuple(questions)
        listed = "\n".join(f"  {question}" for question in self.questions)
        super().__init__(
            f"Before the first night, protocol {protocol} asks whether any of these holds:\n{listed}\n"
            "Answer one by one at a terminal, or say --no-risks if none does, --risk QUESTION for one that does and "
            "--unsure QUESTION for one that nobody knows."
        )
