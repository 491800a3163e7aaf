"""Sentence patterns -> sentences.

A pattern is a line of text with

    [one|another|]      one of these, drawn anew each time; may hold slots, and brackets inside brackets
    {people}            a word of the list `people`; the same one everywhere in an abstract. {people2}: a different one
                        "people/hospital" is the list of {people} where the abstract's {sector} is hospital
    {12..40} {1.5..4.0} a number, drawn anew each time; {n} with the list entry "24..180" is a number that stays
    {half} {rest} {kept}  n halved, the other half, those of n who finished
    {of nap_min 40..90} that many percent of a number drawn before
    {ci 4..19 ms}       an effect with its interval, clear of zero: 11.3 ms (95% CI 4.2 to 18.4)
    {no 6 ms}           an effect with an interval across zero
    {or 1.2..2.8}       a ratio with its interval, clear of one
    {p} {ns}            a small p-value; a large one
"""

import re
from collections.abc import Mapping, Sequence

from overnight.demo.draw import Draw

Words = Mapping[str, Sequence[str]]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([^{}]+)\}")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)")
_DEEPEST = 8  # patterns in words in patterns; a loop in the lists would pass it


class Phrasebook:
    """Fills the patterns of one abstract: words drawn once stay the same until the abstract ends."""

    def __init__(self, words: Words, draw: Draw) -> None:
        self._words, self._draw = words, draw
        self._drawn: dict[str, str] = {}
        self._minus = draw.pick(("−", "−", "-"))
        self._p = draw.pick(("P = {}", "p = {}", "p={}", "P={}"))
        self._interval = draw.pick(
            ("(95% CI {} to {})", "(95% CI {} to {})", "(95 % CI, {} to {})", "[95% CI: {}; {}]")
        )

    def fill(self, pattern: str) -> str:
        """The sentence, beginning with a capital. KeyError names a slot that no list has."""
        text = self._expand(pattern, 0).strip()
        return text[:1].upper() + text[1:]

    def _expand(self, pattern: str, depth: int) -> str:
        if depth > _DEEPEST:
            raise RecursionError(pattern)
        while (choice := _CHOICE.search(pattern)) is not None:
            chosen = self._draw.pick(choice[1].split("|"))
            pattern = pattern[: choice.start()] + chosen + pattern[choice.end() :]
        return _SLOT.sub(lambda slot: self._slot(slot[1], depth), pattern)

    def _slot(self, slot: str, depth: int) -> str:
        if bounds := _RANGE.fullmatch(slot):
            return self._number(bounds[1], bounds[2])
        head, _, rest = slot.partition(" ")
        match head:
            case "p":
                return self._small_p()
            case "ns":
                return self._p.format(self._number("0.08", "0.93"))
            case "ci" | "no" | "or":
                return self._effect(head, rest)
            case "of":
                return self._percent_of(*rest.split(" "))
            case "half" | "rest" | "kept":
                return self._part_of_n(head)
        if slot not in self._drawn:
            self._drawn[slot] = self._word(slot, depth)
        return self._drawn[slot]

    def _word(self, slot: str, depth: int) -> str:
        name = slot.rstrip("23456789")
        used = {word for key, word in self._drawn.items() if key.rstrip("23456789") == name}
        listed = self._words.get(name) or self._words[f"{name}/{self._slot('sector', depth)}"]
        options = [self._expand(option, depth + 1) for option in listed]
        fresh = [option for option in options if option not in used] or options
        chosen = self._draw.pick(fresh)
        bounds = _RANGE.fullmatch(chosen)
        return self._number(bounds[1], bounds[2]) if bounds else chosen

    def _number(self, low: str, high: str) -> str:
        """Between the two, with as many decimals as they are written with."""
        places = len(low.partition(".")[2])
        scale = 10**places
        drawn = self._draw.between(round(float(low) * scale), round(float(high) * scale))
        return f"{drawn / scale:.{places}f}"

    def _percent_of(self, name: str, percent: str) -> str:
        low, high = percent.split("..")
        return str(int(self._slot(name, 0)) * int(self._number(low, high)) // 100)

    def _part_of_n(self, part: str) -> str:
        n = int(self._slot("n", 0))
        if part == "kept" and "kept" not in self._drawn:
            self._drawn["kept"] = str(n - self._draw.between(1, max(1, n // 9)))
        return {"half": str(n // 2), "rest": str(n - n // 2)}.get(part) or self._drawn["kept"]

    def _small_p(self) -> str:
        if self._draw.chance(0.4):
            return self._p.replace("=", "<").format("0.001")
        return self._p.format(f"0.0{self._draw.between(10, 47):02d}"[: self._draw.pick((4, 5))])

    def _effect(self, head: str, rest: str) -> str:
        """Estimate and interval, reckoned in whole tenths (ratios: hundredths) so that no float is rounded two ways."""
        size, _, unit = rest.partition(" ")
        unit = unit and f" {unit}"
        if head == "or":
            return self._ratio(size)
        if head == "no":
            limit = _tenths(size)
            return self._with_interval(
                self._draw.between(-limit, limit) // 4, self._draw.between(limit // 2, limit), unit
            )
        value = self._draw.between(*(_tenths(bound) for bound in size.split("..")))
        return self._with_interval(value, self._draw.between(value * 3 // 10, value * 9 // 10), unit)

    def _ratio(self, size: str) -> str:
        value = self._draw.between(*(_tenths(bound) * 10 for bound in size.split("..")))
        width = self._draw.between(104, max(104, value * 97 // 100))
        low, high = (f"{part // 100}.{part % 100:02d}" for part in (value * 100 // width, value * width // 100))
        return f"{value // 100}.{value % 100:02d} {self._interval.format(low, high)}"

    def _with_interval(self, value_10: int, reach: int, unit: str) -> str:
        low, high = self._signed(value_10 - reach), self._signed(value_10 + reach)
        return f"{self._signed(value_10)}{unit} {self._interval.format(low, high)}"

    def _signed(self, tenths: int) -> str:
        return f"{self._minus if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10}"


def _tenths(number: str) -> int:
    return round(float(number) * 10)
