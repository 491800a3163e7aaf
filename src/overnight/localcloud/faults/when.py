"""When a plan strikes, of all that its scope names."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from overnight.localcloud.faults.kind import PlanError
from overnight.localcloud.faults.reading import members, whole
from overnight.localcloud.values import JsonObject

_FIELDS: Final = ("after", "every", "times", "probability", "seed")
_SCALE: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class When:
    """after: how many are left alone first. every: then each n-th. times: at most so often; 0 = always.

    probability: of those, so many by chance; which ones is said by seed, the same on every day and after any restart.
    """

    after: int = 0
    every: int = 1
    times: int = 0
    probability: float = 1.0
    seed: int = 0

    @classmethod
    def of(cls, value: object) -> "When":
        """Raises PlanError."""
        given = members(value, "when", _FIELDS)
        chance = given.get("probability", 1.0)
        if not isinstance(chance, int | float) or isinstance(chance, bool) or not 0 < chance <= 1:
            raise PlanError(f"when.probability: {chance!r} is not above 0 and at most 1")
        if ("probability" in given) != ("seed" in given):
            raise PlanError("when: probability and seed go together: nothing here is random without a seed")
        return cls(
            after=whole(given.get("after", 0), "when.after", low=0),
            every=whole(given.get("every", 1), "when.every", low=1),
            times=whole(given["times"], "when.times", low=1) if "times" in given else 0,
            probability=float(chance),
            seed=whole(given.get("seed", 0), "when.seed", low=0),
        )

    def describe(self) -> JsonObject:
        said: JsonObject = {"after": self.after, "every": self.every}
        if self.times:
            said["times"] = self.times
        if self.probability < 1:
            said |= {"probability": self.probability, "seed": self.seed}
        return said

    def strikes(self, seen: int, struck: int) -> bool:
        """Whether the seen-th (from 1) of what the scope names is struck. struck: how often it was so far."""
        past = seen - self.after
        if past <= 0 or past % self.every or (self.times and struck >= self.times):
            return False
        if self.probability >= 1:
            return True
        digest = blake2b(f"{self.seed}\0{seen}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self.probability * _SCALE
