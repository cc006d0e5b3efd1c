"""A whole trial without the command line: an invented person, from the first evening to the report.

Run it with: uv run python examples/whole_trial.py
"""

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import nof1
from nof1.study.demo import InventedPerson, write_demo_export

ZONE = "Europe/Berlin"
FIRST = date(2026, 3, 2)
PERIODS = ["magnesium", "placebo", "placebo", "magnesium", "magnesium", "placebo", "placebo", "magnesium"]
"""Eight periods of eight nights, drawn by somebody else: nof1 will say that it did not draw them."""

PROTOCOL = """
title = "Magnesium or placebo, a trial run elsewhere"

[[arm]]
code = "magnesium"
label = "Magnesium citrate"

[[arm]]
code = "placebo"
label = "Placebo"
reference = true

[design]
scheme = "fixed"
transition_nights = 2

[[outcome]]
measure = "deep_min"
worthwhile = 10
"""


def main(home: Path) -> None:
    """Run the trial in a folder."""
    evenings = {FIRST + timedelta(days=n): PERIODS[n // 8] for n in range(64)}
    (home / "protocol.toml").write_text(PROTOCOL)
    (home / "schedule.csv").write_text("date,arm\n" + "".join(f"{night},{arm}\n" for night, arm in evenings.items()))
    export = home / "takeout.zip"
    effect = {"magnesium": 15.0, "placebo": 0.0}
    write_demo_export(export, InventedPerson(), FIRST, 64, lambda night: effect[evenings[night]], zone=ZONE, seed=7)

    study = nof1.create_study(home / "study", zone=ZONE, clock=lambda: datetime(2026, 6, 1, tzinfo=UTC))
    nof1.start_trial(study, home / "protocol.toml", schedule_file=home / "schedule.csv")
    imported = nof1.import_exports(study, [export])
    print(f"{imported.sessions} sessions make {imported.nights} nights; {imported.rejected} records were rejected.")

    nights = nof1.read_nights(study)
    print(nights.select("night", "deep_min", "tst_min", "flags").head(3))

    analysis = nof1.analyse(study)
    deep = analysis.result["outcomes"][0]
    low, high = deep["effect"]["ci95"]
    print(f"Deep sleep: {deep['effect']['median']:+.1f} min ({low:+.1f} to {high:+.1f}), {deep['verdict']}")
    print(f"Page: {nof1.write_report(study).relative_to(home)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
