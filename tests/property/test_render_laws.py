"""Laws: a line is the plain JSON of its request, its fingerprint that of the echo, and the importer takes it."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from overnight.answers.parse import parse_line
from overnight.core.identity import fingerprint, wire_key
from overnight.core.recipe import Recipe
from overnight.core.record import text_of
from overnight.requests.cleaning import clean
from overnight.requests.lint import lint_lines
from overnight.requests.render import Renderer, request_body
from tests.support.recipes import RECIPES, TEXTS

ADDRESSES = st.binary(min_size=16, max_size=16)


def plain_prompt(recipe: Recipe, texts: dict[str, str]) -> str:
    return "".join(part.value if part.kind == "text" else texts[part.value] for part in recipe.prompt)


@given(RECIPES, st.data(), ADDRESSES, st.integers(1, 99), st.integers(1, 65_536))
def test_a_line_is_the_plain_json_of_its_request(
    recipe: Recipe, data: st.DataObject, address: bytes, attempt: int, room: int
) -> None:
    texts = {slot: data.draw(TEXTS, slot) for slot in recipe.slots}
    line = Renderer(recipe, room).line(address, attempt, list(texts.values()))
    body = request_body(recipe, plain_prompt(recipe, texts), room)
    assert orjson.loads(line.data) == {"key": wire_key(address, attempt), "request": body}
    assert list(orjson.loads(line.data)["request"]["generationConfig"]["responseSchema"]["properties"]) == list(
        recipe.schema["properties"]
    ), "the order of properties shapes an answer"
    assert line.data.count(b"\n") == 1
    assert line.data.endswith(b"\n")


@given(RECIPES, st.data())
def test_the_fingerprint_of_the_echo_is_that_of_the_line(recipe: Recipe, data: st.DataObject) -> None:
    """However the echo is written: other key order, escapes, parts cut in two, defaults added."""
    texts = [data.draw(TEXTS) for _ in recipe.slots]
    line = Renderer(recipe, 100).line(bytes(16), 1, texts)
    request = orjson.loads(line.data)["request"]
    (part,) = request["contents"][0]["parts"]
    cut = data.draw(st.integers(0, len(part["text"])))
    request["contents"][0]["parts"] = [
        {"text": part["text"][:cut], "fileData": None},
        {"thoughtSignature": "x"},
        {"text": part["text"][cut:]},
    ]
    request["contents"][0].pop("role")
    echoed = orjson.dumps({"status": "", "request": request}, option=orjson.OPT_SORT_KEYS)
    echo = parse_line(echoed).echo
    assert echo is not None
    assert fingerprint(echo) == line.fingerprint


@given(RECIPES, st.data())
def test_the_importer_takes_every_line_we_can_make(recipe: Recipe, data: st.DataObject) -> None:
    """Over a whole file: the lines of one shape with any texts."""
    renderer = Renderer(recipe, 100)
    lines = [
        renderer.line(data.draw(ADDRESSES), data.draw(st.integers(1, 9)), [data.draw(TEXTS) for _ in recipe.slots]).data
        for _ in range(3)
    ]
    assert lint_lines(lines) == []


@given(TEXTS)
def test_cleaning_twice_is_cleaning_once_and_words_stay(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    kept = [c for c in text_of(text) if not c.isspace() and c.isprintable()]
    assert [c for c in cleaned if not c.isspace() and c.isprintable()] == kept
    assert "\r" not in cleaned
    assert "\x00" not in cleaned
