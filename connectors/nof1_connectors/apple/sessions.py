"""Samples of one source become sessions, and a mark of time in bed goes to the session that it holds.

Apple keeps no sessions: every app writes its samples one by one. What one source wrote without a pause of an hour is
taken to be one session. nof1 takes recordings that are less than an hour apart to be one sleep as well, and the time
between them to be wake; here nobody knows, and it stays unscored.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import batched
from typing import Any, Final

import polars as pl

from nof1.connect.clock import Moment, in_zone, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import Piece, flatten
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import PRECEDENCE, SLEEP
from nof1_connectors.apple.samples import IN_BED, LABELS, Sample
from nof1_connectors.apple.sources import HIDDEN

PAUSE_S: Final = 3600
"""Samples of one source that are less than this apart are one session."""
GLANCE_S: Final = 300
"""Stretches in bed that are less than this apart are one: the phone was looked at. After more, the night began anew."""

_WORD: Final = pl.Categorical()
SCHEMA: Final = {
    "source": _WORD,
    "called": _WORD,
    "label": _WORD,
    "start": pl.Int64(),
    "end": pl.Int64(),
    "created": pl.Int64(),
    "zone": _WORD,
    "device": _WORD,
    "version": _WORD,
    "manual": pl.Boolean(),
}
"""The fields of `samples.Sample`."""

_SAME: Final = ("source", "start", "end", "label")
"""Samples that agree in these say the same."""
_RANK: Final = {label: PRECEDENCE[stage] for label, stage in LABELS.items()}
_STAGE_OF: Final = {label.lower(): stage for label, stage in LABELS.items()}
_SLEEP_LABELS: Final = tuple(label for label, stage in LABELS.items() if stage in SLEEP)
_SELF: Final = pl.col("source").cast(pl.String)
_ANYONE: Final = pl.lit("")
_BATCH: Final = 5_000


def table_of(samples: Iterable[Sample]) -> pl.DataFrame:
    """Put samples into a table, bit by bit: as Python values a million of them would not fit."""
    batches = (dict(zip(Sample._fields, zip(*batch, strict=True), strict=True)) for batch in batched(samples, _BATCH))
    return pl.concat([pl.DataFrame(schema=SCHEMA), *(pl.DataFrame(batch, schema=SCHEMA) for batch in batches)])


def with_products(samples: pl.DataFrame) -> pl.DataFrame:
    """Name every sample of a name that nof1 does not know after the product that any sample of that name tells."""
    hidden = _SELF.str.starts_with(HIDDEN)
    known = samples.filter(~hidden).group_by("called").agg(_known=_SELF.min())
    named = samples.join(known, on="called", how="left", maintain_order="left")
    source = pl.when(hidden).then(pl.coalesce("_known", _SELF)).otherwise(_SELF)
    return named.with_columns(source=source.cast(_WORD)).drop("_known")


def distinct(samples: pl.DataFrame) -> pl.DataFrame:
    """Keep one of samples that say the same, by what else they say, and never the one that came first.

    Returns
    -------
    pl.DataFrame
        Sorted by source, start and end.
    """
    ordered = samples.sort(*_SAME, *(name for name in SCHEMA if name not in _SAME), nulls_last=True)
    again = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in _SAME)
    return ordered.filter(~again.fill_null(False))


def group_sessions(samples: pl.DataFrame) -> pl.DataFrame:
    """Group distinct samples of sleep and wake: one row a session, in order of source and start.

    Returns
    -------
    pl.DataFrame
        `source`, `start`, `end` (seconds since 1970), `zone`, `zone_end`, `device`, `version`, `created`, `manual`,
        the lists `starts`, `ends`, `labels` of its samples, and `slept`: whether any of them is sleep.
    """
    own = samples.filter(pl.col("label") != IN_BED).with_columns(owner=_SELF)
    return (
        _numbered(own, PAUSE_S)
        .group_by("run", maintain_order=True)
        .agg(
            pl.col("source").first(),
            starts="start",
            ends="end",
            labels="label",
            start=pl.col("start").min(),
            end=pl.col("end").max(),
            zone=pl.col("zone").drop_nulls().first(),
            zone_end=pl.col("zone").drop_nulls().last(),
            device=pl.col("device").drop_nulls().mode().min(),
            version=pl.col("version").drop_nulls().mode().max(),
            created=pl.col("created").max(),
            manual=pl.col("manual").any(),
            slept=pl.col("label").is_in(_SLEEP_LABELS).any(),
        )
    )


def with_time_in_bed(sessions: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Add to each session the beginning of the time in bed that overlaps it, `in_bed`, and who told it, `teller`.

    The source's own mark comes first; else that of anyone. A mark from before an earlier sleep of the same source is
    no mark of this one: after a night in two halves nobody knows when the second began.

    Parameters
    ----------
    sessions
        Those of `group_sessions` that hold sleep.
    samples
        All distinct samples.
    """
    marks = samples.filter(pl.col("label") == IN_BED)
    stretches = pl.concat([_stretches(marks, owner, GLANCE_S) for owner in (_SELF, _ANYONE)])
    asked = sessions.select("run", "source", "start", "end", before=pl.col("end").shift(1).over("source"))
    found = (
        _overlapping(pl.concat([asked.with_columns(owner=owner) for owner in (_SELF, _ANYONE)]), stretches)
        .filter((pl.col("begins") >= pl.col("before")).fill_null(True))
        .sort("owner", descending=True)
        .unique("run", keep="first", maintain_order=True)
    )
    marked = found.select("run", "teller", in_bed="begins")
    return sessions.join(marked, on="run", how="left", maintain_order="left")


def bed_without_sleep(samples: pl.DataFrame) -> pl.DataFrame:
    """The stretches in bed, `start` to `end`, into which no source wrote any sleep or wake."""
    in_bed = pl.col("label") == IN_BED
    stretches = _stretches(samples.filter(in_bed), _ANYONE, GLANCE_S).rename({"begins": "start", "ends": "end"})
    slept = _overlapping(stretches, _stretches(samples.filter(~in_bed), _ANYONE, 0))
    return stretches.join(slept, on="start", how="anti").sort("start")


def make_apple_session(row: Mapping[str, Any], options: ReadOptions) -> Session:
    """Make the session of one row of `with_time_in_bed`.

    Raises
    ------
    ValueError
        It cannot be used; the message is the reason.
    """
    source, start, told = row["source"], row["start"], row["in_bed"] is not None
    pieces = [
        Piece(begin - start, end - begin, label)
        for begin, end, label in zip(row["starts"], row["ends"], row["labels"], strict=True)
    ]
    return make_session(
        stream=f"apple/{source}",
        record_id=record_id(row),
        start=_moment(start, row["zone"], options),
        end=_moment(row["end"], row["zone_end"], options),
        pieces=flatten(pieces, _RANK),
        stage_of=_STAGE_OF,
        in_bed=_instant(row["in_bed"]) if told else None,
        in_bed_source="in_bed",
        device=row["device"],
        algorithm=f"{source} {row['version']}" if row["version"] else None,
        updated=_instant(row["created"]) if row["created"] is not None else None,
        flags=[STARTS_AT_ONSET, *(["manual"] if row["manual"] else [])],
        notes=[f"time in bed told by {row['teller']}"] if told and row["teller"] != source else [],
    )


def record_id(row: Mapping[str, Any]) -> str:
    """Give a session's id: by its source and start, because a night that was exported too early grows at its end."""
    return identity(row["source"], row["start"])


def _numbered(samples: pl.DataFrame, pause_s: int) -> pl.DataFrame:
    """Number the runs without a pause of samples that are sorted by owner and start."""
    until = pl.col("end").cum_max().shift(1).over("owner")
    begins = (pl.col("start") - until >= pause_s).fill_null(True)
    return samples.with_columns(run=begins.cum_sum())


def _stretches(samples: pl.DataFrame, owner: pl.Expr, pause_s: int) -> pl.DataFrame:
    """Join samples of each owner to stretches: `owner`, `begins`, `ends`, and whose sample it begins with, `teller`."""
    return (
        _numbered(samples.with_columns(owner=owner).sort("owner", "start", "end", "source"), pause_s)
        .group_by("run", maintain_order=True)
        .agg(pl.col("owner").first(), begins=pl.col("start").min(), ends=pl.col("end").max(), teller="source")
        .with_columns(pl.col("teller").list.first())
        .drop("run")
    )


def _overlapping(asked: pl.DataFrame, stretches: pl.DataFrame) -> pl.DataFrame:
    """Give each row with a `start` and an `end` the first stretch of its owner that overlaps it; drop the others.

    The stretches of one owner do not overlap.
    """
    return (
        asked.sort("start")
        .join_asof(
            stretches.sort("ends"),
            left_on="start",
            right_on="ends",
            by="owner",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,  # cannot be checked within groups; both sides were sorted above
        )
        .filter(pl.col("begins") < pl.col("end"))
    )


def _moment(seconds: int, zone: str | None, options: ReadOptions) -> Moment:
    return unzoned(_instant(seconds), options) if zone is None else in_zone(_instant(seconds), zone, options)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
