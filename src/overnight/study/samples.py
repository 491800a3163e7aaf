"""`deep_think`: what cannot be, and what works and may not be meant."""

from collections.abc import Iterator

from overnight.errors import Finding
from overnight.study.models import DeepThinkSpec, ScreenSpec
from overnight.study.yaml_nodes import Document, KeyPath, show


def refuse_with_ask(document: Document) -> None:
    """Votes and adjudication are of verdicts: an `ask` has none."""
    hint = "Take it out; several answers of an `ask` cannot be compared by code."
    document.add("`deep_think` is for a `screen`", ("deep_think",), hint)


def warnings(document: Document, screen: ScreenSpec, deep_think: DeepThinkSpec | None) -> Iterator[Finding]:
    samples = 1 if deep_think is None else deep_think.samples
    if samples == 1 and "rule" in screen.model_fields_set:
        what = "with one sample a record, `rule` changes nothing: there is one decision to take"
        yield _warning(document, ("screen", "rule"), what, "Add deep_think: {samples: 3}, or take it out.")
    if deep_think is None:
        return
    if samples == 1 and deep_think.adjudicate == "contested":
        what = "with one sample a record, only a quote that is not there makes one contested"
        hint = "Write samples: 3, or leave `deep_think` out."
        yield _warning(document, ("deep_think", "samples"), what, hint)
    framings = set(map(deep_think.framing, range(1, samples + 1)))
    if samples > 1 and len(screen.criteria) == 1 and len(framings) == 1:
        what = (
            f"same prompt, repeated: with one criterion there is no order to change, so all {samples} samples are asked"
            " in the very same words"
        )
        hint = "They differ by chance alone, and agree more often than they are right; a second criterion turns them."
        yield _warning(document, ("deep_think", "samples"), what, hint)
    for one, other in (("for", "against"), ("against", "for")):
        if one in framings and other not in framings:
            what = f"a sample speaks {one} the record and none speaks {other} it: votes lean to that side"
            hint = f"Write framings: [neutral, {one}, {other}], or leave it out."
            yield _warning(document, ("deep_think", "framings"), what, hint)


def _warning(document: Document, path: KeyPath, what: str, hint: str) -> Finding:
    return Finding(what, show(path), document.file, document.line(path), hint, "warning")
