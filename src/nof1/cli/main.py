"""The ``nof1`` group: its help page by sections, and the boundary that turns errors into text and exit codes."""

import contextlib
import errno
import importlib
import os
import sys
import warnings
from typing import Any, Final

import click

from nof1.cli.tables import say
from nof1.errors import Nof1Error, ReadError

WHOLE: Final = 400
"""Letters of a command's first sentence that the list of commands shows: all of them, on as many lines as it takes."""
SECTIONS: Final = {
    "Begin": ("demo", "init", "protocols", "plan", "participant", "baseline", "keygen", "start", "kits"),
    "Every day": ("today", "log", "guess", "diary", "calendar", "status", "schedule"),
    "When plans change": ("pause", "resume", "stop", "withdraw", "amend"),
    "Sleep": ("connectors", "import", "imports", "retract", "nights"),
    "The answer": ("lock", "unblind", "analyse", "report", "export"),
    "Trust": ("verify", "calibrate"),
}
"""The commands in the order in which a person meets them. Each lives in the module of its name."""

SPELLINGS: Final = {"analyze": "analyse"}
MODULES: Final = {"import": "import_"}

EXIT_CODES: Final = (
    "0 done · 2 usage · 65 data cannot be used · 66 not found · 69 fit not usable · 70 connector failed · "
    "73/74 cannot write/read · 75 busy · 76 verification failed · 77 not allowed yet · 130 interrupted or not answered"
)


INTERRUPTED: Final = 128 + 2  # as a shell reports SIGINT
DISK_REFUSES: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Where output goes into a file. A pipe that nobody reads any more is click's."""

_AS_PYTHON: Final = warnings.formatwarning

FRUGAL: Final = "narenas:1,dirty_decay_ms:0,muzzy_decay_ms:0"
"""Makes polars' allocator give memory back at once: ten years of Apple Health peak at 217 MiB instead of 260."""


class Nof1Group(click.Group):
    """Commands by section, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Every command, in the order of the sections."""
        return [name for names in SECTIONS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        name = SPELLINGS.get(cmd_name, cmd_name)
        if name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"nof1.cli.{MODULES.get(name, name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their sections."""
        for section, names in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, self._line(ctx, name)) for name in names])

    def _line(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str(WHOLE) if command else ""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; every error of nof1 leaves through here."""
        try:
            return super().invoke(ctx)
        except Nof1Error as error:
            say(f"nof1: {error}", err=True)
            ctx.exit(error.exit_code)
        except click.Abort:
            say("nof1: not answered, and nothing was done. A script answers by options: add --help.", err=True)
            ctx.exit(INTERRUPTED)
        except KeyboardInterrupt:
            say("\nnof1: interrupted; nothing was left half-done.", err=True)
            ctx.exit(INTERRUPTED)
        except OSError as error:
            if error.errno not in DISK_REFUSES:
                raise
            say(f"nof1: the output cannot be written: {error.strerror}. What is on record stays so.", err=True)
            ctx.exit(ReadError.exit_code)


@click.group(
    name="nof1",
    cls=Nof1Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"Exit codes: {EXIT_CODES}.",
)
@click.version_option(package_name="nof1")
def main() -> None:
    """Does this treatment work for me?

    Import the sleep of your own wearable, run a randomised trial on yourself, and read what it did to your deep sleep
    and to the time you take to fall asleep. See it all at once: nof1 demo
    """


def _in_words(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> str:
    """Write nof1's own warnings for the person who typed the command, and all others as Python does."""
    own = category.__module__.startswith("nof1.")
    return f"nof1: {message}\n" if own else _AS_PYTHON(message, category, *where, **more)


def run() -> None:
    """Run one command as a process of its own, and leave at once.

    Everything is written and synced by then. Taking the interpreter and LLVM's modules apart politely would cost
    another second after an analysis.
    """
    warnings.formatwarning = _in_words
    os.environ.setdefault("_RJEM_MALLOC_CONF", FRUGAL)  # read when polars is imported, which no command has done yet
    code = 1
    try:
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it is, Python prints it as it always does
        sys.excepthook(*sys.exc_info())
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # whoever listened has gone
            stream.flush()
    os._exit(code)
