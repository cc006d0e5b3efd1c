"""The command line: one module a command. The only code that knows click, and the only error boundary.

A command turns words into one call of `nof1.study` and its result into text. Heavy imports stand inside the commands,
so that ``nof1 --help`` starts at once.
"""

from nof1.cli.main import main, run

__all__ = ["main", "run"]
