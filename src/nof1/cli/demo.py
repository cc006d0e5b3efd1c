"""``nof1 demo``: a whole trial of an invented person, every step the command that you would type."""

import shlex
import tempfile
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import click

from nof1.cli.tables import say

ZONE: Final = "Europe/Berlin"
EFFECT_MIN: Final = 15.0
"""Minutes of deep sleep that magnesium adds in the invented person."""
NIGHTS: Final = 127
"""A run-in of 7 nights, then 12 periods of 10."""
WEEKEND: Final = (4, 5)
"""Friday and Saturday, when this person drinks."""
SEED: Final = 20260512
PROTOCOL: Final = "magnesium-or-none"


@click.command(epilog="Examples: nof1 demo · nof1 demo --keep my-demo")
@click.option("--keep", type=click.Path(path_type=Path), metavar="FOLDER", help="Keep the study in this new folder.")
def command(keep: Path | None) -> None:
    """Run a whole trial of an invented person: begin, import, analyse, report. Takes about a minute.

    Magnesium truly adds 15 minutes of deep sleep in this person. See whether nof1 finds it.
    """
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nof1-demo-"))) / "study"
        _Demo(folder, datetime.now(UTC)).run()
        if keep is None:
            say("\nNothing of this was kept. To keep the study and open the report: nof1 demo --keep my-demo")


class _Demo:
    """The trial began 128 days ago: the demo plays those days with a clock of its own."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.folder = folder
        self.now = now
        self.first = now.date() - timedelta(days=NIGHTS + 1)

    def run(self) -> None:
        """Play the trial from the first day to the report."""
        self._say("A person wants to know: does magnesium give me more deep sleep? First a study and a protocol.")
        self._type(self.first, "init", str(self.folder), "--zone", ZONE, "--participant", "INVENTED")
        self._in_study(self.first, "start", PROTOCOL, "--on", str(self.first), "--no-risks")
        self._say("Every evening: what to take. Every night: what was done.")
        magnesium = self._nights_on_magnesium()
        self._in_study(magnesium[0], "today")
        self._in_study(magnesium[0], "log", "--taken", "--lights-out", "23:10")
        export = self._live_through_it(magnesium)
        self._say("The trial is over. The wearable's own export, downloaded as a zip:")
        today = self.now.date()
        self._in_study(today, "import", str(export))
        self._in_study(today, "status")
        self._say(
            f"Now the question. In this invented person the truth is +{EFFECT_MIN:g} minutes. "
            "What one trial sees of it varies: the order is drawn anew at every run."
        )
        self._in_study(today, "analyse")
        self._in_study(today, "report")
        self._in_study(today, "verify")

    def _nights_on_magnesium(self) -> list[date]:
        from nof1.study.study import open_study
        from nof1.study.trials import read_trial

        study = open_study(self.folder)
        with study.record() as record:
            schedule = read_trial(study, record).schedule
        nights = (self.first + timedelta(days=offset) for offset in range(NIGHTS))
        return [night for night in nights if schedule.arm_on(night) == "magnesium"]

    def _live_through_it(self, magnesium: list[date]) -> Path:
        """Sleep for all those nights, take what the schedule says, and write down every dose, and what was drunk."""
        from nof1.study.demo import InventedPerson, write_demo_export
        from nof1.study.diaries import log_night
        from nof1.study.study import open_study

        say(f"... and so on, {NIGHTS} evenings.")
        study = open_study(self.folder, clock=lambda: self.now)
        for night in (self.first + timedelta(days=offset) for offset in range(NIGHTS)):
            log_night(
                study,
                night=night,
                dose_taken=True if night in magnesium else None,
                answers={"alcohol_units": "2" if night.weekday() in WEEKEND else "0"},
            )
        export = self.folder / "takeout.zip"
        write_demo_export(
            export,
            InventedPerson(),
            self.first,
            NIGHTS,
            lambda night: EFFECT_MIN if night in magnesium else 0.0,
            zone=ZONE,
            seed=SEED,
        )
        export.chmod(0o600)
        return export

    def _in_study(self, day: date, *words: str) -> None:
        self._type(day, *words, study=True)

    def _type(self, day: date, *words: str, study: bool = False) -> None:
        """Run one command as if typed at nine in the evening of a day (or now, today), after showing it."""
        say(f"\n$ nof1 {shlex.join(words)}", bold=True)
        at = self.now if day == self.now.date() else datetime.combine(day, time(20), UTC)
        located = [*words, "--study", str(self.folder)] if study else list(words)
        group = click.get_current_context().find_root().command
        if code := group.main(located, standalone_mode=False, obj=lambda: at):
            click.get_current_context().exit(code)

    def _say(self, text: str) -> None:
        say(f"\n# {text}")
