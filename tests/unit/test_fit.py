"""The draw of `when_over: fit`: numbers by seed and text, and how far down the money reaches."""

from overnight.planning.fit import ALL, NONE, Draw, Drawn, bound_within


def drawn(*rows: tuple[int, int]) -> Drawn:
    made = Drawn()
    for number, size_bytes in rows:
        made.add(number, size_bytes)
    return made


class TestDraw:
    def test_the_number_of_a_text_never_changes(self) -> None:
        """Another version that draws otherwise would tear a sample apart that was begun with this one."""
        assert Draw(7)(["Naps help."]) == 4384331574043658603
        assert Draw(1)(["Naps", "Naps help."]) == 5277300742386542304

    def test_it_is_of_the_seed_and_of_each_text_in_order(self) -> None:
        numbers = {Draw(seed)(texts) for seed in (1, 2) for texts in (("a", "b"), ("b", "a"), ("ab",), ("a\nb",))}
        assert len(numbers) == 8
        assert all(NONE < number <= ALL for number in numbers)

    def test_short_and_long_texts_are_drawn_alike(self) -> None:
        draw = Draw(1)
        short = sum(draw([f"{n}"]) < ALL // 4 for n in range(4_000))
        long = sum(draw([f"{n}" * 500]) < ALL // 4 for n in range(4_000))
        assert abs(short - 1_000) < 110  # four standard errors
        assert abs(long - 1_000) < 110


class TestBound:
    def test_nobody_is_passed_over(self) -> None:
        """The second is too dear, so the third, which would fit, has to wait."""
        assert bound_within(drawn((10, 5), (30, 1), (20, 90)), lambda n, size, longest: size <= 20) == 10

    def test_all_and_none(self) -> None:
        rows = drawn((10, 5), (30, 1), (20, 90))
        assert bound_within(rows, lambda n, size, longest: True) == 30 == rows.last
        assert bound_within(rows, lambda n, size, longest: False) == NONE
        assert bound_within(Drawn(), lambda n, size, longest: True) == NONE

    def test_it_is_told_how_many_how_large_and_the_longest(self) -> None:
        seen: list[tuple[int, int, int]] = []
        bound_within(drawn((3, 7), (1, 5), (2, 2)), lambda *sums: bool(seen.append(sums)) or True)
        assert set(seen) <= {(1, 5, 5), (2, 7, 5), (3, 14, 7)}
        assert (3, 14, 7) in seen

    def test_requests_of_one_record_stay_together(self) -> None:
        assert list(drawn((10, 5), (10, 7), (4, 1)).in_order()) == [(4, 1, 1, 1), (10, 2, 12, 7)]
