"""The sequence on the calendar: every night once, transition nights in every period, dates as people say them."""
# ruff: noqa: DTZ001  (a person's own clock has no zone)

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.errors import DataError, ProtocolError
from nof1.trial.allocation import allocate
from nof1.trial.protocol import Arm, Design
from nof1.trial.schedule import Schedule, calendar, evening_of, periods_like_two, schedule, schedule_from_csv

ARMS = (Arm(code="A", label="One"), Arm(code="B", label="Other", reference=True))
DAY = timedelta(days=1)
DATES = st.dates(date(2000, 1, 1), date(2100, 1, 1))

DESIGNS = st.integers(1, 9).flatmap(
    lambda nights: st.builds(
        Design,
        scheme=st.sampled_from(["randomised-pairs", "alternating"]),
        blocks=st.integers(1, 6),
        period_nights=st.just(nights),
        transition_nights=st.integers(0, nights - 1),
        run_in_nights=st.integers(0, 9),
        washout_nights=st.integers(0, 5),
    )
)


def planned(design: Design, first_night: date, seed: bytes = bytes(32)) -> Schedule:
    """Draw and date a trial."""
    return schedule(allocate(design, ARMS, seed), design, first_night)


@given(DESIGNS, DATES, st.binary(min_size=32, max_size=32))
def test_the_calendar_holds_every_night_once(design: Design, first_night: date, seed: bytes) -> None:
    """From the first night to the last each date stands once, in order, and on-arm nights are as many as planned."""
    made = planned(design, first_night, seed)
    nights = calendar(made)
    length = (made.last_night - first_night).days + 1
    assert nights["night"].to_list() == [first_night + n * DAY for n in range(length)]
    assert nights["period"].count() == made.planned_nights == 2 * design.blocks * design.period_nights
    assert length == design.run_in_nights + made.planned_nights + (2 * design.blocks - 1) * design.washout_nights


@given(DESIGNS, DATES)
def test_every_period_has_its_transition_nights(design: Design, first_night: date) -> None:
    """The first nights of every period are transition nights, as many as designed, whether the arm changed or not."""
    periods = calendar(planned(design, first_night)).filter(pl.col("period").is_not_null()).group_by("period")
    d = design.transition_nights
    marks = periods.agg(pl.col("transition").sum(), begins=pl.col("transition").head(d).all())
    assert marks.filter((pl.col("transition") != d) | ~pl.col("begins")).is_empty()


@given(DESIGNS, DATES)
def test_every_block_is_balanced_on_the_calendar(design: Design, first_night: date) -> None:
    """Each block has as many nights on one arm as on the other."""
    counts = calendar(planned(design, first_night)).drop_nulls("arm").group_by("block", "arm").len()
    assert counts.height == 2 * design.blocks
    assert counts["len"].unique().to_list() == [design.period_nights]


@given(DESIGNS, DATES)
def test_a_night_has_the_arm_that_the_calendar_gives_it(design: Design, first_night: date) -> None:
    """Asking for one evening and reading the calendar agree, also the evenings before, between and after."""
    made = planned(design, first_night)
    rows = calendar(made).rows(named=True)
    assert [made.arm_on(row["night"]) for row in rows] == [row["arm"] for row in rows]
    periods = [made.period_on(row["night"]) for row in rows]
    assert [period and period.number for period in periods] == [row["period"] for row in rows]
    assert made.arm_on(first_night - DAY) is None
    assert made.arm_on(made.last_night + DAY) is None


@given(DESIGNS, DATES)
def test_the_run_in_comes_first(design: Design, first_night: date) -> None:
    """The first night named is the first of the run-in, and the first period begins when that is over."""
    made = planned(design, first_night)
    nights = calendar(made)
    assert made.first_night == first_night
    assert made.periods[0].first_night == first_night + design.run_in_nights * DAY
    assert nights["run_in"].to_list() == [n < design.run_in_nights for n in range(nights.height)]


@given(DESIGNS, DATES)
def test_a_schedule_survives_the_record(design: Design, first_night: date) -> None:
    """Written as plain values and read back, a schedule is the same, concealed or not."""
    made = planned(design, first_night)
    assert Schedule.from_payload(made.to_payload()) == made
    assert Schedule.from_payload(made.concealed().to_payload()) == made.concealed()


@given(DESIGNS, DATES, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_concealed_schedule_tells_nothing_of_the_draw(design: Design, start: date, one: bytes, other: bytes) -> None:
    """Two different draws leave the same concealed schedule and the same concealed calendar."""
    left, right = planned(design, start, one).concealed(), planned(design, start, other).concealed()
    assert left.to_payload() == right.to_payload()
    assert calendar(left).equals(calendar(right))
    assert calendar(left)["arm"].null_count() == calendar(left).height


def test_a_trial_past_the_last_date_is_refused() -> None:
    """A start in the year 9999 is an error in words."""
    with pytest.raises(DataError, match="choose another date"):
        planned(Design(scheme="alternating"), date(9999, 12, 1))


CSV = """date,arm
2026-05-01,
2026-05-02,A
2026-05-03,A
2026-05-04,B
2026-05-05,B
2026-05-07,B
2026-05-08,A
2026-05-09,A
"""


def test_a_schedule_from_elsewhere_is_read() -> None:
    """Runs of one arm are periods; an empty arm and an unlisted date are nights on none; the first ones are run-in."""
    made = schedule_from_csv(CSV, ARMS, 1)
    assert [(p.number, p.block, p.arm, p.first_night.day, p.nights) for p in made.periods] == [
        (1, 1, "A", 2, 2),
        (2, 1, "B", 4, 2),
        (3, 2, "B", 7, 1),
        (4, 2, "A", 8, 2),
    ]
    nights = calendar(made)
    assert nights["run_in"].to_list() == [True] + [False] * 8
    assert nights["arm"].to_list() == [None, "A", "A", "B", "B", None, "B", "A", "A"]


ABBA = """date,arm,period
2026-05-01,,
2026-05-02,A,first
2026-05-03,A,first
2026-05-04,B,2
2026-05-05,B,2
2026-05-06,B,3
2026-05-07,B,3
2026-05-08,A,4
2026-05-09,A,4
"""


def test_two_periods_of_one_arm_stay_two_where_the_schedule_says_so() -> None:
    """With a column ``period`` ABBA is four periods in two blocks, each with its transition night; without it the two
    in the middle are one, which is named as one that is as long as two."""
    made = schedule_from_csv(ABBA, ARMS, 1)
    assert [(p.number, p.block, p.arm, p.nights) for p in made.periods] == [
        (1, 1, "A", 2),
        (2, 1, "B", 2),
        (3, 2, "B", 2),
        (4, 2, "A", 2),
    ]
    assert calendar(made)["transition"].sum() == 4
    assert periods_like_two(made) == ()
    merged = "\n".join(line.rpartition(",")[0] for line in ABBA.splitlines())
    assert [p.nights for p in schedule_from_csv(merged, ARMS, 1).periods] == [2, 4, 2]
    assert periods_like_two(schedule_from_csv(merged, ARMS, 1)) == (2,)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("07,B,3", "07,B,", "line 8: a night on an arm has a period, and one on no arm has none"),
        ("01,,", "01,,1", "line 2: a night on an arm has a period, and one on no arm has none"),
        ("08,A,4", "08,A,3", "period '3': from 2026-05-06, and again from 2026-05-08"),
        ("09,A,4", "10,A,4", "period '4': from 2026-05-08, and again from 2026-05-10"),
        ("2026-05-06,B,3\n", "2026-05-06,,\n", None),
    ],
)
def test_periods_that_are_none_are_refused(old: str, new: str, said: str | None) -> None:
    """A period without a name, on two arms, or with a night on no arm inside it, is named and refused."""
    text = ABBA.replace(old, new)
    if said is None:
        assert [p.nights for p in schedule_from_csv(text, ARMS, 1).periods] == [2, 2, 1, 2]
    else:
        with pytest.raises(ProtocolError) as refused:
            schedule_from_csv(text, ARMS, 0)
        assert [line[: len(said)] for line in refused.value.mistakes] == [said]


@given(st.permutations(CSV.splitlines()[1:]))
def test_the_order_of_rows_does_not_matter(rows: list[str]) -> None:
    """A schedule listed in any order is the same schedule."""
    assert schedule_from_csv("\n".join(["date,arm", *rows]), ARMS, 1) == schedule_from_csv(CSV, ARMS, 1)


@given(DESIGNS, DATES)
def test_a_schedule_written_out_reads_back(design: Design, first_night: date) -> None:
    """The nights of a drawn trial, listed as CSV, give the same arm on every night again."""
    drawn = calendar(planned(design, first_night))
    again = schedule_from_csv(drawn.select("arm", date="night").write_csv(), ARMS, 0)
    assert calendar(again).select("night", "arm", "run_in").equals(drawn.select("night", "arm", "run_in"))


def test_the_mistakes_of_a_schedule_are_told_at_once() -> None:
    """Bad dates, unknown arms, dates twice and ragged rows are listed together, each with its line."""
    text = (
        "date,arm\n2026-05-01,A\n2026-02-30,A\n1.5.2026,A\n2026-05-02,C\n2026-05-01,B\n2026-05-03,A,x\n\n2026-05-04,b\n"
    )
    with pytest.raises(ProtocolError) as refused:
        schedule_from_csv(text, ARMS, 0, where="mine.csv")
    assert str(refused.value).startswith("mine.csv has 7 mistakes")
    lines = refused.value.mistakes
    assert [line.split(":")[0] for line in lines] == [
        "line 3",
        "line 4",
        "line 5",
        "line 6",
        "line 7",
        "line 9",
        "arm B",
    ]
    assert "'1.5.2026' is not a date such as 2026-05-31" in lines[1]
    assert "2026-05-01 is listed twice" in lines[3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the columns must be date,arm"),
        ("night,arm\n2026-05-01,A\n", "the columns must be date,arm"),
        ("date,arm\n", "no night is listed"),
        ('date,arm\n"2026-05-01,A\n', "not CSV"),
        ("date,arm\n0026-05-01,A\n2026-05-01,B\n", "more than ten years"),
        ("date,arm\n2026-05-01,A\n2026-05-02,B\n", None),
        ("\ufeffDate, Arm\r\n2026-05-01, A\r\n2026-05-02, B\r\n", None),
    ],
)
def test_a_schedule_is_read_or_refused_in_words(text: str, says: str | None) -> None:
    """Empty, mislabelled, broken or endless schedules are refused; what a spreadsheet saves is read."""
    if says is None:
        assert schedule_from_csv(text, ARMS, 0).planned_nights == 2
    else:
        with pytest.raises(ProtocolError, match=says):
            schedule_from_csv(text, ARMS, 0)


def test_a_schedule_of_transition_nights_only_is_refused() -> None:
    """Where no period outlasts the transition nights nothing could be analysed, and the way out is named."""
    with pytest.raises(ProtocolError, match=r"set design\.transition_nights lower"):
        schedule_from_csv(CSV, ARMS, 2)


@given(st.text(max_size=60))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    """No text makes the reader of schedules fail in another way."""
    with pytest.raises(ProtocolError):
        schedule_from_csv("date,arm\n" + text, ARMS, 0)


@pytest.mark.parametrize(
    ("local", "evening"),
    [
        (datetime(2026, 5, 12, 23, 50), date(2026, 5, 12)),
        (datetime(2026, 5, 13, 0, 30), date(2026, 5, 12)),
        (datetime(2026, 5, 13, 11, 59), date(2026, 5, 12)),
        (datetime(2026, 5, 13, 12, 0), date(2026, 5, 13)),
        (datetime(2027, 1, 1, 0, 10), date(2026, 12, 31)),
    ],
)  # fmt: skip
def test_after_midnight_is_still_the_evening_before(local: datetime, evening: date) -> None:
    """Half past midnight belongs to the evening before, and noon begins the next."""
    assert evening_of(local) == evening


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(0, 23))
def test_a_moment_lies_within_its_evening(local: datetime, boundary: int) -> None:
    """Every moment lies in the 24 hours that begin at the boundary hour of its evening."""
    begin = datetime.combine(evening_of(local, boundary), datetime.min.time()) + timedelta(hours=boundary)
    assert begin <= local < begin + DAY
