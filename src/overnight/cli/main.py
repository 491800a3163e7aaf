"""`overnight …`: reads the command line, calls one command, turns what stops it into a message and an exit code.

Nothing heavy is imported here: `overnight --help` is argparse and little else.
"""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import NoReturn

from overnight.cli import (
    cloud,
    duplicates,
    exporting,
    jobs,
    looking,
    models,
    prompts,
    recovering,
    reopening,
    running,
    studies,
)
from overnight.cli.output import answer, mute, say
from overnight.errors import OutputError, OvernightError, UsageError

_GROUPS = (studies, looking, duplicates, running, reopening, exporting, jobs, recovering, models, prompts, cloud)

STOPPED = 130
"""The exit code after Ctrl-C with no job under way."""

_HELP = """\
A table of texts in, a table of verified answers out, overnight, at half price:
Gemini batch on Vertex AI, or the embedded local cloud if the study names none.

  init         write a commented study.yaml
  check        everything wrong with a study, at once; spends nothing
  plan         what would be sent, why, and what it may cost
  pilot        ask some records first; measure what the whole will cost
  run          send what is missing, wait, collect, write results
  status       how it stands
  export       results as a table, as references, or for ASReview and Rayyan

More:
  records      what is in files, without a study; --to converts them
  demo         1,100 fictional abstracts through the local cloud
  duplicates   pairs of records that may be one, for a yes or no
  fetch        collect and write results, never send; --reparse: from raw lines
  retry        open requests that were given up
  cancel       cancel running jobs; what is done is kept
  forget       open the answers of single records
  adopt        a job made by hand becomes one of the study's
  clean        remove the study's files from the bucket, and its ended jobs
  recover      make a lost or damaged ledger again, from the bucket
  models       what each model can, costs, until when; a study's cost with each
  prompts      the instructions to the model, and copies of them to edit
  local-cloud  the embedded Google Cloud on its own, for any Google client

`overnight COMMAND --help` says more.
The study is ./study.yaml unless you name one.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"`{self.prog} --help` says what it takes.")


def parser() -> argparse.ArgumentParser:
    made = _Parser(
        prog="overnight",
        usage="overnight COMMAND [study.yaml] [options]",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    made.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    made.add_argument("--version", action="store_true", help=argparse.SUPPRESS)
    commands = made.add_subparsers(
        dest="command", metavar="COMMAND", prog="overnight", help=argparse.SUPPRESS, parser_class=_Parser
    )
    for group in _GROUPS:
        group.add(commands)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code of errors.py; 130 after Ctrl-C or SIGTERM with no job under way."""
    _speak_utf8()
    with _sigterm_as_ctrl_c():
        try:
            code = _command(argv)
            sys.stdout.flush()
        except OvernightError as error:
            return _told(error)
        except KeyboardInterrupt:
            say("overnight: stopped; what was done is kept, and the same command goes on from there")
            return STOPPED
        except BrokenPipeError:  # `overnight plan | head`: the reader has seen enough
            mute(sys.stdout)
            return 0
        except OSError as error:
            return _told(_of_the_system(error))
    return code


def _command(argv: Sequence[str] | None) -> int:
    made = parser()
    try:
        arguments, unknown = made.parse_known_args(argv)
    except SystemExit as end:  # argparse ends this way after --help
        return int(end.code or 0)
    if unknown:  # argparse would name the program, not the command that does not take them
        asked = f"overnight {arguments.command or ''}".strip()
        raise UsageError(f"{asked} does not take {' '.join(unknown)}", hint=f"`{asked} --help` says what it takes.")
    if arguments.version:
        from importlib.metadata import version

        answer(f"overnight {version('overnight')}")
        return 0
    if arguments.command is None:
        answer(made.format_help().rstrip("\n"))
        return 0
    code: int = arguments.call(arguments)
    return code


def _told(error: OvernightError) -> int:
    """The reason is the last thing read: after what is on standard output."""
    try:
        sys.stdout.flush()
    except OSError:
        mute(sys.stdout)
    say(f"overnight: {error}")
    return error.exit_code


def _of_the_system(error: OSError) -> OutputError:
    """What the disk or the system refused in a place where no step has better words for it."""
    return OutputError(
        f"the system refused: {error.strerror or error}",
        where=str(error.filename or ""),
        hint="Make room or give the right to write there, then run again: what was done is in the ledger and is kept.",
    )


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """A machine that stops us gets what a person gets: the local cloud is closed, running jobs are left running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _speak_utf8() -> None:
    """Records hold every alphabet; a terminal that cannot show a character gets a replacement, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    sys.exit(main())
