"""The command line: one file a command. Data goes to stdout, everything else to stderr."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import signal
import sys
from importlib import import_module
from typing import Any

import click

from chainrule.errors import InputError, nearest, printable

COMMANDS = {
    "explain": "Derive one step of a network: every number, with the formula behind it.",
    "examples": "List the bundled examples, or print one.",
    "compare": "Put the same step under different conventions side by side.",
    "check": "Hold written-down numbers against the derivation.",
    "why": "Find the conventions or mistakes that produce a number.",
    "why-changed": "Find the updates and rows that moved a weight of a recorded run.",
    "train": "Train on a table, and write a run folder.",
    "predict": "Predict each row of a table.",
    "evaluate": "Score a model on a table with known answers.",
    "doctor": "Say what a training run suffers from, and what would help.",
    "page": "Open a network in the browser: walk, change, try, train, keep.",
}
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(click.Group):
    """Loads a command's file when the command is used, so that help and mistakes answer at once."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"chainrule.cli.{name.replace('-', '_')}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS:
            raise click.UsageError(f"there is no command {printable(args[0])!r} - {nearest(args[0], COMMANDS)}", context)
        return super().resolve_command(context, args)


@click.group(cls=Commands, context_settings=SETTINGS, no_args_is_help=False, invoke_without_command=True)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="chainrule", prog_name="chainrule")
@click.pass_context
def chainrule(context: click.Context, debug: bool) -> None:
    """Neural networks that show their work."""
    if context.invoked_subcommand is None:
        raise click.UsageError("a command is missing - choose one of " + ", ".join(COMMANDS), context)


def main(args: list[str] | None = None) -> None:
    """Runs a command and ends the process: 0 done, 1 the run failed, 2 the command was wrong, 130 and 143 on signals."""
    args = sys.argv[1:] if args is None else args
    debug = "--debug" in args
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - it stays open to the end
    _plain_streams()
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = chainrule.main([arg for arg in args if arg != "--debug"], prog_name="chainrule", standalone_mode=False) or 0
        sys.stdout.flush()
    except Exception as error:
        if debug and not isinstance(error, click.UsageError):
            raise
        code = _ended(error)
    except KeyboardInterrupt:
        code = _said("interrupted; nothing was written", 130)
    sys.exit(code if isinstance(code, int) else 0)


def _ended(error: Exception) -> int:
    """What an error means for the user, and the exit code."""
    if isinstance(error, click.Abort):
        return _said("interrupted; nothing was written", 130)
    if isinstance(error, click.UsageError):
        help_line = f"; see `{error.ctx.command_path} -h`" if error.ctx else ""
        return _said(error.format_message().rstrip(".") + help_line, 2)
    if isinstance(error, click.ClickException):
        return _said(error.format_message(), 2)
    if isinstance(error, InputError):
        for problem in error.problems[:20]:
            _said(str(problem), error.code)
        if len(error.problems) > 20:
            sys.stderr.write(f"... and {len(error.problems) - 20} more\n")
        return error.code
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has gone: nothing is left to say
        return 141
    if isinstance(error, MemoryError) or (isinstance(error, ImportError) and any(each in str(error) for each in _NO_ROOM)):
        return _said("there is not enough memory for this - use a smaller network or fewer rows", 1)
    if isinstance(error, OSError):
        _silence_stdout()
        do = REMEDIES.get(error.errno or 0, "check the place and its rights")
        return _said(f"{error.strerror or error} - {error.filename or 'standard output'} - {do}", 1)
    found = f"{type(error).__name__}: {error}"
    return _said(f"{found} - this is a mistake of chainrule, not yours - run it again with --debug and report it", 1)


_NO_ROOM = ("memory", "failed to map segment", "cannot apply additional memory protection")
"""What the system's loader says when there is no memory for a library."""

REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space of your quota",
    errno.EFBIG: "raise the limit on a file's size (ulimit -f)",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENOMEM: "free some memory",
}


def _silence_stdout() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _said(message: str, code: int) -> int:
    with contextlib.suppress(OSError, AttributeError):  # nobody may be there to read it: the exit code stays
        sys.stderr.write(f"error: {printable(message, keep=chr(10))}\n")
        sys.stderr.flush()
    return code


def _terminated(number: int, frame: object) -> None:
    with contextlib.suppress(OSError, AttributeError):
        sys.stderr.write("terminated; nothing was written\n")
    sys.exit(143)


_ASCII = {"·": "*", "η": "eta", "µ": "u", "∂": "d", "β": "beta", "ε": "eps", "α": "alpha", "δ": "delta", "λ": "lambda"}
_ASCII |= {"μ": "mu", "ρ": "rho", "ψ": "psi", "—": "-", "→": "->", "–": "-", "−": "-", "ü": "ue", "✓": "+", "✗": "x"}


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_ASCII.get(sign, f"\\u{ord(sign):04x}") for sign in error.object[error.start : error.end]), error.end


def _plain_streams() -> None:
    """A stream that cannot hold a sign of ours gets its ASCII spelling instead of an exception."""
    codecs.register_error("chainrule", _spelt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="chainrule")
