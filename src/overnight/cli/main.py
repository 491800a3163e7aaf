"""`overnight …`: reads the command line, calls one command, turns what stops it into a message and an exit code.

Nothing heavy is imported here: `overnight --help` is argparse and little else.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from overnight.cli import cloud, exporting, reopening, running, studies
from overnight.errors import OvernightError, UsageError

_GROUPS = (studies, running, reopening, exporting, cloud)

_HELP = """\
A table of texts in, a table of verified answers out, overnight, at half price:
Gemini batch on Vertex AI, or the embedded local cloud when the study names none.

  init         write a commented study.yaml
  check        everything wrong with a study, at once; spends nothing
  plan         what would be sent, why, and what it may cost
  run          send what is missing, wait, collect, write results
  status       how it stands
  export       results as CSV, XLSX, Parquet or JSONL

More:
  demo         1,100 fictional abstracts through the local cloud
  fetch        collect and write results, never send; --reparse reads raw output again
  retry        open requests that were given up
  cancel       cancel running jobs; what is done is kept
  forget       open the answers of single records
  local-cloud  the embedded Google Cloud on its own, for any Google client

`overnight COMMAND --help` says more. The study is ./study.yaml unless you name one.
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
    commands = made.add_subparsers(dest="command", metavar="COMMAND", help=argparse.SUPPRESS, parser_class=_Parser)
    for group in _GROUPS:
        group.add(commands)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code of errors.py; 130 after Ctrl-C with nothing under way."""
    _speak_utf8()
    try:
        return _command(argv)
    except OvernightError as error:
        print(f"overnight: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("overnight: stopped; nothing is under way, and what was done is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `overnight plan | head`: the reader has seen enough
        sys.stderr.close()
        return 0


def _command(argv: Sequence[str] | None) -> int:
    made = parser()
    arguments = made.parse_args(argv)
    if arguments.version:
        from importlib.metadata import version

        print(f"overnight {version('overnight')}")
        return 0
    if arguments.command is None:
        made.print_help()
        return 0
    code: int = arguments.call(arguments)
    return code


def _speak_utf8() -> None:
    """Records hold every alphabet; a terminal that cannot show a character gets a replacement, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    sys.exit(main())
