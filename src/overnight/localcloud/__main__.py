"""`python -m overnight.localcloud --port N --data DIR`.

Exit codes: 0 ended, 2 command line, 3 the folder is served by another process, 4 the port or the folder cannot be used.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from overnight.localcloud.home import Home, HomeBusyError

if TYPE_CHECKING:
    from overnight.localcloud.faults.plan import Plan


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m overnight.localcloud",
        description="A local stand-in for Cloud Storage and Vertex AI batch. Not Google's, and no model answers.",
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 = any free one")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder for everything it keeps")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help="see docs/reference/local-cloud.md"
    )
    parser.add_argument(
        "--faults", type=Path, metavar="FILE", help="a JSON list of fault plans, see docs/reference/faults.md"
    )
    return parser.parse_args(argv)


def _switches(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    bad = [name for name, mark, _ in pairs if not mark]
    if bad:
        raise ValueError(f"--switch {bad[0]}: write NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _plans(file: Path | None) -> "list[Plan]":
    """Raises ValueError with what is wrong in the file."""
    from overnight.localcloud.faults.plan import read_plans

    if file is None:
        return []
    try:
        return read_plans(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise ValueError(f"--faults {file}: {error}") from error


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    home = Home(arguments.data)
    try:
        home.open()
    except HomeBusyError as error:
        print(error, file=sys.stderr)
        return 3
    except OSError as error:
        print(f"{arguments.data} cannot be used ({error}): choose another --data folder", file=sys.stderr)
        return 4
    try:
        return _serve(home, arguments)
    finally:
        home.close()


def _serve(home: Home, arguments: argparse.Namespace) -> int:
    from overnight.localcloud.app import Cloud
    from overnight.localcloud.server import Server, bind, end_with_parent

    cloud = Cloud(home)
    try:
        cloud.switches.set(_switches(arguments.switch), keep_strikes=True)
        cloud.faults.put(_plans(arguments.faults), keep=True)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        listener = bind(arguments.port)
    except OSError as error:
        print(f"port {arguments.port} on 127.0.0.1 cannot be used ({error}): choose another --port", file=sys.stderr)
        return 4

    def announce(endpoint: str) -> None:
        cloud.control.token = home.announce(endpoint)
        print(f"LOCAL STAND-IN for Google Cloud at {endpoint}, data in {home.root}", flush=True)

    server = Server(cloud.app, announce)
    cloud.refusals.stop_listening = server.stop_listening
    cloud.control.stop = lambda: setattr(server, "should_exit", True)
    if arguments.with_parent:
        end_with_parent(server)
    server.run(sockets=[listener])
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
