"""Tokens and money: exact, no floats, rounded for people only."""

import copy
import decimal
import pickle
from decimal import Decimal

import pytest

from overnight.core.usage import NO_USAGE, Usage, Usd


class TestUsage:
    def test_nothing_said_is_not_zero(self) -> None:
        assert not NO_USAGE.known
        assert Usage(prompt=0).known
        assert Usage(0, 0, 0, 0) != NO_USAGE

    def test_thinking_and_answer_are_both_output(self) -> None:
        assert Usage(100, 50, 30, 7).output == 37
        assert (Usage(100, thinking=3).output, NO_USAGE.output) == (3, 0)


class TestUsd:
    @pytest.mark.parametrize("amount", [0.1, 1.0, True, None, float("nan"), b"1", 1j, Usd(1)])
    def test_made_of_decimal_int_or_text_only(self, amount: object) -> None:
        with pytest.raises(TypeError):
            Usd(amount)  # type: ignore[arg-type]

    @pytest.mark.parametrize("amount", ["", "abc", "1,5", "NaN", "Infinity", "-Infinity", Decimal("sNaN"), "1 USD"])
    def test_what_is_no_amount_is_refused(self, amount: str | Decimal) -> None:
        with pytest.raises(ValueError, match="no amount of money"):
            Usd(amount)

    @pytest.mark.parametrize("other", [0.1, 1, Decimal(1), "1", None])
    def test_only_money_goes_with_money(self, other: object) -> None:
        for operation in ("__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"):
            with pytest.raises(TypeError):
                getattr(Usd(1), operation)(other)
        assert Usd(1) != other

    @pytest.mark.parametrize("factor", [0.5, True, "2", Usd(2), None])
    def test_it_is_multiplied_by_int_and_decimal_only(self, factor: object) -> None:
        with pytest.raises(TypeError):
            Usd(1) * factor  # type: ignore[operator]

    def test_arithmetic_is_exact(self) -> None:
        assert Usd("0.1") + Usd("0.2") == Usd("0.3")
        assert Usd("1000000000") + Usd("0.0000000000001") - Usd("1000000000") == Usd("0.0000000000001")
        assert Usd("0.0000003") * 1_234_567 == Usd("0.3703701")
        assert Usd("20") * Decimal("0.1") == Usd(2)

    def test_a_host_programs_decimal_context_does_not_round_it(self) -> None:
        with decimal.localcontext(decimal.Context(prec=3)):
            total = Usd("1234.5678") + Usd("0.0001")
            assert total.amount == Decimal("1234.5679")
            assert (str(total), total.exact(), (total * 2).exact()) == ("$1,234.57", "1234.5679", "2469.1358")

    def test_it_is_a_value(self) -> None:
        one = Usd("1.50")
        assert one == Usd(Decimal("1.5"))
        assert hash(one) == hash(Usd("1.5"))
        assert copy.deepcopy(one) == copy.copy(one) == pickle.loads(pickle.dumps(one)) == one
        assert (bool(one), bool(Usd("0.00"))) == (True, False)
        assert Usd(1) < one <= Usd(2)
        assert Usd(2) > one >= one
        for change in (lambda: setattr(one, "amount", Decimal(0)), lambda: delattr(one, "amount")):
            with pytest.raises(AttributeError, match="is a value"):
                change()

    @pytest.mark.parametrize(
        ("amount", "shown", "exact"),
        [
            ("0", "$0.00", "0"),
            ("-0", "$0.00", "0"),
            ("0E+5", "$0.00", "0"),
            ("20", "$20.00", "20"),
            ("100.00", "$100.00", "100"),
            ("1E+3", "$1,000.00", "1000"),
            ("1234567.885", "$1,234,567.89", "1234567.885"),
            ("0.005", "$0.005", "0.005"),
            ("0.00125", "$0.0012", "0.00125"),
            ("0.01", "$0.01", "0.01"),
            ("0.00000125", "$0.0000012", "0.00000125"),
            ("0.0000001", "<$0.000001", "0.0000001"),
            ("-0.53", "-$0.53", "-0.53"),
            ("-1234.5", "-$1,234.50", "-1234.5"),
            ("-0.0000001", "<-$0.000001", "-0.0000001"),
            ("1E+30", "$1,000,000,000,000,000,000,000,000,000,000.00", "1" + "0" * 30),
        ],
    )
    def test_for_people_and_for_machines(self, amount: str, shown: str, exact: str) -> None:
        assert (str(Usd(amount)), Usd(amount).exact()) == (shown, exact)
