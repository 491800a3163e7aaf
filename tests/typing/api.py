"""The public API as users write it; mypy --strict reads this, nobody runs it."""

from decimal import Decimal
from pathlib import Path
from typing import assert_type

import overnight
from overnight.api import Checked, Planned
from overnight.core.outcome import ProblemKind
from overnight.run.publish import Closing

study = overnight.open("study.yaml")
assert_type(study, overnight.StudyFile)
assert_type(study.check(), Checked)
assert_type(overnight.open(Path("study.yaml")).plan(), Planned)
assert_type(study.run(max_usd="5", ask=lambda question: "?" in question), Closing)
assert_type(study.pilot(50, seed=1, max_usd="5"), Closing)
assert_type(study.run(max_usd=Decimal("2.50")).cost, overnight.Usd | None)
assert_type(study.status().problems[ProblemKind.BLOCKED], int)

study.run(max_usd=0.1)  # type: ignore[arg-type]  # no floats near money
overnight.Usd(0.1)  # type: ignore[arg-type]
overnight.Usd("0.1") * 0.5  # type: ignore[operator]
