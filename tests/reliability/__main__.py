"""`python -m tests.reliability [--fewer] [--minutes N]` counts, and writes the table of explanation/reliability.md.

Ends with 1, and says each case, where something was lost, attached wrongly, paid twice, ended in a traceback, or
differed from what it should be. --fewer: each kind of point the first and the last time a scenario passes it, a shorter
state machine, and the page of problems is not walked; the page says so.
"""

import argparse
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.reliability.count import Counting, Counts
from tests.reliability.kinds import UNKNOWABLE

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "reliability.md"
BLOCK = re.compile(r"(<!-- counted: reliability -->\n).*?(<!-- end -->)", re.DOTALL)


def table(counts: Counts, *, fewer: bool) -> str:
    machine, wrong = counts.machine, counts.wrong
    rows = (
        ("Fault plans tried", counts.plans),
        ("Strikes of fault plans, those of the state machine among them", counts.strikes),
        ("Scenarios walked", counts.scenarios),
        ("Kinds of points at which a command was killed", len(counts.kinds_of_points)),
        ("Kill points × resumes: commands killed and given again", counts.pairs),
        ("State machine: runs", machine["runs"]),
        ("State machine: steps", machine["steps"]),
        ("State machine: commands killed", machine["kills"]),
        ("**Rows lost**", wrong.rows_lost),
        ("**Answers attached wrongly**", wrong.attached_wrongly),
        ("**Jobs or requests paid twice**", wrong.paid_twice),
        ("**Tracebacks**", wrong.tracebacks),
    )
    lines = ["| what | count |", "|---|---:|", *(f"| {what} | {count:,} |" for what, count in rows)]
    day = datetime.now(UTC).date()
    which = "Every point of every scenario"
    if fewer:
        which = "Of each kind of point the first and the last in a scenario, the page of problems left out"
    if counts.cut_short:
        which += ", as far as the time given went"
    return "\n".join([*lines, "", f"{which}. Counted on {day}, in {counts.seconds / 60:.0f} minutes on two cores."])


def _tell(words: str) -> None:
    """On the real standard output: commands that run in this process have it turned elsewhere."""
    print(f"WRONG {words}", file=sys.__stdout__, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fewer", action="store_true")
    parser.add_argument("--minutes", type=float, default=0, help="nothing new is begun after so many")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reliability-", ignore_cleanup_errors=True) as folder:
        counts = Counting(Path(folder), _tell, fewer=arguments.fewer, minutes=arguments.minutes).all()
    made = table(counts, fewer=arguments.fewer)
    print(made)
    print(
        f"Not tried, for no client can know of it: {', '.join(f'{kind} ({why})' for kind, why in UNKNOWABLE.items())}"
    )
    if counts.wrong.any:
        print(f"{len(counts.wrong.words)} cases are wrong; the page was left as it is", file=sys.stderr)
        return 1
    before = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda found: f"{found[1]}{made}\n{found[2]}", before), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
