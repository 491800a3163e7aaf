"""T11: a ledger of a million requests: their lines written, folded into standings, looked up, and settled."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import orjson

from bench.disk import output_line
from bench.figures import Figure
from bench.measure import Runner, Values, measured
from bench.sizes import Sizes
from bench.texts import texts
from overnight.core.outcome import Identity, Outcome
from overnight.core.recipe import Part, Recipe
from overnight.core.states import JobStatus
from overnight.core.usage import Usage
from overnight.ledger.ledger import Ledger
from overnight.ledger.shards import Place
from overnight.planning.standing import Policy, Standings
from overnight.planning.wants import is_to_send
from overnight.requests.render import Renderer
from overnight.requests.shards import SentRow

_MODEL = "gemini-3.8-flash"
_NOW = "2026-11-22T02:14:07Z"
_ANSWER = orjson.dumps(
    {
        "topic": "night work",
        "design": "trial",
        "participants": 112,
        "planned": True,
        "finding": "Those who slept before the shift reacted faster at four in the morning; the gain was small.",
        "quote": "A planned nap of thirty minutes was compared with none.",
    }
)


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    given = {"n": sizes.ledger, "per_shard": sizes.shard}
    found = runner.rounds_of(
        {
            "orjson.loads": ("bench.ledger:loads", {"n": min(20_000, sizes.ledger)}),
            "ledger": ("bench.ledger:life", given),
        }
    )
    n, life = sizes.ledger, found["ledger"]
    loads_s = found["orjson.loads"]["cpu_s"] / min(20_000, n)
    steps = ("insert", "fold", "difference", "settle", "refold")
    each = {step: life[f"{step}_cpu_s"] / n for step in steps}
    whole = sum(each.values())
    words = ", ".join(f"{step} {each[step] * 1e6:.2f}" for step in steps)
    return [
        Figure("T11", f"ledger and join of {n:,} requests: CPU a row over orjson.loads of the line", whole / loads_s,
               "x", 0.3, 0.1, note=f"µs a row: {words}; orjson.loads {loads_s * 1e6:.2f}"),
        Figure("T11", "the join alone (difference, standings folded)", (each["fold"] + each["difference"]) / loads_s,
               "x", 0.3, 0.1),
        Figure("", f"file of the ledger, {n:,} requests settled", life["file_mb"], "MB",
               note=f"peak {life['refold_peak_mb']:.0f} MB"),
    ]  # fmt: skip


def life(n: int, per_shard: int) -> Values:
    values: Values = {}
    draw = Random(3)
    addresses = [draw.randbytes(16) for _ in range(n)]
    status = JobStatus("jobs/1", "JOB_STATE_SUCCEEDED")
    recipe = Recipe("answer", "", (Part("slot", "text"),), {"type": "object"}, {}, "own")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        with Ledger.open(path, study="bench", now=_NOW) as ledger:
            with measured(values, "insert_"):
                _insert(ledger, recipe, addresses, per_shard, status)
            with measured(values, "fold_"):
                standings = _standings(ledger)
            policy = Policy(3, lambda _: 1000)
            with measured(values, "difference_"):
                open_ = sum(is_to_send(standings[address], policy) for address in addresses)
            assert open_ == 0
            del standings
            with measured(values, "settle_"):
                _settle(ledger)
            with measured(values, "refold_"):
                standings = _standings(ledger)
            assert sum(policy.settled(standings[address]) for address in addresses) == n
        values["file_mb"] = path.stat().st_size / 1e6
    values["cpu_s"] = sum(value for name, value in values.items() if name.endswith("cpu_s"))
    return values


def _insert(ledger: Ledger, recipe: Recipe, addresses: list[bytes], per_shard: int, status: JobStatus) -> None:
    with ledger.transaction():
        ledger.recipes.store(recipe)
    for start in range(0, len(addresses), per_shard):
        label = f"s{start}"
        shard = ledger.shards.intend(
            realm="stand-in",
            stage="answer",
            recipe=recipe.digest,
            model="m",
            max_output_tokens=1000,
            label=label,
            place=Place("disk", "", "", "", label, label),
            now=_NOW,
        )
        part = addresses[start : start + per_shard]
        ledger.shards.staged(shard, [SentRow(address, 1, address) for address in part], 1)
        ledger.shards.submitting(shard, None, ())
        ledger.shards.submitted(shard, status, _NOW)


def _settle(ledger: Ledger) -> None:
    """As collecting does it: a shard's rows read back, its outcomes written in one transaction."""
    usage = Usage(900, 0, 830, 212)
    for shard in ledger.shards.all("stand-in"):
        expected = {address: attempt for address, attempt, _ in ledger.shards.rows(shard.id)}
        with ledger.outcomes.collecting(shard.id, _NOW) as collecting:
            for number, (address, attempt) in enumerate(expected.items()):
                source = f"s/00-predictions.jsonl.gz:{number}"
                collecting.write.outcome(
                    Outcome(address, attempt, None, _ANSWER, "", usage, _MODEL, "STOP", Identity.KEY, _NOW, source)
                )


def _standings(ledger: Ledger) -> Standings:
    outcomes = ledger.outcomes
    return Standings(outcomes.sent("stand-in"), outcomes.ended("stand-in"), outcomes.reopened())


def loads(n: int) -> Values:
    """The yardstick: output lines of these texts."""
    lines = list(_lines(n))
    values: Values = {}
    with measured(values):
        for line in lines:
            orjson.loads(line)
    return values


def _lines(n: int) -> Iterator[bytes]:
    system = "You read abstracts of studies about people who work at night. " * 15
    recipe = Recipe("answer", system, (Part("slot", "text"),), {"type": "object"}, {}, "own")
    renderer = Renderer(recipe, 1000)
    for number, text in enumerate(texts(n)):
        yield output_line(renderer.line(bytes(16), 1, [text]).data, number, _MODEL)
