"""Wall-clock seconds of one process."""

import os
import subprocess
import sys
import time

WITH_BYTECODE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Some machines forbid Python to keep its bytecode; people's do not, and compiling libraries anew is nobody's wait."""


def seconds(*words: object) -> float:
    """Run Python with these arguments, and give the seconds that it took."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *map(str, words)], check=True, capture_output=True, env=WITH_BYTECODE)
    return time.perf_counter() - began
