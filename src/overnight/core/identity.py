"""Whose answer is this? Addresses, wire keys and fingerprints (docs/decisions/0002-identity.md).

*Address* names a request by content: (realm, model, stage, sample, recipe, texts). It is the SHA-256 of a text made of
those values and of hex digests only, never of JSON bytes, so SQL can compute it too (vectors in
tests/unit/test_identity.py). *Wire key* is what travels in the line. *Fingerprint* is the digest of the text the model
is shown; the service echoes that text, so it verifies what the key claims.
"""

import re
import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import xxhash

ADDRESS_SCHEME: Final = "overnight-address-1"
ADDRESS_BYTES: Final = 16


def text_digest(text: str) -> str:
    """64 hex characters: SHA-256 of the UTF-8 bytes. Raises UnicodeEncodeError on a lone surrogate."""
    return sha256(text.encode()).hexdigest()


def address(realm: str, model: str, stage: str, sample: int, recipe: str, texts: Sequence[str]) -> bytes:
    """The 16 bytes that name a request: the first half of SHA-256 over the parts, one a line.

    recipe: the recipe's digest in hex. texts: the cleaned texts themselves, in slot order.
    """
    return AddressMaker(realm, model, stage, sample, recipe)(texts)


class AddressMaker:
    """`address` with all but the texts hashed once: 1.1 µs a text of 1.5 KB."""

    __slots__ = ("_head",)

    def __init__(self, realm: str, model: str, stage: str, sample: int, recipe: str) -> None:
        for part in (realm, model, stage, recipe):
            if "\n" in part:
                raise ValueError(f"a line break in {part!r} would make two addresses look alike")
        self._head = sha256("\n".join((ADDRESS_SCHEME, realm, model, stage, str(sample), recipe)).encode())

    def __call__(self, texts: Sequence[str]) -> bytes:
        digest = self._head.copy()
        for text in texts:
            digest.update(b"\n" + sha256(text.encode()).hexdigest().encode())
        return digest.digest()[:ADDRESS_BYTES]


# A letter in front: a numeric-looking string at top level is turned into a number by the service's importer
# (facts 2.2, [U]; with a letter prefix ids came back whole [L]).
_WIRE_KEY = re.compile(r"k([0-9a-f]{32})-a([1-9][0-9]{0,5})")


def wire_key(address: bytes, attempt: int) -> str:
    return f"k{address.hex()}-a{attempt}"


def parse_wire_key(key: object) -> tuple[bytes, int] | None:
    """(address, attempt), or None when this is no key of ours (a number, another tool's id, nothing)."""
    match = _WIRE_KEY.fullmatch(key) if isinstance(key, str) else None
    return (bytes.fromhex(match[1]), int(match[2])) if match else None


def fingerprint(prompt_text: str) -> bytes:
    """16 bytes of the user turn's text as shown to the model (all its parts joined).

    The text survived every rewrite of the echo that was tried; bytes and canonical JSON did not
    (docs/explanation/performance.md, T14). It guards against mix-ups, not against an adversary: the address is SHA-256.
    """
    return xxhash.xxh3_128_digest(prompt_text.encode())


def loose_text(text: str) -> str:
    """The text with what a careless echo may change taken out: Unicode form, control characters, white space.

    All white space goes, and the Unicode form is made last: so it is the same text whether an echo dropped a control
    character, put a space in its place or left it alone.
    """
    shown = (c for c in text if not c.isspace() and unicodedata.category(c) not in {"Cc", "Cf"})
    return unicodedata.normalize("NFC", "".join(shown))
