"""Cutting requests into shards: the limits to the line and byte, one shape, order kept, nothing lost or doubled."""

import itertools
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overnight.core.identity import fingerprint
from overnight.core.recipe import Recipe
from overnight.errors import OvernightError
from overnight.requests.render import Renderer
from overnight.requests.shards import Peekable, SentRow, Shape, Shard, ShardLimits, ToRender
from tests.support.recipes import SCHEMA, recipe

RECIPE = recipe()
SHAPE = Shape("answer", RECIPE.digest, 100)
RENDERER = Renderer(RECIPE, 100)
FRAME = len(RENDERER.line(bytes(16), 1, [""]).data)
"""Bytes of a line with an empty text."""


def requests(*texts: str) -> list[ToRender]:
    return [ToRender(number.to_bytes(16, "big"), 1, (text,)) for number, text in enumerate(texts)]


def always(n_requests: int, size_bytes: int, longest_bytes: int) -> bool:
    return True


def cut(
    asked: list[ToRender],
    limits: ShardLimits,
    fits: Callable[[int, int, int], bool] = always,
    made: Recipe = RECIPE,
) -> list[tuple[Shard, list[bytes]]]:
    source = Peekable(iter(asked))
    shards = []
    while source.peek() is not None:
        shard = Shard(SHAPE, source, Renderer(made, 100), limits, fits)
        shards.append((shard, list(shard.lines())))
    return shards


@pytest.mark.parametrize(("n", "sizes"), [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_a_shard_holds_as_many_lines_as_it_may_and_no_more(n: int, sizes: list[int]) -> None:
    shards = cut(requests(*"x" * n), ShardLimits(max_lines=3))
    assert [len(lines) for _, lines in shards] == sizes


def test_a_shard_holds_as_many_bytes_as_it_may_and_no_more() -> None:
    two = ShardLimits(max_bytes=2 * FRAME + 10)
    assert [len(lines) for _, lines in cut(requests("a" * 5, "b" * 5, "c"), two)] == [2, 1]
    assert [len(lines) for _, lines in cut(requests("a" * 5, "b" * 6, "c"), two)] == [1, 2], "one byte too many"
    assert [len(lines) for _, lines in cut(requests("a" * 5, "é" * 3, "c"), two)] == [1, 2], "bytes, not characters"


def test_a_request_larger_than_a_whole_file_is_refused_and_a_just_fitting_one_is_not() -> None:
    limits = ShardLimits(max_bytes=FRAME + 10)
    assert [len(lines) for _, lines in cut(requests("a" * 10, "b"), limits)] == [1, 1]
    with pytest.raises(OvernightError, match="more than a whole input file may be"):
        cut(requests("a" * 11), limits)
    with pytest.raises(OvernightError, match="more than a whole input file may be"):
        cut(requests("b", "a" * 11), limits)


def test_money_cuts_too_but_is_not_asked_about_the_first_line() -> None:
    asked: list[tuple[int, int, int]] = []

    def fits(*sizes: int) -> bool:
        asked.append(sizes)  # type: ignore[arg-type]
        return sizes[0] <= 2

    shards = cut(requests("a", "bbb", "c"), ShardLimits(), fits)
    assert [len(lines) for _, lines in shards] == [2, 1]
    assert asked == [(2, 2 * FRAME + 4, FRAME + 3), (3, 3 * FRAME + 5, FRAME + 3)]


def test_a_line_the_importer_would_refuse_stops_everything_before_a_byte_goes_out() -> None:
    bad: dict[str, Any] = {**SCHEMA, "properties": {"night shift": {"type": "string"}}}
    source = Peekable(iter(requests("a")))
    shard = Shard(SHAPE, source, Renderer(recipe(schema=bad), 100), ShardLimits(), always)
    with pytest.raises(OvernightError, match="'night shift' is no column name") as caught:
        next(shard.lines())
    assert "Nothing was uploaded" in caught.value.hint
    assert (shard.rows, source.peek() is not None) == ([], True)


@given(st.lists(st.text(max_size=12), max_size=20), st.integers(1, 6), st.integers(FRAME + 72, 4 * FRAME))
def test_all_lines_in_order_none_lost_none_doubled_and_none_could_have_gone_before(
    texts: list[str], max_lines: int, max_bytes: int
) -> None:
    asked, limits = requests(*texts), ShardLimits(max_lines, max_bytes)
    shards = cut(asked, limits)
    lines = [line for _, lines in shards for line in lines]
    assert lines == [RENDERER.line(one.address, one.attempt, one.texts).data for one in asked]
    assert [row for shard, _ in shards for row in shard.rows] == [
        SentRow(one.address, one.attempt, fingerprint(one.texts[0])) for one in asked
    ]
    for shard, own in shards:
        assert shard.size_bytes == sum(map(len, own)) <= max_bytes
        assert shard.longest_bytes == max(map(len, own))
        assert len(own) <= max_lines
    for (shard, own), (_, following) in itertools.pairwise(shards):
        assert len(own) == max_lines or shard.size_bytes + len(following[0]) > max_bytes


@given(st.lists(st.text(max_size=12), min_size=1, max_size=9))
def test_lines_of_a_shard_differ_in_key_and_text_only(texts: list[str]) -> None:
    ((_, lines),) = cut(requests(*texts), ShardLimits())
    shapes = set()
    for number, line in enumerate(map(orjson.loads, lines)):
        assert line.pop("key") == f"k{number:032x}-a1"
        assert line["request"]["contents"][0]["parts"][0].pop("text") == texts[number]
        shapes.add(orjson.dumps(line))
    assert len(shapes) == 1
