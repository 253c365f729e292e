# PYTHON_ARGCOMPLETE_OK
"""Entry point of the command line: parse, run one command, exit with its status.

0 done; 1 done, but less was placed than asked for, or reports differ; 2 bad input; 3 an outside service failed;
70 a fault of pacifico itself; 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import logging
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING

from pacifico._version import __version__
from pacifico.cli import options
from pacifico.cli.edit import add_edit_command
from pacifico.cli.energy import add_energy_command
from pacifico.cli.export import add_export_command
from pacifico.cli.job_inputs import boundary_as_geojson, exclusions_as_geojson
from pacifico.cli.jobs import add_jobs_commands
from pacifico.cli.layout import add_layout_command
from pacifico.cli.levers import add_levers_command
from pacifico.cli.printing import one_line, say
from pacifico.cli.report import add_report_commands
from pacifico.cli.rules import add_rules_command
from pacifico.cli.terrain import add_terrain_command
from pacifico.cli.variants import add_variants_command
from pacifico.cli.versions import ShowVersions
from pacifico.cli.viewing.catalog import add_stac_command
from pacifico.cli.viewing.open import add_open_command
from pacifico.errors import InternalError, PacificoError
from pacifico.escaping import for_terminal
from pacifico.output_files import writable_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import SupportsWrite

INTERNAL_ERROR = 70
"""Exit status of our own faults (EX_SOFTWARE of sysexits.h)."""
INTERRUPTED = 130
_NEGATIVE = re.compile(r"-[\d.]")


class _Parser(argparse.ArgumentParser):
    """Parser that reports wrong usage in one line with status 2, and takes no abbreviated options."""

    def __init__(self, *args: object, **more: object) -> None:
        more.setdefault("allow_abbrev", False)
        super().__init__(*args, **more)  # type: ignore[arg-type]

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print help or version; unlike argparse, say so where that fails."""
        if message and (stream := file or sys.stderr) is not None:
            stream.write(message)

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")


class _Formatter(logging.Formatter):
    """Formatter whose lines hold no control sequences."""

    def format(self, record: logging.LogRecord) -> str:
        return for_terminal(super().format(record), lines=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    if argv is None:
        argv = sys.argv[1:]
        # objects of the imports live as long as the command: collecting among them would cost 0.3 s
        gc.set_threshold(200_000, 50, 50)
    _print_any_text()
    arguments = argparse.Namespace()
    try:
        arguments = _parse(join_negative_values(argv))
        _set_up_logging(arguments)
        status: int = arguments.run(arguments)
        _flush()
    except InternalError as error:
        return _internal_error(error, arguments)
    except PacificoError as error:
        _log_traceback(error, arguments)
        _complain(one_line(error))
        return error.exit_code
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return 0  # the reader (head, less) is gone: nothing more to print
    except OSError as error:
        _log_traceback(error, arguments)
        name = f": {one_line(error.filename)}" if error.filename else ""
        _complain(f"{one_line(error.strerror or error)}{name}; check the path, its permissions and free space")
        return 2
    except Exception as error:  # noqa: BLE001 (the last barrier: any other exception is our fault)
        return _internal_error(error, arguments)
    finally:
        _drop_what_cannot_be_written()
    return status


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; --help and --version, which end it, are written whole."""
    try:
        return make_parser().parse_args(argv)
    except SystemExit:
        _flush()
        raise


def _flush() -> None:
    """Write what standard output still holds; it is None where its descriptor was closed."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _complain(text: str) -> None:
    """Print one line on standard error; where that can't be written, the exit status must do."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"pacifico: {text}", file=sys.stderr)


def _drop_what_cannot_be_written() -> None:
    """Keep the interpreter from writing again at its exit what a full disk or a closed pipe refused."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):  # or it is closed
            with contextlib.suppress(OSError, ValueError):  # a stream of Python alone has no descriptor
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def join_negative_values(argv: Sequence[str]) -> list[str]:
    """Join options with values that begin with a minus sign.

    argparse would take such a value for an option.

    Examples
    --------
    >>> join_negative_values(["--entry", "-84.2,36.6"])
    ['--entry=-84.2,36.6']
    """
    joined: list[str] = []
    for word in argv:
        previous = joined[-1] if joined else ""
        if _NEGATIVE.match(word) and previous.startswith("--") and "=" not in previous and previous != "--":
            joined[-1] = f"{previous}={word}"
        else:
            joined.append(word)
    return joined


def _print_any_text() -> None:
    """Let a narrow terminal encoding replace characters instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError, OSError):
                stream.reconfigure(errors="replace")


def _set_up_logging(arguments: argparse.Namespace) -> None:
    """Send log records to --log-file, and with --verbose to standard error; by default nowhere."""
    logger = logging.getLogger("pacifico")
    logger.addHandler(logging.NullHandler())
    handlers: list[logging.Handler] = []
    if getattr(arguments, "log_file", None):
        writable_file(arguments.log_file)
        handlers.append(logging.FileHandler(arguments.log_file, encoding="utf-8"))
    if getattr(arguments, "verbose", False):
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)


def _log_traceback(error: BaseException, arguments: argparse.Namespace) -> None:
    logging.getLogger("pacifico.cli").debug("the command failed", exc_info=error)
    if getattr(arguments, "debug", False):
        say("".join(traceback.format_exception(error)), file=sys.stderr)


def _internal_error(error: BaseException, arguments: argparse.Namespace) -> int:
    """Print our error in one line, with the way to its traceback."""
    _log_traceback(error, arguments)
    name = type(error).__name__
    if isinstance(error, MemoryError):
        reason = f": {one_line(error)}" if str(error) else ""
        _complain(f"out of memory{reason}; choose a coarser --resolution-m, or a machine with more memory")
        return INTERNAL_ERROR
    way = (
        "the traceback is above"
        if getattr(arguments, "debug", False)
        else "run it again with --debug for the traceback"
    )
    _complain(f"internal error, {name}: {one_line(error)[:300]}; this is a fault of pacifico: {way}, and report it")
    return INTERNAL_ERROR


def make_parser() -> argparse.ArgumentParser:
    """Parser of the command line, with all commands."""
    parser = _Parser(prog="pacifico", description="Early-stage layouts of energy sites on real terrain.")
    parser.add_argument("--version", action="version", version=f"pacifico {__version__}")
    parser.add_argument("--show-versions", action=ShowVersions, help="print the versions of all that matters, and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_report_commands(commands)
    add_layout_command(commands)
    add_edit_command(commands)
    add_terrain_command(commands)
    add_export_command(commands)
    add_variants_command(commands)
    add_levers_command(commands)
    add_energy_command(commands)
    add_rules_command(commands)
    add_open_command(commands)
    add_stac_command(commands)
    add_jobs_commands(commands, reader=boundary_as_geojson, combiner=exclusions_as_geojson)
    for command in commands.choices.values():
        options.add_diagnostics(command)
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
    return parser
