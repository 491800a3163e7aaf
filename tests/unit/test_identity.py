"""Addresses, wire keys, fingerprints: vectors worked out here from hex digests and line breaks only."""

import unicodedata
from hashlib import sha256

import pytest

from overnight.core.identity import (
    AddressMaker,
    address,
    fingerprint,
    loose_text,
    parse_wire_key,
    text_digest,
    wire_key,
)

RECIPE = "ab" * 32
TEXTS = ("Planned naps in night nurses", "Étude — 睡眠, n=42\nSecond line.")


def hex_digest(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()


def by_hand(*lines: str) -> str:
    """What SQL would do: digests in hex and plain words, joined by line breaks, hashed, the first half taken."""
    return hex_digest("\n".join(lines))[:32]


class TestAddress:
    def test_it_is_what_plain_text_and_hex_digests_give(self) -> None:
        expected = by_hand(
            "overnight-address-1", "google", "gemini-3.8-flash", "screen", "1", RECIPE, *map(hex_digest, TEXTS)
        )
        assert address("google", "gemini-3.8-flash", "screen", 1, RECIPE, TEXTS).hex() == expected

    @pytest.mark.parametrize(
        ("parts", "expected"),
        [
            (("stand-in", "gemini-3.8-flash", "screen", 1, RECIPE, ("a", "b")), "568c60befa5c4c380da1789988846a3e"),
            (("google", "m", "answer", 12, "", ("",)), "33809ce3c08ee2ad4ad968eb42ebb395"),
            (("google", "m", "answer", 1, RECIPE, ()), "4f2b3cf88c3a1e9dab9b6e1b9a5afae1"),
        ],
    )
    def test_written_down_vectors_never_change(
        self, parts: tuple[str, str, str, int, str, tuple[str, ...]], expected: str
    ) -> None:
        assert address(*parts).hex() == expected

    def test_where_one_text_ends_and_the_next_begins_matters(self) -> None:
        found = {
            address("r", "m", "s", 1, RECIPE, texts) for texts in [("ab", "c"), ("a", "bc"), ("abc",), ("abc", "")]
        }
        assert len(found) == 4

    @pytest.mark.parametrize("place", range(4))
    def test_a_line_break_in_a_part_is_refused(self, place: int) -> None:
        parts = ["google", "model", "stage", RECIPE]
        parts[place] += "\nx"
        with pytest.raises(ValueError, match="line break"):
            AddressMaker(parts[0], parts[1], parts[2], 1, parts[3])

    def test_a_lone_surrogate_has_no_digest(self) -> None:
        with pytest.raises(UnicodeEncodeError):
            text_digest("\ud800")
        with pytest.raises(UnicodeEncodeError):
            address("r", "m", "s", 1, RECIPE, ["\ud800"])


class TestWireKey:
    def test_a_letter_32_hex_digits_and_the_attempt(self) -> None:
        assert wire_key(bytes(range(16)), 7) == "k000102030405060708090a0b0c0d0e0f-a7"

    @pytest.mark.parametrize(
        "foreign",
        [
            None, 7, 7.0, True, ["k" + "0" * 32 + "-a1"], {"key": "x"}, b"k" + b"0" * 32 + b"-a1",
            "", "idx-0", "k" + "0" * 32, "k" + "0" * 31 + "-a1", "k" + "0" * 33 + "-a1", "K" + "0" * 32 + "-a1",
            "k" + "A" * 32 + "-a1", "k" + "0" * 32 + "-a0", "k" + "0" * 32 + "-a01", "k" + "0" * 32 + "-a-1",
            "k" + "0" * 32 + "-a1\n", " k" + "0" * 32 + "-a1", "k" + "٠" * 32 + "-a1", "k" + "0" * 32 + "-a١",
            "k" + "0" * 32 + "-a1234567",
        ],
    )  # fmt: skip
    def test_what_is_no_key_of_ours_is_none(self, foreign: object) -> None:
        assert parse_wire_key(foreign) is None


LONG = "Planned naps — n=42 – co\u00adoperate \u202bעברית\u202c 睡眠 café, 5\u00a0mg.\nMethods:\tnone\u200d. "


class TestFingerprint:
    def test_xxh3_128_of_the_utf8_text(self) -> None:
        assert (
            fingerprint("").hex() == "99aa06d3014798d86001c324468d497f"
        )  # XXH3_128bits of nothing, by its specification
        assert fingerprint("a") != fingerprint("b")

    @pytest.mark.parametrize(
        "rewrite",
        [
            lambda text: unicodedata.normalize("NFC", text),
            lambda text: unicodedata.normalize("NFD", text),
            lambda text: text.replace("\n", "\r\n"),
            lambda text: text.strip(),
            lambda text: " ".join(text.split()),
            lambda text: "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf"} or c in "\n\t"),
            lambda text: "".join(" " if unicodedata.category(c) in {"Cc", "Cf"} else c for c in text),
            lambda text: text.replace("\u00a0", " "),
        ],
        ids=["NFC", "NFD", "CRLF", "strip", "folded", "controls removed", "controls to spaces", "no-break space"],
    )
    def test_the_loose_form_survives_what_the_fingerprint_does_not(self, rewrite: "object") -> None:
        for text in (LONG, "e\u200d\u0301 " + LONG, unicodedata.normalize("NFD", LONG)):
            echoed = rewrite(text)  # type: ignore[operator]
            assert loose_text(echoed) == loose_text(text)
        changed = {rewrite(text) == text for text in (LONG, unicodedata.normalize("NFD", LONG))}  # type: ignore[operator]
        assert False in changed, "a rewrite that changes nothing tests nothing"

    @pytest.mark.parametrize("other", ["naps", "Naps.", "naps in", "näps", "naps₂", "NAPS", ""])
    def test_another_text_is_another_text_loosely_too(self, other: str) -> None:
        assert loose_text("naps.") != loose_text(other)
