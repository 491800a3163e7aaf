"""Request lines: their exact shape, and what they may not hold."""

import orjson
import pytest

from overnight.core.identity import fingerprint
from overnight.core.recipe import Part, Recipe
from overnight.requests.render import Renderer, request_body
from tests.support.recipes import SCHEMA, recipe

ADDRESS = bytes(range(16))
KEY = "k000102030405060708090a0b0c0d0e0f-a3"


def test_a_whole_line_as_it_goes_out() -> None:
    made = recipe("Read:\n", "{text}", system="Be brief.", thinking={"thinkingLevel": "HIGH"})
    line = Renderer(made, 1024).line(ADDRESS, 3, ["“Naps”\n"])
    assert line.data.decode() == (
        '{"key":"' + KEY + '","request":{"contents":[{"role":"user","parts":[{"text":"Read:\\n“Naps”\\n"}]}],'
        '"systemInstruction":{"parts":[{"text":"Be brief."}]},'
        '"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"object",'
        '"properties":{"verdict":{"type":"string","enum":["yes","no"]}},"propertyOrdering":["verdict"],'
        '"required":["verdict"]},"maxOutputTokens":1024,"thinkingConfig":{"thinkingLevel":"HIGH"}}}}\n'
    )
    assert line.fingerprint == fingerprint("Read:\n“Naps”\n")


def test_what_is_not_wanted_is_left_out_not_empty() -> None:
    """An empty object fails the whole job (facts 2.2)."""
    body = request_body(recipe(), "x", 10)
    assert set(body) == {"contents", "generationConfig"}
    assert set(body["generationConfig"]) == {"responseMimeType", "responseSchema", "maxOutputTokens"}


def test_a_slot_may_stand_in_several_places() -> None:
    renderer = Renderer(recipe("{a}", "-", "{b}", "-", "{a}"), 10)
    assert renderer.prompt_text(["1", "2"]) == "1-2-1"
    assert renderer.prompt_text(["3", ""]) == "3--3", "one line leaves nothing behind for the next"


@pytest.mark.parametrize("word", ["k\x00key", "k\x00text", '"k\x00text"', "k\\u0000text", '","request":{'])
def test_words_that_look_like_our_own_seams_are_only_words(word: str) -> None:
    made = Recipe("answer", word, (Part("text", word), Part("slot", "a")), {**SCHEMA, "description": word}, {}, "own")
    line = Renderer(made, 10).line(ADDRESS, 3, [word])
    assert orjson.loads(line.data) == {"key": KEY, "request": request_body(made, word + word, 10)}


@pytest.mark.parametrize("surrogate", ["\ud800", "ok \udfff ok", "\udfff\ud800"])
def test_a_lone_surrogate_is_refused(surrogate: str) -> None:
    with pytest.raises(TypeError):
        Renderer(recipe(), 10).line(ADDRESS, 1, [surrogate])


def test_a_recipe_of_another_renderer_is_refused() -> None:
    """A pinned recipe of a version to come, or gone: its lines would not be those the study began with."""
    other = Recipe("answer", "", (Part("slot", "a"),), SCHEMA, {}, "own", renderer=2)
    with pytest.raises(ValueError, match="renderer 2"):
        Renderer(other, 10)
