"""`python -m tests.reliability` counts, and writes the table of docs/explanation/reliability.md.

Ends with 1, and leaves the page as it is, where anything was lost, attached wrongly, paid twice, ended in a traceback,
where a case differed from what it should be, and where the count is too small to say anything: each is named, with the
command that tries it again. --fewer, --only and --case are for trying: they never write the page.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.reliability.count import PARTS, Asked, Counting, Counts, shortfalls
from tests.reliability.kinds import UNKNOWABLE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "reliability.md"
BLOCK = re.compile(r"(<!-- counted: reliability -->\n).*?(<!-- end -->)", re.DOTALL)


def table(counts: Counts) -> str:
    machine, wrong = counts.machine, counts.wrong
    rows = (
        ("Fault plans tried", counts.plans),
        ("Fault plans that never struck", len(counts.idle)),
        ("Strikes of all fault plans", counts.strikes),
        ("Scenarios walked", counts.scenarios),
        ("Kinds of points at which a command was killed", len(counts.kinds_of_points)),
        ("Kill points × resumes: commands killed and given again", counts.pairs),
        ("State machine: lives", machine["lives"]),
        ("State machine: steps", machine["steps"]),
        ("State machine: commands", machine["commands"]),
        ("State machine: commands killed", machine["kills"]),
        ("State machine: strikes of fault plans", machine["strikes"]),
        ("State machine: edits of the study", machine["edits"]),
        ("**Rows lost**", wrong.rows_lost),
        ("**Answers attached wrongly**", wrong.attached_wrongly),
        ("**Jobs or requests paid twice**", wrong.paid_twice),
        ("**Tracebacks**", wrong.tracebacks),
    )
    return "\n".join(["| what | count |", "|---|---:|", *(f"| {what} | {count:,} |" for what, count in rows)])


def counted_when(counts: Counts) -> str:
    now = datetime.now(UTC)
    return f"Counted on {now:%Y-%m-%d at %H:%M} UTC, in {counts.seconds / 60:.0f} minutes, at {_commit()}."


def _commit() -> str:
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--", "src", "tests")
    except (OSError, subprocess.CalledProcessError):
        return "no commit: this is no repository"
    return f"commit `{commit}`" + (", with changes that are in no commit" if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _say(words: str) -> None:
    """On the real standard output: commands that run in this process have it turned elsewhere."""
    print(words, file=sys.__stdout__, flush=True)


def _asked(argv: list[str] | None) -> Asked:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fewer", action="store_true", help="a few cases of each part")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be given again")
    parser.add_argument("--case", default="", help="of the parts, only what is called so")
    parser.add_argument("--at", nargs=2, metavar=("POINT", "TIME"), help="of a scenario, only killed there")
    given = parser.parse_args(argv)
    at = (given.at[0], int(given.at[1])) if given.at else None
    return Asked(tuple(given.only or PARTS), given.fewer, given.case, at)


def main(argv: list[str] | None = None) -> int:
    asked = _asked(argv)
    folder = Path(tempfile.mkdtemp(prefix="reliability-"))
    counts = Counting(folder, _say, asked).all()
    _say(f"\n{table(counts)}\n\n{counted_when(counts)}")
    _say("Not tried, for no client can know of it: " + ", ".join(f"{kind} ({why})" for kind, why in UNKNOWABLE.items()))
    if counts.wrong.any:
        _say(f"What went wrong lies in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    if not asked.whole:
        _say("This was a try: the page was left as it is")
        return int(counts.wrong.any or bool(counts.idle))
    short = shortfalls(counts)
    if short:
        print("\n".join(["The page was left as it is:", *short]), file=sys.stderr)
        return 1
    write(PAGE, f"{table(counts)}\n\n{counted_when(counts)}")
    return 0


def write(page: Path, made: str) -> None:
    before = page.read_text(encoding="utf-8")
    after, n = BLOCK.subn(lambda found: f"{found[1]}{made}\n{found[2]}", before)
    assert n == 1, f"{page} has {n} places for the table"
    page.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
