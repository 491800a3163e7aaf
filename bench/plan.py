"""T15: what `plan` and `status` take beside reading the records once: before, after everything was answered, and after
the prompt was edited then, when each answer is looked up and priced."""

from pathlib import Path

from bench.figures import Figure
from bench.measure import Runner, Values, measured
from bench.memory import collect, plan, send
from bench.sizes import Sizes
from bench.study import make_study, opened
from overnight.run.publish import Closing, account

_WORDS, _OTHERS = "What was studied, how", "What was studied and how"


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    n = sizes.middle
    new, answered = work / f"plan-new-{n}", work / f"plan-answered-{n}"
    for folder in (new, answered):
        make_study(folder, n)
    runner.once("bench.plan:answer", folder=str(answered))
    found = runner.rounds_of(
        {
            "read": ("bench.plan:read", {"folder": str(new)}),
            "plan, all new": ("bench.memory:plan", {"folder": str(new)}),
            "plan, all answered": ("bench.memory:plan", {"folder": str(answered)}),
            "plan, prompt edited": ("bench.plan:edited", {"folder": str(answered)}),
            "status, all answered": ("bench.plan:status", {"folder": str(answered)}),
        }
    )
    reading = found.pop("read")["cpu_s"]
    return [
        Figure("T15", f"{name}, {n:,} rows: CPU over reading them", values["cpu_s"] / reading, "x", 6, 4,
               note=f"{values['cpu_s'] / n * 1e6:.1f} µs a row; reading {reading / n * 1e6:.1f}")
        for name, values in found.items()
    ]  # fmt: skip


def answer(folder: str) -> Values:
    """Done once."""
    with opened(folder) as world:
        done = bool(world.ledger.shards.all(world.realm, "collected"))
    return {} if done else {**send(folder), **collect(folder)}


def read(folder: str) -> Values:
    values: Values = {}
    with opened(folder, change=False) as world, measured(values):
        for _ in world.records:
            pass
    return values


def edited(folder: str) -> Values:
    path = Path(folder) / "study.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(_WORDS, _OTHERS), encoding="utf-8")
    try:
        return plan(folder)
    finally:
        path.write_text(text, encoding="utf-8")


def status(folder: str) -> Values:
    values: Values = {}
    with measured(values), opened(folder, change=False) as world:
        account(world, Closing(world.study, world.realm))
    return values
