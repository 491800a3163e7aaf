"""`overnight adopt`: a job that this study did not make, made by hand or left behind, becomes one of its jobs.

Its lines are recognised by what they ask (requests/recognise.py), never by their order or by ids. From then on it is
watched, collected and billed like any other. Nothing is sent, nothing is paid.
"""

import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import IO, BinaryIO, Final

from overnight.backends.backend import HandMade
from overnight.core.identity import fingerprint
from overnight.core.recipe import Recipe
from overnight.core.usage import Usd
from overnight.errors import JobError, NotFoundError, UsageError
from overnight.ledger.shards import ShardFact
from overnight.planning.standing import State
from overnight.planning.wants import Wanted
from overnight.requests.recognise import Foreign, differing, read_line, settings_of
from overnight.requests.render import Renderer
from overnight.requests.shards import SentRow
from overnight.run.billing import utc_day
from overnight.run.money import worst_case_of_made, worst_of
from overnight.run.world import World

_BARE_TEXT: Final = "its text is of no record of this study"
_Settings = Mapping[str, Mapping[str, bytes]]
"""Recipe digest → what its lines say besides their text."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """shard: its number from now on. requests: of this study, found in it. others: lines that are of no record.

    answered: of the requests, those that are settled already: their lines will be surplus, stored and billed.
    """

    shard: int
    job: str
    requests: int
    others: int
    answered: int


@dataclass(slots=True)
class _All:
    n: int = 0
    size_bytes: int = 0
    longest_bytes: int = 0
    room: int = 0

    def add(self, size_bytes: int, room: int) -> None:
        self.n += 1
        self.size_bytes += size_bytes
        self.longest_bytes = max(self.longest_bytes, size_bytes)
        self.room = max(self.room, room)


@dataclass(slots=True)
class _Found:
    """What the lines of a job turned out to be. max_output_tokens, size_bytes: of those of this study; all: of every
    one, for what they may cost."""

    recipe: Recipe
    rows: dict[bytes, SentRow] = field(default_factory=dict)
    max_output_tokens: int = 0
    size_bytes: int = 0
    others: int = 0
    answered: int = 0
    first_other: str = ""
    all: _All = field(default_factory=_All)


def adopt(world: World, job: str) -> Adopted:
    """job: its full resource name, or its number alone (then in the study's project and location).

    Raises UsageError where the job is the study's already, is of another model, or asks nothing that the study asks;
    JobError where its input cannot be read, NotFoundError where there is no such job.
    """
    made = world.backend.hand_made(job)
    _refuse_known(world, made)
    with tempfile.TemporaryFile() as copy:
        _fetch_input(world, made, copy)
        copy.seek(0)
        found = _recognise(world, made, copy)
    if not found.rows:
        raise UsageError(
            f"none of the {found.others:,} lines of this job asks what the study asks; the first: {found.first_other}",
            where=made.status.name,
            hint="`overnight plan --show 1` prints a request as this study asks it. Nothing was changed.",
        )
    reserve, of_row = _worst(world, made, found)
    with world.ledger.transaction():
        world.ledger.recipes.store(found.recipe)
    number = world.ledger.shards.adopt(
        realm=world.realm,
        stage=found.recipe.stage,
        recipe=found.recipe.digest,
        model=world.model.id,
        max_output_tokens=found.max_output_tokens,
        label=f"{world.ledger.uid}-adopted-{made.status.name.rsplit('/', 1)[-1]}",
        place=made.place,
        rows=found.rows.values(),
        size_bytes=found.size_bytes,
        reserve=reserve,
        row=of_row,
        job=made.status,
        now=world.stamp(),
    )
    return Adopted(number, made.status.name, len(found.rows), found.others, found.answered)


def _worst(world: World, made: HandMade, found: _Found) -> tuple[Usd | None, Usd | None]:
    """Of all lines of the job, those of no record too, since they are billed as well; and of the longest. A line that
    sets no limit to its answer has the model's."""
    stamp = made.status.create_time
    day = utc_day(stamp)
    day_made = date.fromisoformat(day) if day else world.today
    lines = found.all
    bound = worst_case_of_made(world.prices, world.model.id, made.place.location, day_made, lines.room)
    return (None, None) if bound is None else worst_of(bound, lines.n, lines.size_bytes, lines.longest_bytes)


def _fetch_input(world: World, made: HandMade, target: BinaryIO) -> None:
    try:
        world.backend.fetch_input(made.place, target)
    except NotFoundError as cause:
        raise JobError(
            f"its input gs://{made.place.bucket}/{made.place.input} is gone, so what it asks is not known",
            where=made.status.name,
            hint="Put the file back where it was, then adopt the job again. Nothing was changed.",
        ) from cause


def _refuse_known(world: World, made: HandMade) -> None:
    for shard in world.ledger.shards.all(world.realm):
        if shard.job_name == made.status.name or _awaits(shard, made):
            raise UsageError(
                f"this is job {shard.id} of the study already",
                where=made.status.name,
                hint="`overnight run` collects it when it has ended.",
            )
    asked = made.model.rsplit("/", 1)[-1]
    if asked != world.model.id:
        raise UsageError(
            f"the job asks {asked}, the study {world.model.id}: another model's answers are not this study's",
            where=made.status.name,
            hint=f"A study of its own with `model: {{name: {asked}}}` can adopt it.",
        )


def _awaits(shard: ShardFact, made: HandMade) -> bool:
    """A create of ours without a reply on record: the run looks for it itself."""
    return shard.state == "submitting" and shard.label == made.status.label


def _recognise(world: World, made: HandMade, file: IO[bytes]) -> _Found:
    """Reads the job's input once, and all records once."""
    asked = _asked(world)
    recipes = {want.want.recipe.digest: want.want.recipe for wanted in asked.values() for want in wanted}
    settings = {digest: settings_of(recipe) for digest, recipe in recipes.items()}
    found: _Found | None = None
    others, first_other, every = 0, "", _All()
    for data in file:
        line = read_line(data)
        every.add(len(data), (line and line.max_output_tokens) or world.model.max_output_tokens)
        wanted = None if line is None else _which(line, asked, settings, found)
        if line is None or wanted is None:
            others += 1
            first_other = first_other or _why_not(line, settings)
            continue
        if found is None:
            found = _Found(wanted.want.recipe, max_output_tokens=line.max_output_tokens)
        _take(found, line, wanted, len(data))
    if found is None:
        if not recipes:
            raise UsageError("the study asks nothing", where=made.status.name, hint="No record has a text to send.")
        found = _Found(next(iter(recipes.values())))
    found.others, found.first_other, found.all = others, first_other, every
    return found


def _asked(world: World) -> dict[bytes, list[Wanted]]:
    """Fingerprint of the user turn → what the study wants with that text, each request once, in the records' order."""
    wants = world.wants(world.standings())
    renderers: dict[str, Renderer] = {}
    asked: dict[bytes, list[Wanted]] = defaultdict(list)
    seen: set[bytes] = set()
    for record in world.records:
        for wanted in wants.of(record):
            if wanted.address in seen:
                continue
            seen.add(wanted.address)
            recipe = wanted.want.recipe
            renderer = renderers.setdefault(recipe.digest, Renderer(recipe, 0))
            asked[fingerprint(renderer.prompt_text(wanted.want.texts))].append(wanted)
    return asked


def _which(line: Foreign, asked: dict[bytes, list[Wanted]], settings: _Settings, found: _Found | None) -> Wanted | None:
    """The request that this line asks; of several alike, as samples are, the one it names, else the next free one."""
    candidates = [wanted for wanted in asked.get(fingerprint(line.text), ()) if _same(line, wanted, settings, found)]
    if line.wire_key is not None:
        named = [wanted for wanted in candidates if wanted.address == line.wire_key[0]]
        candidates = named or candidates
    taken = () if found is None else found.rows
    return next((wanted for wanted in candidates if wanted.address not in taken), None) or next(iter(candidates), None)


def _same(line: Foreign, wanted: Wanted, settings: _Settings, found: _Found | None) -> bool:
    digest = wanted.want.recipe.digest
    if found is not None and digest != found.recipe.digest:  # one job, one answer schema
        return False
    return line.settings == settings[digest]


def _take(found: _Found, line: Foreign, wanted: Wanted, size_bytes: int) -> None:
    address = wanted.address
    found.size_bytes += size_bytes
    found.max_output_tokens = max(found.max_output_tokens, line.max_output_tokens)
    if address in found.rows:
        return
    ours = line.wire_key is not None and line.wire_key[0] == address
    attempt = line.wire_key[1] if ours and line.wire_key is not None else wanted.standing.attempts + 1
    found.rows[address] = SentRow(address, attempt, fingerprint(line.text))
    found.answered += wanted.standing.state is State.ANSWERED


def _why_not(line: Foreign | None, settings: _Settings) -> str:
    if line is None:
        return "it is no request with one user turn of text"
    for wanted in settings.values():
        names = differing(line.settings, wanted)
        return f"its {', '.join(names)} is not the study's" if names else _BARE_TEXT
    return _BARE_TEXT
