"""Work on every core gives what it gives on one, and ends when it is told to."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from nof1.model.calibration import DESIGNS, coverage
from nof1.model.simulation import Noise
from nof1.model.workers import on_every_core

SLOW = """
import multiprocessing, time
from nof1.model.workers import on_every_core
if __name__ == "__main__":
    for place, _ in enumerate(on_every_core(time.sleep, [(0,), (60,), (60,)], workers=2)):
        if place == 0:
            print(*(worker.pid for worker in multiprocessing.active_children()), flush=True)
"""


def test_cells_do_not_depend_on_the_number_of_workers():
    """Three worlds by two processes are the three worlds by one, in their order."""
    work = partial(coverage, trials=10, seed=4)
    worlds = [(DESIGNS[1], Noise(rho=rho)) for rho in (0.0, 0.3, 0.6)]
    by_one, by_two = (list(on_every_core(work, worlds, workers=count)) for count in (1, 2))
    assert by_one == by_two
    assert [cells[0].noise.rho for cells in by_two] == [0.0, 0.3, 0.6]


def test_what_goes_wrong_in_a_worker_is_told():
    """An error of a piece is that of the whole."""
    with pytest.raises(ZeroDivisionError):
        list(on_every_core(divmod, [(1, 1), (1, 0)], workers=2))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_an_interrupt_ends_the_workers(tmp_path):
    """Interrupted while its workers have a minute's work left, a script ends at once and leaves none behind."""
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as slow:
        workers = [int(pid) for pid in slow.stdout.readline().split()]
        slow.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in slow.communicate(timeout=30)[1]
    assert len(workers) == 2
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_module_that_was_run_can_be_imported_by_its_workers():
    """`python -m nof1` is imported by its workers, and does nothing then: they would calibrate without end."""
    said = subprocess.run(
        [sys.executable, "-c", "import nof1.__main__; print('nothing happened')"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "nothing happened\n"
