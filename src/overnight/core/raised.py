"""What stands above or below the line, in plain text: `10<sup>6</sup>` is a million and not 106."""

from typing import Final

_ABOVE: Final = str.maketrans("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ")
_BELOW: Final = str.maketrans("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎")


def raised(words: str, before: str, *, above: bool) -> str:
    """Unicode's small figures where it has all of them, else a `^` between two numbers, else the words alone.

    before: the character they stand behind, if any. above: or below.
    """
    table = _ABOVE if above else _BELOW
    if words and all(ord(char) in table for char in words):
        return words.translate(table)
    return f"^{words}" if above and before.isdigit() and (words[:1].isdigit() or words[:1] in ("-", "−")) else words
