"""local-cloud, demo: the embedded Google Cloud on its own, and the study that shows what it does."""

import argparse
import sys
from pathlib import Path
from typing import Final

from overnight.cli.arguments import add_command, add_json, whole
from overnight.cli.output import say
from overnight.errors import UsageError


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    local = add_command(
        commands, "local-cloud", "the embedded Google Cloud on its own, for any Google client", _local_cloud
    )
    local.add_argument("--port", type=_port, default=0, metavar="N", help="0, the default: any free one")
    local.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder where it keeps everything")
    local.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help="see docs/reference/local-cloud.md"
    )
    local.add_argument("--faults", type=Path, metavar="FILE", help="fault plans, see docs/reference/faults.md")

    demo = add_command(commands, "demo", "1,100 fictional abstracts through the local cloud", _demo)
    demo.add_argument("folder", nargs="?", type=Path, help="where to put the study (default: overnight-demo)")
    demo.add_argument(
        "--pubmedqa", action="store_true", help="fetch PubMedQA's 1,000 real abstracts (MIT) and use them"
    )
    add_json(demo)


_ENDS: Final = {0: 0, 2: 2, 3: 2, 4: 2}
"""Its exit codes as ours. What was said (a bad switch, a folder in use, a port taken) is of the command line."""


def _port(text: str) -> int:
    number = whole(text)
    if number > 65535:
        raise UsageError(f"{text!r} is no port", hint="Ports go up to 65535; leave --port out for any free one.")
    return number


def _local_cloud(arguments: argparse.Namespace) -> int:
    """A process of its own, reached only over HTTP: nothing of ours imports it. It ends when we do, however we do."""
    import subprocess

    command = [sys.executable, "-m", "overnight.localcloud", "--with-parent"]
    command += ["--port", str(arguments.port), "--data", str(arguments.data)]
    for switch in arguments.switch:
        command += ["--switch", switch]
    if arguments.faults:
        command += ["--faults", str(arguments.faults)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        try:
            return _ENDS.get(child.wait(), 1)
        except KeyboardInterrupt:
            child.stdin.close()  # it ends when its standard input does; let it close its files
            child.wait()
            return 0


def _demo(arguments: argparse.Namespace) -> int:
    from overnight.cli.main import main

    folder: Path = arguments.folder or Path("overnight-demo-pubmedqa" if arguments.pubmedqa else "overnight-demo")
    if not (folder / "study.yaml").exists():
        if arguments.pubmedqa:
            from overnight.demo.pubmedqa import fetch_pubmedqa

            fetch_pubmedqa(folder)
        else:
            from overnight.demo.example import write_example

            write_example(folder)
        say(f"the demo study is in {folder}")
    return main(["run", str(folder / "study.yaml"), *(["--json"] if arguments.json else [])])
