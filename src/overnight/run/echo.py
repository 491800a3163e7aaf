"""The loose form of what was sent, for echoes that differ: read from the input itself, never from the current table."""

import tempfile
from collections.abc import Mapping

import orjson

from overnight.core.events import Note
from overnight.core.identity import fingerprint, loose_text, parse_wire_key
from overnight.errors import NotFoundError
from overnight.ledger.shards import ShardFact
from overnight.run.world import World


def loose_fingerprints(world: World, shard: ShardFact) -> Mapping[bytes, bytes]:
    """address → fingerprint of the loose form of its prompt text. Downloads the shard's input once."""
    world.tell(Note(f"job {shard.id}: an echo differs from what was sent; reading the input again to compare"))
    found: dict[bytes, bytes] = {}
    with tempfile.TemporaryFile() as copy:
        try:
            world.backend.fetch_input(shard.place, copy)
        except NotFoundError:
            world.tell(Note(f"job {shard.id}: its input is gone, so such rows count as mismatched", "warning"))
            return found
        copy.seek(0)
        for line in copy:
            value = orjson.loads(line)
            key = parse_wire_key(value["key"])
            if key is not None:
                text = "".join(part["text"] for part in value["request"]["contents"][-1]["parts"])
                found[key[0]] = fingerprint(loose_text(text))
    return found
