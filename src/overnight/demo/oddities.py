"""What real exports do to titles and abstracts: section labels, markup, entities, odd spaces, quotes, line breaks.

Every change is made a sentence at a time, so that the sentence which shows a verdict is still known afterwards.
"""

from collections.abc import Callable, Sequence
from typing import Final

from overnight.demo.compose import Sentence
from overnight.demo.draw import Draw

_HEADINGS: Final = (
    {
        "background": "BACKGROUND",
        "aim": "OBJECTIVE",
        "who": "METHODS",
        "results": "RESULTS",
        "conclusion": "CONCLUSIONS",
    },
    {"background": "Introduction", "aim": "Aim", "who": "Methods", "results": "Results", "conclusion": "Conclusion"},
    {
        "background": "CONTEXT",
        "aim": "PURPOSE",
        "who": "DESIGN AND SETTING",
        "results": "FINDINGS",
        "conclusion": "INTERPRETATION",
    },
    {
        "background": "Background and aims",
        "who": "Material and methods",
        "results": "Results",
        "conclusion": "What this adds",
    },
)
_LABELLED: Final = ("{label}: {text}", "{label}\n{text}", "{label}. {text}", "{label} - {text}")

Change = Callable[[str], str]


def assemble(sentences: Sequence[Sentence], texts: Sequence[str], joint: str, draw: Draw, *, labelled: bool) -> str:
    """The abstract of `texts` (the sentences, changed), plain or under section labels."""
    if not labelled:
        return joint.join(texts)
    headings, form = draw.pick(_HEADINGS), draw.pick(_LABELLED)
    between = "\n" if "\n" in form or draw.chance(0.5) else " "
    blocks: list[tuple[str, list[str]]] = []
    for sentence, text in zip(sentences, texts, strict=True):
        label = _label(sentence.section, headings)
        if not blocks or blocks[-1][0] != label:
            blocks.append((label, []))
        blocks[-1][1].append(text)
    return between.join(form.format(label=label, text=joint.join(parts)) for label, parts in blocks)


def _label(section: str, headings: dict[str, str]) -> str:
    if section == "aim" and "aim" not in headings:
        return headings["background"]
    return headings.get(section, headings["who"])


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _markup(text: str) -> str:
    return (
        text.replace("P = ", "<i>P</i> = ")
        .replace("p = ", "<i>p</i> = ")
        .replace("P < ", "<i>P</i> &lt; ")
        .replace("p < ", "<i>p</i> &lt; ")
        .replace("I2", "I<sup>2</sup>")
    )


def _no_break(text: str) -> str:
    """A non-breaking space between each number and what follows it."""
    words = text.split(" ")
    joined = [word + ("\u00a0" if word[-1:].isdigit() else " ") for word in words[:-1]]
    return "".join(joined) + words[-1]


def _zero_width(text: str) -> str:
    return text.replace("-", "-\u200b", 1)


def _typographic(text: str) -> str:
    return text.replace("'", "’").replace(" - ", " – ")


def _quoted(text: str) -> str:
    return text.replace("alertness", '"alertness"', 1).replace("sleep ", '"sleep" ', 1)


def _hard_breaks(text: str) -> str:
    """Lines broken at about 70 characters, as copied from a PDF."""
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) > 70:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


CHANGES: Final[tuple[tuple[Change, int], ...]] = (
    (_markup, 60),
    (_entities, 60),
    (_no_break, 50),
    (_zero_width, 30),
    (_typographic, 100),
    (_quoted, 30),
    (_hard_breaks, 30),
)
"""Each with how many of a thousand abstracts get it; the rest stay as written."""


def change(texts: Sequence[str], draw: Draw) -> list[str]:
    """The sentences of one abstract with at most one of the changes made to all of them."""
    place = draw.below(1_000)
    for alter, per_thousand in CHANGES:
        if place < per_thousand:
            return [alter(text) for text in texts]
        place -= per_thousand
    return list(texts)
