"""status: how a study stands, without touching it. May be asked while another process runs it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from overnight.cli.output import heard
from overnight.cli.summary import closing_lines
from overnight.cli.words import counted
from overnight.core.realm import is_simulated
from overnight.core.states import JOB_STATES
from overnight.ledger.shards import ShardFact
from overnight.planning.usual import aim_s
from overnight.run.publish import Closing, account
from overnight.run.stuck import Look, stuck
from overnight.run.world import World
from overnight.wiring.opening import open_study

_EVERY_S = 2.0


def status(path: Path, *, follow: bool, as_json: bool) -> int:
    told: list[str] = []
    read = True
    while True:
        with open_study(path, to_send=False) as opened:
            closing = Closing(opened.world.study, opened.world.realm)
            account(opened.world, closing)
            jobs = list(_jobs(opened.world))
        running = closing.in_flight > 0
        if as_json:
            read = heard(json.dumps({**closing.to_json(), "job_states": jobs}, ensure_ascii=False), whole=True)
        else:
            lines = [*_job_lines(jobs), *closing_lines(closing, path)]
            if lines != told:
                read = heard("\n".join(lines))
                told = lines
        if not (follow and running and read):
            return 0
        time.sleep(_EVERY_S)


def _jobs(world: World) -> Iterator[dict[str, Any]]:
    for shard in world.ledger.shards.all(world.realm, "submitting", "submitted", "collected"):
        unusual = _unusual(world, shard)
        yield {
            "shard": shard.id,
            "name": shard.job_name,
            "state": _state(shard),
            "requests": shard.n_rows,
            "unusual": unusual,
        }


def _unusual(world: World, shard: ShardFact) -> str | None:
    """Why a job that was under way when it was last looked at is worth a word. One of the local cloud stands still
    between two runs: nothing is known of it."""
    if is_simulated(world.realm):
        return None
    if shard.state != "submitted" or shard.job is None or shard.job.state not in JOB_STATES:
        return None
    found = stuck(world, Look(shard, shard.job, aim_s(world.realm)))
    return None if found is None else found.message


def _state(shard: ShardFact) -> str:
    if shard.state == "collected":
        return "collected"
    if shard.job is None:
        return shard.state
    return shard.job.state.removeprefix("JOB_STATE_").lower()


def _job_lines(jobs: list[dict[str, Any]]) -> Iterator[str]:
    running = [job for job in jobs if job["state"] != "collected"]
    for job in running:
        name = job["name"] or "no reply on record yet"
        yield f"job {job['shard']}: {job['state']}, {counted(job['requests'], 'request')}, {name}"
        if job["unusual"]:
            yield f"  when last looked at: {job['unusual']}"
    if running:
        yield ""
