"""Laws: an address names one content and no other; keys come back whole; loose texts survive what echoes do."""

import json
import unicodedata
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from overnight.core.identity import (
    AddressMaker,
    address,
    fingerprint,
    loose_text,
    parse_wire_key,
    text_digest,
    wire_key,
)
from overnight.core.recipe import Recipe
from tests.support.recipes import RECIPES, TEXTS

WORDS = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=9)
PARTS = st.tuples(WORDS, WORDS, WORDS, st.integers(1, 99), TEXTS.map(text_digest), st.lists(TEXTS, max_size=3))
SURROGATES = st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3)


@given(PARTS)
def test_an_address_is_plain_text_and_hex_digests_hashed(parts: tuple[str, str, str, int, str, list[str]]) -> None:
    realm, model, stage, sample, recipe, texts = parts
    digests = [sha256(text.encode()).hexdigest() for text in texts]
    plain = "\n".join(["overnight-address-1", realm, model, stage, str(sample), recipe, *digests])
    assert address(realm, model, stage, sample, recipe, texts).hex() == sha256(plain.encode()).hexdigest()[:32]


@given(PARTS, PARTS)
def test_two_addresses_are_equal_only_when_every_part_is(
    one: tuple[str, str, str, int, str, list[str]], other: tuple[str, str, str, int, str, list[str]]
) -> None:
    assert (address(*one) == address(*other)) == (one == other)


@given(PARTS, st.integers(0, 5), st.data())
def test_one_change_in_any_part_changes_it(
    parts: tuple[str, str, str, int, str, list[str]], place: int, data: st.DataObject
) -> None:
    changed = list(parts)
    changed[place] = data.draw((WORDS, WORDS, WORDS, st.integers(1, 99), WORDS, st.lists(TEXTS, max_size=3))[place])
    assume(changed[place] != parts[place])
    assert address(*changed) != address(*parts)  # type: ignore[arg-type]


@given(PARTS, st.lists(TEXTS, max_size=3))
def test_a_maker_may_be_used_again(parts: tuple[str, str, str, int, str, list[str]], other: list[str]) -> None:
    make = AddressMaker(*parts[:5])
    make(other)
    assert make(parts[5]) == address(*parts)


def asked(recipe: Recipe) -> str:
    """All that reaches the model, with the columns' names taken out."""
    prompt = [
        (part.kind, part.value if part.kind == "text" else recipe.slots.index(part.value)) for part in recipe.prompt
    ]
    return json.dumps([recipe.system, prompt, recipe.schema, recipe.thinking])


@given(RECIPES, RECIPES, st.sets(st.sampled_from(["system", "prompt", "schema", "thinking", "stage"])))
def test_recipes_have_one_digest_only_when_they_ask_the_same(one: Recipe, other: Recipe, taken: set[str]) -> None:
    mixed = replace(one, **{name: getattr(other, name) for name in taken})
    assert (one.digest == mixed.digest) == (asked(one) == asked(mixed))


@given(RECIPES)
def test_columns_may_be_renamed(recipe: Recipe) -> None:
    renamed = [replace(part, value=f"{part.value}_new") if part.kind == "slot" else part for part in recipe.prompt]
    assert replace(recipe, prompt=tuple(renamed)).digest == recipe.digest


@given(st.binary(min_size=16, max_size=16), st.integers(1, 999_999))
def test_a_wire_key_comes_back_whole(address_: bytes, attempt: int) -> None:
    assert parse_wire_key(wire_key(address_, attempt)) == (address_, attempt)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.binary(), st.lists(st.text())))
def test_anything_else_is_no_key(key: object) -> None:
    assert parse_wire_key(key) is None


@given(TEXTS, TEXTS)
def test_fingerprints_are_equal_only_when_texts_are(one: str, other: str) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)


@given(SURROGATES)
def test_a_lone_surrogate_has_neither(text: str) -> None:
    for name in (fingerprint, text_digest):
        with pytest.raises(UnicodeEncodeError):
            name(text)


@given(TEXTS, st.sampled_from(["NFC", "NFD"]), st.data())
def test_the_loose_form_survives_what_echoes_do(text: str, form: str, data: st.DataObject) -> None:
    put = data.draw(st.sampled_from(["", " ", "\u200b", "\r\n"]))
    loose = loose_text(text)
    controls = "".join(put if unicodedata.category(c) in {"Cc", "Cf"} else c for c in text)
    for echoed in (
        unicodedata.normalize(form, text),  # type: ignore[arg-type]
        controls,
        unicodedata.normalize(form, controls),  # type: ignore[arg-type]
        text.replace("\n", "\r\n"),
        " ".join(text.split()),
        f" {text}\n",
    ):
        assert loose_text(echoed) == loose
    assert loose_text(loose) == loose


@given(st.text(st.sampled_from("abcé睡"), max_size=4), st.text(st.sampled_from("abcé睡"), max_size=4))
def test_the_loose_form_keeps_words_apart(one: str, other: str) -> None:
    assert (loose_text(one) == loose_text(other)) == (one == other)
