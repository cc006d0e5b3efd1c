"""``python -m nof1``."""

from nof1.cli import run

run()
