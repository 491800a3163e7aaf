"""What a study's own answers, and the service's counts, tell of the requests that are still to be sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import orjson

from overnight.core.recipe import Recipe
from overnight.core.usage import Usage
from overnight.planning.difference import KEPT_OF_ANSWERED, Plan
from overnight.planning.wants import Wanted
from overnight.pricing.characters import Characters
from overnight.pricing.estimate import FRAME, Pair
from overnight.run.world import World


@dataclass
class Evidence:
    """What is known of requests like those of the plan. counted: (request, its input tokens), as countTokens says."""

    world: World
    plan: Plan
    counted: Sequence[tuple[Wanted, int]] = ()
    _frames: dict[str, Characters] = field(default_factory=dict)

    def frame(self, recipe: Recipe) -> Characters:
        """What each request holds besides the record's texts. Its schema counts as input (facts 10, [D])."""
        if recipe.digest not in self._frames:
            words = "".join(part.value for part in recipe.prompt if part.kind == "text")
            self._frames[recipe.digest] = Characters([recipe.system, words, orjson.dumps(recipe.schema).decode()])
        return self._frames[recipe.digest]

    def pairs(self, recipe: Recipe) -> list[Pair]:
        """Of requests of the same recipe: counted by the service when asked, else in answers and rows asked at once.
        Where there are none, of the same stage: other samples of it have the same words in another order."""
        known = _alike(self.counted, recipe) or _alike(self._prompts, recipe)
        return [Pair(n, self._by_rule(one)) for one, n in known]

    def _by_rule(self, one: Wanted) -> int:
        frame = self.frame(one.want.recipe).tokens().expected + FRAME.expected
        return frame + Characters(one.want.texts).tokens().expected

    def outputs(self, recipe: Recipe) -> list[int]:
        """Output tokens, thinking included, of answers under the same recipe, else of other samples of the same stage
        and thinking, else of the ones to be asked anew of these."""
        alike = [usage.output for one, usage in self._answers if one.want.recipe.digest == recipe.digest]
        alike += [usage.output for digest, _, usage in self._asked_at_once if digest == recipe.digest]
        same = (
            usage.output
            for one, usage in self._answers
            if (one.want.recipe.stage, one.want.recipe.thinking) == (recipe.stage, recipe.thinking)
        )
        return alike or list(same) or [usage.output for usage in self._answers_before(recipe).values()]

    def words(self, recipe: Recipe) -> list[int]:
        """Tokens of the answers themselves, without thinking, of the recipe's stage."""
        return [usage.answer for one, usage in self._answers if one.want.stage == recipe.stage and usage.answer]

    @cached_property
    def _answers(self) -> list[tuple[Wanted, Usage]]:
        answered = self.plan.answered.items()
        usages = self.world.ledger.outcomes.usages(one.standing.row for one in answered)
        return [(one, usages[one.standing.row]) for one in answered if one.standing.row in usages]

    @cached_property
    def _asked_at_once(self) -> list[tuple[str, bytes, Usage]]:
        return self.world.ledger.smokes.usages(self.world.realm, self.world.model.id)

    @cached_property
    def _prompts(self) -> list[tuple[Wanted, int]]:
        found = [(one, usage.prompt) for one, usage in self._answers if usage.prompt is not None]
        first = {one.address: one for group in self.plan.groups.values() for _, one in group.first}
        for _, address, usage in self._asked_at_once:
            if address in first and usage.prompt is not None:
                found.append((first[address], usage.prompt))
        return found

    def _answers_before(self, recipe: Recipe) -> Mapping[int, Usage]:
        """Of records that are asked again: they were answered under another recipe, or text."""
        rows = [row for rows in self.plan.before.values() for row in rows]
        step = max(1, len(rows) // KEPT_OF_ANSWERED)
        return self.world.ledger.outcomes.like(rows[::step], self.world.model.id, recipe.stage, recipe.thinking)


def _alike(known: Sequence[tuple[Wanted, int]], recipe: Recipe) -> list[tuple[Wanted, int]]:
    same = [(one, n) for one, n in known if one.want.recipe.digest == recipe.digest]
    return same or [(one, n) for one, n in known if one.want.stage == recipe.stage]
