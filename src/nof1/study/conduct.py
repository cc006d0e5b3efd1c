"""Pausing, resuming, ending and amending a trial: each an event with its reason."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from nof1.errors import NotAllowedError, UsageError
from nof1.store.events import Record
from nof1.study.diaries import dose_due, read_diary
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.schedule import NIGHT

LONGEST_PAUSE: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Conducted:
    """What was written, and where the calendar ends now.

    Parameters
    ----------
    last_night
        The calendar's last evening; None where the trial was ended before its first.
    lived
        After a resumption that is told late, the evenings since that count as nights on treatment now.
    """

    participant: str
    kind: str
    night: date
    last_night: date | None
    reason: str | None
    lived: list[date]


def pause_trial(study: Study, *, reason: str, night: date | None = None, participant: str | None = None) -> Conducted:
    """Stop treatment for a while: by default from tonight on, or from tomorrow where tonight's dose is logged.

    It moves what is still to come, and never a night that was lived under treatment: an evening of which the diary says
    that the dose was taken, or that it was not, stays what it was. Otherwise a missed dose could be paused away.

    Raises
    ------
    UsageError
        No reason, a night that is later than by default, past the calendar or in an earlier pause, a dose that was
        logged since as taken or not taken, or a pause that lasts already.
    NotAllowedError
        The trial is over.
    """
    with study.record() as record, record.writing():
        trial = _running(study, record, participant, reason)
        if trial.conduct.paused_since is not None:
            raise UsageError(f"The trial is paused since {trial.conduct.paused_since}. Go on with: nof1 resume.")
        tonight = trial.evening(study.clock())
        soonest = tonight + NIGHT if _lived_from(record, trial, tonight) else tonight
        first = night or soonest
        _require_on_calendar(trial, first, soonest)
        _require_nothing_lived(record, trial, first)
        return _write(
            study, record, trial, kind="paused", payload={"first_night": first.isoformat()}, night=first, reason=reason
        )


def resume_trial(study: Study, *, night: date | None = None, participant: str | None = None) -> Conducted:
    """Go on with treatment on an evening (by default the present one); what was to come moves by the nights between.

    Parameters
    ----------
    night
        The first evening on treatment again; a past one where it is told late. The evenings since were nights on
        treatment then, and what the diary says of their doses counts. The evening on which the pause began takes the
        pause back: nothing moves.

    Raises
    ------
    UsageError
        The trial is not paused; the night is before the pause began, or later than tomorrow; or a dose was logged
        in the pause before it.
    NotAllowedError
        The trial is over.
    """
    with study.record() as record, record.writing():
        trial = _running(study, record, participant, "resumed")
        since = trial.conduct.paused_since
        if since is None:
            raise UsageError("The trial is not paused.")
        back = night or max(trial.evening(study.clock()), since)
        _require_after_pause(record, trial, back, trial.evening(study.clock()))
        payload = {"first_night": since.isoformat(), "back": back.isoformat()}
        return _write(study, record, trial, kind="resumed", payload=payload, night=back, reason=None)


def end_trial(
    study: Study, *, reason: str, night: date | None = None, withdraw: bool = False, participant: str | None = None
) -> Conducted:
    """End the trial after an evening: by default tonight where tonight's dose is logged, else last night.

    Parameters
    ----------
    withdraw
        The participant takes back the consent: the record stays, and nothing is analysed. Without it what was
        recorded until then may be analysed, and every report says that the trial ended early.

    Raises
    ------
    UsageError
        No reason, or a night that is neither tonight nor the one before.
    NotAllowedError
        The trial is over; or the consent was taken back already, which is possible after the end too.
    """
    with study.record() as record, record.writing():
        begin = _withdrawable if withdraw else _running
        trial = begin(study, record, participant, reason)
        last = _last_evening(trial, record, trial.evening(study.clock()), night)
        kind = "withdrawn" if withdraw else "stopped"
        return _write(
            study, record, trial, kind=kind, payload={"last_night": last.isoformat()}, night=last, reason=reason
        )


def amend_protocol(study: Study, *, reason: str, participant: str | None = None) -> Conducted:
    """Put a change of plan on record, dated. The registered text and its hash stay what they are.

    Raises
    ------
    UsageError
        No reason.
    """
    with study.record() as record, record.writing():
        trial = read_trial(study, record, participant)
        _require_reason(reason)
        today = trial.evening(study.clock())
        return _write(
            study, record, trial, kind="amended", payload={"date": today.isoformat()}, night=today, reason=reason
        )


def _running(study: Study, record: Record, participant: str | None, reason: str) -> Trial:
    trial = read_trial(study, record, participant)
    _require_reason(reason)
    if trial.conduct.ended_early is not None or trial.has_ended(study.clock()):
        raise NotAllowedError(f"The trial is over; its last evening was {trial.schedule.last_night}.")
    return trial


def _withdrawable(study: Study, record: Record, participant: str | None, reason: str) -> Trial:
    trial = read_trial(study, record, participant)
    _require_reason(reason)
    if trial.conduct.withdrawn:
        raise NotAllowedError("The consent was taken back already: nothing is analysed.")
    return trial


def _last_evening(trial: Trial, record: Record, tonight: date, night: date | None) -> date:
    """The last evening of a trial that ends now: of one that is paused or over no later than it is by itself."""
    if night is not None and not tonight - NIGHT <= night <= tonight:
        raise UsageError(f"A trial ends with tonight or last night ({tonight - NIGHT}): {night} is neither.")
    over = [trial.schedule.last_night] if trial.schedule.last_night < tonight else []
    paused = [trial.conduct.paused_since - NIGHT] if trial.conduct.paused_since else []
    last = tonight if _taken_from(record, trial, tonight) else tonight - NIGHT
    return min([night or last, *over, *paused])


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise UsageError("Say why: --reason stays on record, and reports repeat it.")


def _require_on_calendar(trial: Trial, night: date, soonest: date) -> None:
    first, last = trial.schedule.first_night, trial.schedule.last_night
    if night < first:
        raise UsageError(f"The trial's first evening is {first}: there is nothing to pause on {night}.")
    if night > last:
        raise UsageError(f"The trial's last evening is {last}: no evening is left to pause.")
    if night > soonest:
        raise UsageError(f"{night} is still to come: say so when it is here. The pause can begin on {soonest}.")
    back = trial.conduct.pauses[-1].back if trial.conduct.pauses else None
    if back is not None and night < back:
        raise UsageError(f"The last pause ended on {back}: begin this one then, or later.")


def _require_nothing_lived(record: Record, trial: Trial, first: date) -> None:
    """Refuse to move nights that were lived under treatment."""
    lived = _lived_from(record, trial, first)
    if not lived:
        return
    last = max(lived)
    said = "taken" if lived[last] else "not taken"
    raise UsageError(
        f"The dose of {last} is logged as {said}: that night stays as it was lived, and the pause begins after it, "
        f"with --on {last + NIGHT}. Evenings before it without a dose are told by nof1 log --date NIGHT --not-taken."
    )


def _require_after_pause(record: Record, trial: Trial, back: date, tonight: date) -> None:
    since = trial.conduct.paused_since
    if since is None:
        return
    if back < since:
        raise UsageError(f"The pause began on {since}: treatment cannot go on before it, on {back}.")
    if back > tonight + NIGHT:
        raise UsageError(
            f"{back} is still to come: resume tonight ({tonight}), tomorrow, or on an evening of the past."
        )
    if back - since > LONGEST_PAUSE:
        raise UsageError(f"The pause began on {since}, more than a year before {back}: end the trial with nof1 stop.")
    resumed = [night for night in _taken_from(record, trial, since + NIGHT) if night < back]
    if resumed:
        raise UsageError(
            f"A dose is logged as taken on {resumed[0]}, in the pause. Was treatment resumed then: nof1 resume --on "
            f"{resumed[0]}. Was none taken: nof1 log --date {resumed[0]} --not-taken --reason WHY."
        )


def _taken_from(record: Record, trial: Trial, first: date) -> list[date]:
    """The nights from an evening on of which the diary says that the dose was taken."""
    diary = read_diary(record, trial.participant)
    nights: list[date] = diary.filter((pl.col("night") >= first) & pl.col("dose_taken"))["night"].to_list()
    return nights


def _lived_from(record: Record, trial: Trial, first: date) -> dict[date, bool]:
    """By night from an evening on, what the diary says of the dose: taken, or not taken though one was due."""
    diary = read_diary(record, trial.participant).filter(pl.col("night") >= first, pl.col("dose_taken").is_not_null())
    return {
        night: taken
        for night, taken in diary.select("night", "dose_taken").iter_rows()
        if taken or (trial.schedule.period_on(night) is not None and dose_due(trial, night))
    }


def _write(
    study: Study, record: Record, trial: Trial, *, kind: str, payload: dict[str, str], night: date, reason: str | None
) -> Conducted:
    code = trial.participant.code
    study.append(record, kind, payload, command=COMMANDS[kind], participant=code, reason=reason)
    now = read_trial(study, record, code)
    ends = now.schedule.last_night if now.schedule.has_evenings else None
    return Conducted(code, kind, night, ends, reason, _lived_since(now, night, study) if kind == "resumed" else [])


def _lived_since(trial: Trial, back: date, study: Study) -> list[date]:
    """The evenings before the present one that a resumption told late makes nights on treatment."""
    tonight = trial.evening(study.clock())
    evenings = [night for period in trial.schedule.periods for night in period.evenings]
    return [night for night in evenings if back <= night < tonight and dose_due(trial, night)]


COMMANDS: Final = {
    "paused": "pause",
    "resumed": "resume",
    "stopped": "stop",
    "withdrawn": "withdraw",
    "amended": "amend",
}
