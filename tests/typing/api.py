"""The public API as users write it; mypy --strict reads this, nobody runs it."""

from decimal import Decimal
from pathlib import Path
from typing import assert_type

import overnight
from overnight.api import Checked, Planned
from overnight.core.outcome import ProblemKind
from overnight.run.publish import Closing

assert_type(overnight.check("study.yaml"), Checked)
assert_type(overnight.plan(Path("study.yaml")), Planned)
assert_type(overnight.run("study.yaml", max_usd="5", ask=lambda question: "?" in question), Closing)
assert_type(overnight.run("study.yaml", max_usd=Decimal("2.50")).cost, overnight.Usd | None)
assert_type(overnight.status("study.yaml").problems[ProblemKind.BLOCKED], int)

overnight.run("study.yaml", max_usd=0.1)  # type: ignore[arg-type]  # no floats near money
overnight.Usd(0.1)  # type: ignore[arg-type]
overnight.Usd("0.1") * 0.5  # type: ignore[operator]
