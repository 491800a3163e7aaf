"""What may follow on what a plan sends: requests of later stages, which depend on answers that are not there yet.

Counted in the same pass over the records: those that may come to a later stage once their answers are in, and of those
whose answers are in already, how many did come to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from overnight.core.task import Later
from overnight.planning.causes import Reason
from overnight.pricing.characters import Characters
from overnight.pricing.later import coming_to_it


@dataclass(slots=True)
class Ahead:
    """Of one place of a task, (stage, number of the first sample). first: of one of its records.

    records: have a request in this plan and may come to it. characters, text_bytes, longest_bytes: of their texts, as
    they will stand in their lines, each record once. decided, wanted: records of which it is known, and those of them
    that came to it. queued: requests of it that this plan sends itself, problems sent again not among them.
    room: `maxOutputTokens`.
    """

    first: Later
    room: int
    records: int = 0
    characters: Characters = field(default_factory=Characters)
    text_bytes: int = 0
    longest_bytes: int = 0
    decided: int = 0
    wanted: int = 0
    queued: int = 0

    @property
    def likely(self) -> int:
        """Requests that are expected to follow."""
        share = coming_to_it(self.wanted, self.decided, sure=self.first.sure)
        return round(self.records * len(self.first.recipes) * share.expected / 1000)

    def see(self, one: Later, queued: Mapping[tuple[str, int], Reason]) -> None:
        """queued: what of the record this plan sends, and why."""
        if one.wanted is not None:
            self.decided += 1
            self.wanted += one.wanted
            self.queued += sum(queued.get(place, Reason.AGAIN) is not Reason.AGAIN for place in one.places)
        elif queued:
            self.records += 1
            size_bytes = 0
            for text in one.texts:
                self.characters.add(text)
                size_bytes += len(orjson.dumps(text)) - 2
            self.text_bytes += size_bytes
            self.longest_bytes = max(self.longest_bytes, size_bytes)
