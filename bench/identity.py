"""T14: wrong echoes that are caught, and right ones that raise a false alarm. Counts, not times."""

import random
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.disk import output_line
from bench.figures import Figure
from bench.measure import Runner, Values
from bench.sizes import Sizes
from bench.study import MODEL
from bench.texts import texts
from overnight.answers.match import Expected, Matcher, Taken
from overnight.answers.validate import validator
from overnight.core.identity import AddressMaker, fingerprint, loose_text
from overnight.core.outcome import Outcome, ProblemKind
from overnight.core.recipe import Part, Recipe
from overnight.requests.render import Renderer

_SCHEMA = {
    "type": "object",
    "properties": {"topic": {"type": "string"}, "participants": {"type": "integer"}},
    "required": ["topic", "participants"],
}
_RECIPE = Recipe("answer", "You read.", (Part("text", "Abstract:\n"), Part("slot", "text")), _SCHEMA, {}, "own")

Rewrite = Callable[[dict[str, Any]], None]


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    values = runner.once("bench.identity:count", n=sizes.identity)
    swapped, caught = int(values["swapped"]), int(values["caught"])
    return [
        Figure("T14", f"wrong echoes caught, of {swapped:,}", caught, "", swapped, swapped, "higher"),
        Figure("T14", f"false alarms, {int(values['rewritten']):,} echoes rewritten as services do",
               values["alarms"], "", 0, 0, note=f"{int(values['loose']):,} matched loosely, and said so"),
        Figure("T14", "answers attached to a request that is not theirs", values["wrong"], "", 0, 0),
    ]  # fmt: skip


def count(n: int) -> Values:
    """n rows: one in 38 echoes another row's text, one in three is rewritten; all in another order."""
    rows, lines, swapped, rewritten = _rows(n)
    expected = {address: Expected(1, print_) for address, (print_, _) in rows.items()}
    loose = {address: fingerprint(loose_text(text)) for address, (_, text) in rows.items()}
    matcher = Matcher("stand-in", expected, validator(_SCHEMA), loose=lambda: loose)
    outcomes: list[Outcome] = []
    for number, line in enumerate(lines):
        found = matcher.line(line, str(number))
        if isinstance(found, Taken):
            outcomes.append(found.outcome)
    assert not list(matcher.rest())
    assert len(outcomes) == n
    mismatched = {outcome.address for outcome in outcomes if outcome.kind is ProblemKind.MISMATCHED}
    answered = [outcome for outcome in outcomes if outcome.kind is None]
    return {
        "swapped": len(swapped),
        "caught": len(mismatched & swapped),
        "alarms": len(mismatched - swapped),
        "wrong": sum(orjson.loads(one.answer)["participants"] != _mark(one.address) for one in answered),
        "rewritten": rewritten,
        "loose": sum(outcome.identity == "loose" for outcome in answered),
    }


def _mark(address: bytes) -> int:
    """A number that only the right answer of a request holds."""
    return int.from_bytes(address[:6])


def _rows(n: int) -> tuple[dict[bytes, tuple[bytes, str]], Iterator[bytes], set[bytes], int]:
    """(address → fingerprint and prompt, lines, addresses whose echo is another's, how many echoes are rewritten)."""
    address_of = AddressMaker("stand-in", MODEL, "answer", 1, _RECIPE.digest)
    renderer = Renderer(_RECIPE, 1000)
    prompts = list(texts(n))
    addresses = [address_of([text]) for text in prompts]
    wrong = list(range(5, n - 1, 38))
    other = dict(zip(wrong, wrong[1:] + wrong[:1], strict=True))
    rows: dict[bytes, tuple[bytes, str]] = {}
    values: list[dict[str, Any]] = []
    n_rewritten = 0
    for number, (address, text) in enumerate(zip(addresses, prompts, strict=True)):
        line = renderer.line(address, 1, [text])
        rows[address] = line.fingerprint, renderer.prompt_text([text])
        value = orjson.loads(output_line(line.data, number, MODEL))
        answer = orjson.dumps({"topic": "naps", "participants": _mark(address)}).decode()
        value["response"]["candidates"][0]["content"]["parts"][0]["text"] = answer
        if number in other:
            value["request"]["contents"][0]["parts"][0]["text"] = renderer.prompt_text([prompts[other[number]]])
        elif number % 3 == 0:
            _REWRITES[number // 3 % len(_REWRITES)](value["request"])
            n_rewritten += 1
        values.append(value)
    random.Random(5).shuffle(values)
    return rows, (orjson.dumps(value) for value in values), {addresses[number] for number in wrong}, n_rewritten


def _split_part(request: dict[str, Any]) -> None:
    text = request["contents"][0]["parts"][0]["text"]
    request["contents"][0]["parts"] = [{"text": text[:20]}, {"text": text[20:]}]


def _drop_role(request: dict[str, Any]) -> None:
    del request["contents"][0]["role"]


def _drop_defaults(request: dict[str, Any]) -> None:
    request.pop("systemInstruction", None)
    request["generationConfig"]["maxOutputTokens"] = 1000.0


def _snake_case(request: dict[str, Any]) -> None:
    request["generation_config"] = request.pop("generationConfig")


def _decomposed(request: dict[str, Any]) -> None:
    part = request["contents"][0]["parts"][0]
    part["text"] = unicodedata.normalize("NFD", part["text"])


def _line_ends(request: dict[str, Any]) -> None:
    part = request["contents"][0]["parts"][0]
    part["text"] = part["text"].replace("\n", "\r\n") + "\n"


def _reordered(request: dict[str, Any]) -> None:
    items = list(request.items())[::-1]
    request.clear()
    request.update(items)


_REWRITES: tuple[Rewrite, ...] = (
    _split_part, _drop_role, _drop_defaults, _snake_case, _decomposed, _line_ends, _reordered
)  # fmt: skip
