"""Which stream a participant's nights come from: one for the whole trial, chosen once."""

from dataclasses import asdict, replace
from typing import Final

import polars as pl

from nof1.errors import NotAllowedError, UsageError
from nof1.sleep.measures import MEASURES
from nof1.sleep.session import UNKNOWN_DEVICE
from nof1.sleep.streams import ENOUGH, best_latency_source, choose_stream, describe_streams
from nof1.sleep.versions import devices_known
from nof1.store.events import Record
from nof1.store.sessions import scan_sessions, scan_versions
from nof1.store.state import ChosenStream, admitted_files, chosen_stream
from nof1.study.study import Participant, Study
from nof1.trial.protocol import Protocol

ENOUGH_NIGHTS: Final = 7
"""A stream chosen from fewer nights is looked at again when more have come."""


def best_stream(sessions: pl.DataFrame, asked: str | None = None) -> ChosenStream:
    """Choose the stream of one participant's sessions, and its best latency source.

    Parameters
    ----------
    asked
        The stream that the person named; None lets `choose_stream` choose.

    Raises
    ------
    UsageError
        No session is of the stream that was asked for.
    """
    described = describe_streams(sessions)
    if asked is not None and asked not in described["stream"]:
        held = ", ".join(described["stream"])
        raise UsageError(f"There is no stream {asked!r}. These exports hold: {held}.")
    stream = asked or choose_stream(described)
    (row,) = described.filter(pl.col("stream") == stream).iter_rows(named=True)
    return ChosenStream(stream, best_latency_source(row), row["nights"], "person" if asked else "nof1")


def stream_in_use(
    study: Study, record: Record, person: Participant, asked: str | None, *, command: str = "import"
) -> ChosenStream | None:
    """Give the stream that stands; until the trial has begun with enough nights it is chosen anew from all that stands.

    What a person chose stays chosen. Where a retraction takes away the stream that a person or a running trial chose,
    the next import chooses anew: it may bring it back. Where a later export tells the device of a stream of unknown
    device, the choice goes along with its nights: they are what was chosen, under the name that they have now.

    Raises
    ------
    UsageError
        There is no stream of the name that was asked for.
    NotAllowedError
        The trial has begun with another one: that would be a change of measurement.
    """
    recorded = chosen_stream(record, person.code)
    files = admitted_files(record, person.code)
    standing = scan_sessions(study.folder, files).collect()
    chosen = _by_its_device(recorded, scan_versions(study.folder, files))
    begun = bool(record.events("started_trial", participant=person.code))
    if chosen is not None and chosen.stream not in standing["stream"]:
        if command == "retract" and (begun or chosen.by == "person"):
            return chosen
        chosen = None
    settled = chosen is not None and begun and _stands_enough(chosen, standing)
    if settled and chosen is not None and asked not in (None, chosen.stream):
        raise NotAllowedError(
            f"This trial measures with {chosen.stream}. Another stream in the middle would compare two devices instead "
            "of two treatments. Import without --stream; the other sessions are kept."
        )
    if standing.is_empty():
        return chosen
    named = asked or (chosen.stream if chosen is not None and (settled or chosen.by == "person") else None)
    best = best_stream(standing, named)
    if settled and chosen is not None:
        best = chosen if _tells_its_latency(chosen, standing) else replace(best, by=chosen.by)
    if best != recorded:
        study.append(record, "stream-chosen", asdict(best), command=command, participant=person.code)
    return best


def latency_gap(study: Study, protocol: Protocol, participant: str | None = None) -> str | None:
    """Say that the nights so far do not tell what outcomes of a protocol are counted from; None where they do.

    To be asked before a trial begins: later the protocol stands, and its latency would be missing on most nights. None
    too where no night was imported yet, and where the person logs lights-out.
    """
    asked = [one.measure for one in protocol.outcomes if MEASURES[one.measure].needs_lights_out]
    with study.record() as record:
        person = study.participant(record, participant)
        chosen = chosen_stream(record, person.code)
        if chosen is None or not asked or protocol.sleep.latency_source == "diary":
            return None
        standing = scan_sessions(study.folder, admitted_files(record, person.code)).collect()
    source = chosen.latency_source if protocol.sleep.latency_source == "best" else protocol.sleep.latency_source
    described = describe_streams(standing).filter(pl.col("stream") == chosen.stream)
    nights = int(described["nights"].sum())
    told = int(described[f"latency_{source}"].sum()) if source != "none" else 0
    if told >= ENOUGH * nights:
        return None
    return (
        f"{', '.join(asked)} can be told on {told} of the {nights} nights imported so far: {chosen.stream} tells not "
        'when you meant to sleep. Have a protocol with latency_source = "diary" and log lights-out every evening, or '
        f"measure without {', '.join(asked)}"
    )


def _stands_enough(chosen: ChosenStream, standing: pl.DataFrame) -> bool:
    """Say whether enough nights chose it, and enough of it stand now: some may have been withdrawn since."""
    described = describe_streams(standing).filter(pl.col("stream") == chosen.stream)
    return min(chosen.nights, int(described["nights"].sum())) >= ENOUGH_NIGHTS


def _tells_its_latency(chosen: ChosenStream, standing: pl.DataFrame) -> bool:
    """Say whether any night that stands tells its latency as it was chosen; else a trial would have none at all."""
    described = describe_streams(standing).filter(pl.col("stream") == chosen.stream)
    return chosen.latency_source == "none" or bool(described[f"latency_{chosen.latency_source}"].sum())


def _by_its_device(chosen: ChosenStream | None, versions: pl.LazyFrame) -> ChosenStream | None:
    """Name a choice of unknown device after the stream that most of its sessions are known to be of by now."""
    if chosen is None or not chosen.stream.endswith(f"/{UNKNOWN_DEVICE}"):
        return chosen
    own = devices_known(versions).filter(pl.col("stream") == chosen.stream)
    went = own.group_by("_known").agg(pl.col("record_id").n_unique()).sort("record_id", "_known").collect()
    return chosen if went.is_empty() else replace(chosen, stream=went["_known"][-1])
