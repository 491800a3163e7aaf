"""How much each benchmark works on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows. few, middle, many: for growth. startup_times: runs of a command of milliseconds."""

    render: int
    few: int
    middle: int
    many: int
    collect: int
    ledger: int
    shard: int
    transfer: int
    person: int
    identity: int
    startup_times: int


FULL = Sizes(100_000, 10_000, 100_000, 1_000_000, 100_000, 1_000_000, 200_000, 100_000, 1_100, 20_000, 15)
QUICK = Sizes(20_000, 2_000, 10_000, 50_000, 20_000, 100_000, 20_000, 20_000, 1_100, 10_000, 5)
TINY = Sizes(40, 20, 30, 60, 200, 400, 100, 40, 20, 400, 1)
