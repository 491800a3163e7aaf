"""Room for answers in a plan's words: each thing once, whatever number of samples it holds for."""

from overnight.cli.plan import room_lines
from overnight.pricing.room import ENOUGH_ANSWERS, Room, Seen, first_room

BY_MODEL = 20_334
NEW = "20,334 tokens an answer, by model and thinking; 50 answers will tell better."
KNOWN = "20,334 → 4,096 tokens an answer: the largest of 50 took 2,456."


def rooms(*n_answers: int, stage: str = "screen") -> list[tuple[str, Room]]:
    return [(stage, first_room(BY_MODEL, Seen(n, 2_456))) for n in n_answers]


def test_samples_with_the_same_room_are_one_line() -> None:
    assert list(room_lines(rooms(0))) == [f"  Room: {NEW}"]
    assert list(room_lines(rooms(12, 0, 8))) == [f"  Room: {NEW}"], "few answers, more or less, change no word"


def test_where_samples_of_a_stage_differ_it_is_said_of_how_many_each_is_true() -> None:
    assert list(room_lines(rooms(ENOUGH_ANSWERS, 0, 0))) == [
        f"  Room in screen, 1 of 3 recipes: {KNOWN}",
        f"  Room in screen, 2 of 3 recipes: {NEW}",
    ]


def test_stages_are_told_apart() -> None:
    assert list(room_lines([*rooms(0, 0), *rooms(ENOUGH_ANSWERS, stage="adjudicate")])) == [
        f"  Room in screen: {NEW}",
        f"  Room in adjudicate: {KNOWN}",
    ]
