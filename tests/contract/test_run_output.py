"""Odd output: none where rows were done, rows twice, left-overs of a crash, a lost input, reading again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import pytest

from overnight.backends.backend import OutputFile
from overnight.core.states import JobStatus
from overnight.core.usage import Usd
from overnight.errors import BreakerError, NotFoundError
from overnight.ledger.shards import Place
from overnight.run import loop
from overnight.run.billing import study_bill
from overnight.run.world import Options
from tests.contract.test_run_loop import RECORDS, Desk, desk, forgiving, length
from tests.support.memory_backend import Line, MemoryBackend, answers, prompt_of

__all__ = ["desk"]  # a fixture


@dataclass
class Odd(MemoryBackend):
    """gone: no output although the service counts rows as done. chunk: the same rows beside the final file, again."""

    gone: bool = False
    chunk: bool = False
    inputless: bool = False

    def poll(self, place: Place, job: str) -> JobStatus:
        status = super().poll(place, job)
        return replace(status, succeeded=RECORDS) if status.state == "JOB_STATE_SUCCEEDED" else status

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        files = list(super().outputs(place, status))
        if self.gone:
            return []
        return [*files, *(replace(one, chunk=True) for one in files)] if self.chunk else files

    def fetch_input(self, place: Place, target: BinaryIO) -> None:
        if self.inputless:
            raise NotFoundError("no such object", code=404)
        super().fetch_input(place, target)


def cost(desk: Desk) -> Usd:
    with desk.world() as world:
        found = study_bill(world).total
        assert found is not None
        return found


def forget_all(desk: Desk) -> None:
    with desk.world() as world:
        standings = world.standings().items()
        world.ledger.outcomes.reopen([(address, one.attempts) for address, one in standings], "forget", "now")


def test_output_that_is_gone_although_rows_were_done_is_not_bought_again(desk: Desk) -> None:
    desk.backend = Odd(answers(length), gone=True)
    with pytest.raises(BreakerError):
        desk.run()
    assert len(desk.backend.created) == 1
    assert any("rows were done" in line for line in desk.told)
    desk.backend.gone = False
    desk.retry()
    assert desk.run().answers == RECORDS


def test_the_stop_shows_raw_lines_and_where_the_rest_is(desk: Desk) -> None:
    desk.backend = Odd(answers(lambda prompt: {"n": "a text where a number was asked for"}))
    with pytest.raises(BreakerError) as stopped:
        desk.run()
    said = str(stopped.value)
    assert said.count("invalid: Expected `int`, got `str` - at `$.n`") == 3
    assert said.count('{"processed_time"') == 3
    assert "a text where" not in said or "…" in said
    assert "/.overnight/raw/" in said.replace("\\", "/")


def test_a_chunk_with_the_rows_of_the_final_file_costs_nothing_more(desk: Desk) -> None:
    desk.backend = Odd(answers(length, model="gemini-3.5-flash-lite"))
    desk.run()
    once = cost(desk)
    assert once
    forget_all(desk)
    desk.backend.chunk = True
    closing = desk.run()
    assert (closing.answers, closing.strays.total()) == (RECORDS, RECORDS)
    assert cost(desk) == once * 2


def test_a_model_without_a_price_makes_the_cost_unknown_and_no_more_than_that(desk: Desk) -> None:
    desk.backend = Odd(answers(length, model="gemini-test"))
    assert desk.run().cost is None
    with desk.world() as world:
        (shard,) = world.ledger.shards.all(world.realm)
        assert shard.reserved is not None
        assert world.ledger.shards.committed(world.realm) == shard.reserved, "unknown keeps what was reserved"


def test_what_an_interrupted_collecting_left_is_not_read_again_beside_the_whole(desk: Desk) -> None:
    desk.backend = Odd(answers(length))
    desk.run()
    with desk.world() as world:
        (shard,) = world.ledger.shards.all(world.realm)
        kept = sorted((world.home.raw / shard.label).glob("*.gz"))
        assert len(kept) == 1
        (kept[0].parent / "99-left-over.jsonl.gz").write_bytes(kept[0].read_bytes())
    with desk.world() as world:  # collected anew, as after a crash before the commit
        with world.ledger.transaction() as db:
            db.execute("DELETE FROM outcome")
            db.execute("UPDATE shard SET state = 'submitted'")
        closing = loop.run(world, Options())
        assert closing.answers == RECORDS
        assert sorted((world.home.raw / shard.label).glob("*.gz")) == kept


def test_a_lost_input_makes_rows_mismatched_and_keeps_nothing_from_being_collected(desk: Desk) -> None:
    def spaced(line: Line) -> Line:
        return {**answers(length)(line), "request": {"contents": [{"parts": [{"text": f"{prompt_of(line)}  "}]}]}}

    desk.backend = Odd(spaced)
    assert desk.run().answers == RECORDS, "with the input at hand, white space is seen through"
    forget_all(desk)
    desk.study.attempts = 1
    desk.study.write()
    desk.backend = Odd(spaced, inputless=True)
    with pytest.raises(BreakerError):
        desk.run()
    assert any("its input is gone" in line for line in desk.told)


def test_reading_again_what_a_later_attempt_has_answered_keeps_the_sums(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.backend = MemoryBackend(lambda line: answers(half if line["key"].endswith("-a1") else length)(line))
    assert desk.run().answers == RECORDS
    assert len(desk.jobs) == 2
    monkeypatch.setattr("overnight.run.collect.validator", forgiving)
    with desk.world() as world:
        closing = loop.fetch(world, Options(), again=True)
    assert (closing.answers, closing.problems) == (RECORDS, {})


def half(prompt: str) -> Mapping[str, Any]:
    """Some of them in quotes, where a number was asked for."""
    value = length(prompt)
    return {name: str(one) for name, one in value.items()} if len(set(prompt)) % 3 == 0 else value
