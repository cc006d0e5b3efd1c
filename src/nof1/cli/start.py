"""``nof1 start``: register a protocol and begin the trial."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Unpack, cast

import click

from nof1.cli import asking
from nof1.cli.gate import SafetyWords, answers_in, ask_questions, safety_options, say_safety
from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from nof1.store.seal import Custodian
    from nof1.study.study import Study
    from nof1.study.trials import Trial
    from nof1.trial.blinding import CustodianRole
    from nof1.trial.safety import SafetyAnswers


@click.command(
    epilog="Examples: nof1 start magnesium-or-none --on 2026-12-01 --no-risks · "
    "nof1 start my-own.toml --schedule schedule.csv"
)
@click.argument("protocol")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The first evening, run-in included.")
@click.option(
    "--schedule",
    "schedule_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='An existing schedule (CSV: date,arm or date,arm,period) for scheme = "fixed".',
)
@click.option("--custodian", metavar="AGE-KEY", help="Seal the order to this public key (nof1 keygen makes one).")
@click.option("--passphrase", is_flag=True, help="Seal the order to a passphrase that somebody else types now.")
@click.option("--passphrase-env", metavar="NAME", help="Seal it to the passphrase in this environment variable.")
@click.option(
    "--custodian-role",
    type=click.Choice(["pharmacist", "partner", "other", "self"]),
    help="Who holds the key: every page says so, and what it is worth.",
)
@click.option("--open-label", is_flag=True, help="Run a protocol that conceals its arms without concealing them.")
@click.option("--accept-weak-design", is_flag=True, help="Begin even where the design is weak.")
@safety_options
@click.option("--reason", help="Why a risk is denied for which the safety gate stopped a start before; on record.")
@study_option
@participant_option
@json_option
def command(
    protocol: str,
    on: datetime | None,
    schedule_file: Path | None,
    custodian: str | None,
    passphrase: bool,
    passphrase_env: str | None,
    custodian_role: str | None,
    open_label: bool,
    accept_weak_design: bool,
    reason: str | None,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
    **safety: Unpack[SafetyWords],
) -> None:
    """Register a protocol and draw the order of its treatments.

    PROTOCOL is a file, or the id of one of nof1 protocols. Its text is fixed from here on: what counts as better, and
    by how much, is settled before the first night.
    """
    from nof1.study.trials import start_trial

    study = opened(study_path)
    _warn(study, protocol, participant, accepted=accept_weak_design, ask=not as_json and asking.at_terminal())
    begin = partial(
        start_trial,
        study,
        protocol,
        on=on.date() if on else None,
        schedule_file=schedule_file,
        custodian=_custodian(custodian, passphrase_env, custodian_role, ask=passphrase),
        open_label=open_label,
        participant=participant,
    )
    answers, trial = _begun(begin, safety, reason, ask=not as_json and asking.at_terminal())
    if as_json:
        print_json(_summary(trial) | {"safety": _at_the_gate(study, trial)})
    else:
        _say(trial, answers.medicines if answers else safety["medicines"], _at_the_gate(study, trial))


def _begun(
    begin: "Callable[..., Trial]", words: SafetyWords, reason: str | None, *, ask: bool
) -> "tuple[SafetyAnswers | None, Trial]":
    """Begin; where all else is in order, and somebody is there, ask what the safety gate still wants to know."""
    from nof1.errors import AnswerChangedError, SafetyUnansweredError

    answers = answers_in(words)
    try:
        return answers, begin(safety=answers, reason=reason)
    except (SafetyUnansweredError, AnswerChangedError) as refused:
        if not ask:
            raise
        if isinstance(refused, SafetyUnansweredError):
            answers = ask_questions(refused.questions, words)
    return answers, _explained(begin, answers, reason)


def _explained(begin: "Callable[..., Trial]", answers: "SafetyAnswers | None", reason: str | None) -> "Trial":
    """Begin with answers; where one denies what stopped a start before, ask why. Enter leaves it refused."""
    from nof1.errors import AnswerChangedError

    try:
        return begin(safety=answers, reason=reason)
    except AnswerChangedError as changed:
        why = asking.ask(f"A start was stopped because of: {changed.denied}. Why is it no now", str)
        if why is None:
            raise
    return begin(safety=answers, reason=why)


def _warn(study: "Study", protocol: str, participant: str | None, *, accepted: bool, ask: bool) -> None:
    """Say where the design is weak, or the device; unless that was accepted, ask whether to go on all the same.

    Raises
    ------
    NotAllowedError
        Nobody accepted it, and nobody can be asked.
    """
    from nof1.errors import NotAllowedError
    from nof1.study.protocol_check import check_protocol
    from nof1.study.protocols import load_protocol
    from nof1.study.stream_choice import latency_gap
    from nof1.trial.scheme import FIXED

    checked = load_protocol(protocol)
    gap = latency_gap(study, checked, participant)
    weak = [*check_protocol(protocol).weaknesses, *filter(None, [gap])]
    for line in weak:
        say(f"Weak design: {line}.", err=True)
    if not weak or accepted or checked.design.scheme == FIXED:  # a schedule that is brought is what it is
        return
    if not ask:
        raise NotAllowedError(
            "Nothing was begun: the design is weak, and nobody can be asked here. Begin with it all the same by "
            "--accept-weak-design, or see with nof1 plan what another would tell."
        )
    click.confirm("Nothing is registered yet. Begin with this design?", abort=True, err=True)


def _custodian(
    public_key: str | None, passphrase_env: str | None, role: str | None, *, ask: bool
) -> "Custodian | None":
    from nof1.cli.unblind import passphrase_in
    from nof1.errors import UsageError
    from nof1.store.seal import Custodian

    who = cast("CustodianRole | None", role)
    if (public_key is not None) + (passphrase_env is not None) + ask > 1:
        raise UsageError("The order is sealed once: give one of --custodian, --passphrase and --passphrase-env.")
    if public_key is not None:
        return Custodian(public_key=public_key, role=who)
    if passphrase_env is not None:
        return Custodian(passphrase=passphrase_in(passphrase_env), role=who)
    if ask:
        typed = click.prompt("Passphrase, typed by the custodian", hide_input=True, confirmation_prompt=True)
        return Custodian(passphrase=typed, role=who)
    if role is not None:
        raise UsageError("--custodian-role says who holds a key: give --custodian AGE-KEY or --passphrase with it.")
    return None


def _summary(trial: "Trial") -> dict[str, object]:
    from nof1.trial.safety import asked_in_general, doses
    from nof1.trial.schedule import periods_like_two

    return {
        "participant": trial.participant.code,
        "protocol": trial.protocol.id,
        "protocol_sha256": trial.protocol.sha256,
        "blinding": trial.blinding,
        "scheme": trial.protocol.design.scheme,
        "first_night": trial.schedule.first_night,
        "last_night": trial.schedule.last_night,
        "planned_nights": trial.schedule.planned_nights,
        "periods": len(trial.schedule.periods),
        "periods_like_two": [] if trial.drawn else periods_like_two(trial.schedule),
        "smallest_p": trial.smallest_p,
        "weaknesses": trial.weaknesses,
        "doses": doses(trial.protocol),
        "asked_in_general": asked_in_general(trial.protocol),
        "commitment": trial.seal.commitment if trial.seal else None,
        "receipt": trial.receipt,
    }


def _say_blinding(trial: "Trial") -> None:
    from nof1.trial.blinding import participant_may_know

    sealed = f"; the order is sealed to {trial.seal.custodian}" if trial.seal else ""
    say(f"This trial is {trial.blinding}{sealed}.")
    if participant_may_know(trial.blinding):
        say("Expectation cannot be told apart from effect, and every page says so.")
    if trial.seal is not None:
        if trial.seal.role is None:
            say("Who holds the key was not said (--custodian-role), and every report says that.")
        concealed_from = " or the ".join(trial.protocol.blinding.concealed_from)
        say(f"Whoever holds the key can look: that should not be the {concealed_from}.")
        say("The custodian now prints what to pack, outside the study: nof1 kits --key FILE --output FILE")


def _say_long_periods(trial: "Trial") -> None:
    """Say which periods of a schedule that was brought may have been meant as several."""
    from nof1.study.new_calendar import ONE_PERIOD
    from nof1.trial.schedule import periods_like_two

    if not trial.drawn and (long := periods_like_two(trial.schedule)):
        which = f"Period {long[0]} is" if len(long) == 1 else f"Periods {', '.join(map(str, long))} are"
        say(f"{which} twice as long as the shortest, or more: {ONE_PERIOD}.")


def _at_the_gate(study: "Study", trial: "Trial") -> list[str]:
    from nof1.study.safety_gate import gate_account

    with study.record() as record:
        return gate_account(record, trial.participant)


def _say_latency(trial: "Trial") -> None:
    """Say what the time to fall asleep is measured from, which is settled now where a stream is chosen."""
    from nof1.report.sentences import LATENCY_SOURCE
    from nof1.study.nights import latency_source

    rules = trial.protocol.sleep
    if "sol_min" not in (outcome.measure for outcome in trial.protocol.outcomes):
        return
    if trial.stream is None and rules.latency_source == "best":
        say("The time to fall asleep: from the best that the first import offers; nof1 status tells which.")
        return
    source = latency_source(trial.stream, rules) if trial.stream else rules.latency_source
    say(f"The time to fall asleep: {LATENCY_SOURCE.get(source, source)}.")
    if source != "diary":
        say('Lights-out in the diary is kept and not used for it: that takes latency_source = "diary" in the protocol.')


def _say(trial: "Trial", medicines: Sequence[str], gate: Sequence[str]) -> None:
    schedule = trial.schedule
    say(f"Began: {trial.protocol.title}")
    say(f"Registered protocol {trial.protocol.id}, SHA-256 {trial.protocol.sha256[:16]}...")
    drawn = "drawn at random" if trial.drawn else "brought by you: nof1 did not draw it, and reports say so"
    say(f"{len(schedule.periods)} periods, {schedule.planned_nights} nights on a treatment; the order was {drawn}.")
    _say_long_periods(trial)
    say(f"First evening {schedule.first_night}, last evening {schedule.last_night}.")
    _say_blinding(trial)
    say_safety(trial, medicines)
    for told in gate:
        say(told, bold=True)
    _say_latency(trial)
    if covariates := trial.protocol.analysis.covariates:
        say(f"The analysis adjusts for {', '.join(covariates)}: log it every evening, before the dose.")
    if trial.smallest_p is not None:
        say(f"The smallest p that a randomisation test could reach with this design: {trial.smallest_p:.3g}.")
    if trial.seal is not None:
        say(f"Commitment to the sealed order: {trial.seal.commitment}")
    past = trial.of_past_nights
    if past:
        say("Every one of these nights is past: nothing is left to take or to log, and reports say so.")
    say(f"Receipt, to send to somebody {'now' if past else 'before the first night'}: {trial.receipt}")
    following = (
        "nof1 import, if its nights are not there yet, and nof1 analyse" if past else "nof1 today, every evening"
    )
    say(f"Later, nof1 verify --head RECEIPT shows that the record still holds it. Next: {following}.")
