"""Money for mypy --strict: no float gets in, nothing but money goes with money. Nobody runs this."""

from decimal import Decimal
from typing import assert_type

from overnight.core.usage import Usd

assert_type(Usd("0.10") + Usd(Decimal(1)), Usd)
assert_type(Usd(2) - Usd(), Usd)
assert_type(Usd(2) * 3 * Decimal("0.5"), Usd)
assert_type(Usd(1) < Usd(2), bool)

Usd(0.1)  # type: ignore[arg-type]
Usd(1) + 0.1  # type: ignore[operator]
Usd(1) - 1  # type: ignore[operator]
Usd(1) * 0.5  # type: ignore[operator]
_ = Usd(1) < 1.0  # type: ignore[operator]
Usd(1).amount = 0.5  # type: ignore[assignment]
