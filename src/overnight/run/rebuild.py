"""`overnight recover`: a lost or damaged ledger is made again, from what lies in the bucket and the list of jobs.

Beside each shard's input there is a manifest (run/manifests.py), its rows are in the input itself, its job is found by
its label. So every shard becomes again what it was before its job was collected, and the normal loop collects it:
answers, problems and cost are read anew from the output, and nothing is asked or made here. A ledger of which only an
index is hurt is mended in place: then nothing of it is lost.

What is in no bucket cannot come back: words of people that no job was sent after (`retry`, `forget`, `cancel`), the
cost of rows asked before a job, jobs adopted, what stays reserved for a job that was given up as not made. What records
were called (`id: auto`), and which request is whose, is in no bucket either: it is read from the results, where they
are still there.
"""

import secrets
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO

import orjson

from overnight.backends.backend import Backend, OwnerNote
from overnight.core.atomic import sync_folder
from overnight.core.events import Note, Progress, StepStarted, Tell
from overnight.core.identity import fingerprint, parse_wire_key
from overnight.core.realm import GOOGLE
from overnight.core.states import JobStatus
from overnight.core.usage import Usd
from overnight.errors import LedgerError, NotFoundError, UsageError
from overnight.ledger.bindings import Binding
from overnight.ledger.database import open_database
from overnight.ledger.health import faults, mend, unusable
from overnight.ledger.ledger import Ledger
from overnight.ledger.names import Naming
from overnight.pricing.prices import PriceList
from overnight.requests.shards import SentRow
from overnight.run.labels import STUDY_LABEL
from overnight.run.manifests import Manifest, read_head, read_manifest
from overnight.run.money import worst_case_of_made, worst_of
from overnight.run.owner import Owner
from overnight.run.world import Home, World

_ENDED_BEFORE = "JOB_STATE_SUCCEEDED"
"""Of a job that is not listed any more, and whose final output is there: rows without a line count as missing."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A record as the results have it. aliases: by what else it is known; none where the study names its own ids.
    addresses: of the requests that answer for it."""

    record_id: str
    aliases: tuple[str, ...]
    addresses: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """What there is without a ledger. study: its name. remembered: its records, by results that are still there."""

    study: str
    realm: str
    home: Home
    backend: Backend
    prices: PriceList
    now: Callable[[], datetime]
    tell: Tell
    remembered: Callable[[], Sequence[Remembered]] = tuple

    def stamp(self) -> str:
        """Now, as RFC 3339 UTC to the second."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Rebuilt:
    """mended: only an index was hurt. shards, rows, names (of records): what is known again. unlisted: shards whose
    output is there and whose job is listed no more. doubtful: shards with neither. gone: shards of which nothing says
    what they asked. strangers: jobs with the study's label and no manifest. kept: where the old ledger lies now."""

    uid: str = ""
    mended: bool = False
    shards: int = 0
    rows: int = 0
    names: int = 0
    unlisted: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    kept: Path | None = None


def rebuild(site: Site, uid: str = "") -> Rebuilt:
    """Make the ledger again. uid: of the study, where several have its name.

    The new one is put in place when it is complete; until then, and after any error, all is as it was. Raises
    LedgerError where the ledger is whole and knows jobs, or a manifest cannot be read; UsageError where nothing, or
    more than one study, is found; CloudError.
    """
    path = site.home.ledger
    new = path.with_name(f"ledger.{secrets.token_hex(4)}.part")
    for left_over in site.home.hidden.glob("ledger.*.part*"):
        left_over.unlink()
    try:
        if _is_hurt(site) and mend(path, new):
            return Rebuilt(mended=True, kept=_put_in_place(site, new))
        manifests = _chosen(site, uid)
        done = Rebuilt(manifests[0].uid)
        note = _owner(site, done.uid)  # before anything of this study is read: whoever sends later moves it on
        _write(site, _chosen(site, done.uid), new, done, note)
        done.kept = _put_in_place(site, new)
    except OSError as cause:
        raise unusable(path, cause) from cause
    finally:
        new.unlink(missing_ok=True)
    return done


def sent_before(world: World) -> str:
    """Jobs of a study of this name are in the bucket, and this ledger has never sent any: is it the one they are of?

    Empty where nothing speaks for that. One look at the list, and at one manifest of each study below the prefix.
    """
    if world.ledger.shards.all(world.realm):
        return ""
    first = {staged.uid: staged for staged in reversed(world.backend.staged())}
    for uid, staged in first.items():
        found = read_head(world.backend, staged) if uid != world.ledger.uid else None
        if found is not None and (found.study, found.realm) == (world.study, world.realm):
            since = f" since {found.intended[:10]}" if found.intended else ""
            return (
                f"the bucket holds jobs of a study called {world.study!r} ({uid}, sent{since}) that this folder's"
                " ledger knows nothing of. If they are this study's, `overnight recover` brings them back, and nothing"
                " is paid twice. If they are somebody else's, the two do not touch each other."
            )
    return ""


def _is_hurt(site: Site) -> bool:
    """Is there a ledger, and is it damaged? Raises LedgerError where it is whole and knows what would be lost."""
    path = site.home.ledger
    if not path.exists() or not path.stat().st_size:
        return False
    site.tell(StepStarted("check", f"every page of {path}"))
    found = next(faults(path), None)
    if found is not None:
        site.tell(Note(f"the ledger is damaged: {found}", "warning"))
        return True
    with Ledger.open(path, study=site.study, now=site.stamp(), only_look=True) as ledger:
        sent = [shard for realm in (site.realm, GOOGLE) for shard in ledger.shards.all(realm) if shard.n_rows]
        if sent:
            raise LedgerError(
                f"the ledger is whole, and knows {len({shard.id for shard in sent})} jobs of this study",
                where=str(path),
                hint="There is nothing to recover: `overnight run` goes on from it. If it is not the study's own, move"
                " it away first; a ledger that knows of jobs is never replaced.",
            )
    return False


def _chosen(site: Site, uid: str) -> list[Manifest]:
    """All manifests of the one study that is meant, in the order of their numbers."""
    site.tell(StepStarted("look", "for what this study has sent"))
    of_uid = defaultdict(list)
    for one in site.backend.staged(uid):
        of_uid[one.uid].append(one)
    found: dict[str, list[Manifest]] = {}
    others = set()
    for owner, shards in of_uid.items():
        head = next((head for one in shards if (head := read_head(site.backend, one)) is not None), None)
        if head is None:
            others.add(f"one that cannot be read ({owner})")
        elif head.realm in {site.realm, ""} and (head.study in {site.study, ""} or uid):
            found[owner] = [read_manifest(site.backend, one) for one in shards]
        else:
            others.add(f"{head.study} ({owner}, {head.realm})")
    if not found:
        raise UsageError(
            f"nothing of a study called {site.study!r}{f' ({uid})' if uid else ''} was found",
            where=_where(site, uid),
            hint="Is it the bucket and prefix the study had when it was sent? "
            + (f"There is {', '.join(sorted(others)[:10])}: `--uid` takes one under another name." if others else "")
            + " If nothing was ever sent, there is nothing to recover: `overnight run`.",
        )
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} studies are called {site.study!r}:" + "".join(f"\n  {_line(one)}" for one in found.values()),
            where=_where(site, uid),
            hint="Say which is yours: `overnight recover --uid U`. results.csv of it, if you have one, names its jobs.",
        )
    (only,) = found.values()
    return sorted(only, key=lambda one: (one.number, one.intended, one.label))


def _where(site: Site, uid: str) -> str:
    place = site.backend.place(uid or "*", "*")
    return f"{place.bucket}/{place.input.rsplit('/', 1)[0]}/manifest.json"


def _line(manifests: Sequence[Manifest]) -> str:
    """One study as a person tells it from another."""
    days = sorted(one.intended[:10] for one in manifests if one.intended) or ["?"]
    rows = sum(one.rows or 0 for one in manifests)
    when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    jobs = "1 job" if len(manifests) == 1 else f"{len(manifests)} jobs"
    return f"{manifests[0].uid}: {when}, {rows:,} requests in {jobs}, {manifests[-1].model}"


def _owner(site: Site, uid: str) -> OwnerNote | None:
    return site.backend.owner(site.backend.owner_place(uid)) if site.realm == GOOGLE else None


def _write(site: Site, manifests: Sequence[Manifest], new: Path, done: Rebuilt, note: OwnerNote | None) -> None:
    """note: who sends, as it was before the manifests were read. The new ledger holds it: it knows every job made
    until then, and one that is made later elsewhere moves the note on, so that this ledger is refused. Where jobs are
    listed that it does not know, it does not: `run --take-over` names them, and asks."""
    jobs = _jobs(site, manifests)
    created = min((one.intended for one in manifests if one.intended), default=site.stamp())
    with Ledger(open_database(new, study=site.study, now=created, uid=done.uid), new) as ledger:
        for n, manifest in enumerate(manifests, start=1):
            _shard(site, ledger, manifest, jobs.pop(manifest.label, ()), done)
            site.tell(Progress("recover", n, len(manifests), "jobs"))
        ledger.shards.mark_repeats()
        with ledger.transaction():
            for one in manifests:
                pins = ((one.stage, sample, one.recipe) for sample in one.samples)
                ledger.recipes.pin(pins, one.intended or created)
            done.names = _remember(site, ledger)
        floors: dict[bytes, int] = {}
        for one in manifests:
            floors |= {address: max(after, floors.get(address, 0)) for address, after in one.reopened.items()}
        ledger.outcomes.reopen(floors.items(), "recovered", site.stamp())
        done.strangers = [job.name for twins in jobs.values() for job in twins]
        if note is not None and not done.strangers:
            _hold(site, ledger, note)


def _remember(site: Site, ledger: Ledger) -> int:
    """What records were called, and which request is whose, so that the one of several duplicates that was asked about
    is known as that. Returns how many names. Part of the caller's transaction."""
    remembered = site.remembered()
    named = [Naming(one.record_id, one.aliases, seen=0, own=False) for one in remembered if one.aliases]
    ledger.names.keep(named)
    ledger.bindings.bind(site.realm, _bindings(site, ledger, remembered))
    return len(named)


def _bindings(site: Site, ledger: Ledger, remembered: Sequence[Remembered]) -> Iterator[Binding]:
    """Samples that share a recipe are told apart by their order: results name a record's requests sample by sample."""
    samples: dict[tuple[str, str], list[int]] = defaultdict(list)
    for (stage, sample), recipe in sorted(ledger.recipes.pinned().items(), key=lambda pin: pin[0]):
        samples[stage, recipe.digest].append(sample)
    for one in remembered:
        free = {asked: iter(of) for asked, of in samples.items()}
        for address in dict.fromkeys(one.addresses):
            stage, digest, model = ledger.shards.asked_by(site.realm, address) or ("", "", "")
            for its in islice(free.get((stage, digest), ()), 1):
                yield Binding(one.record_id, stage, its, address, digest, model)


def _hold(site: Site, ledger: Ledger, note: OwnerNote) -> None:
    """From now on this ledger is the one that sends. Of none of its shards is it known that a create was held back."""
    owner, shards = Owner.read(note), ledger.shards.all(site.realm)
    if not owner.moved_to:
        last = shards[-1].label if shards else ""
        ledger.owners.holds(site.backend.owner_place(ledger.uid), owner.nonce, note.generation, job=last)


def _jobs(site: Site, manifests: Sequence[Manifest]) -> dict[str, Sequence[JobStatus]]:
    """Label → the study's jobs with it, the earliest first; looked for where each shard's job was made."""
    places = {(one.place.project, one.place.location): one for one in manifests}
    found = defaultdict(list)
    for one in places.values():
        for job in site.backend.find(one.place, STUDY_LABEL, one.uid):
            found[job.label].append(job)
    return {label: sorted(twins, key=lambda job: (job.create_time, job.name)) for label, twins in found.items()}


def _shard(site: Site, ledger: Ledger, manifest: Manifest, jobs: Sequence[JobStatus], done: Rebuilt) -> None:
    """The shard as it was before its job was collected: `submitted`, or `submitting` where no job is to be found."""
    rows, size_bytes, longest_bytes = _rows(site, manifest)
    if not rows:
        site.tell(Note(f"{manifest.label}: neither its input nor its output is there any more", "warning"))
        done.gone.append(manifest.label)
        return
    job = jobs[0] if jobs else _from_output(site, manifest)
    with ledger.transaction():
        ledger.recipes.store(manifest.recipe)
    number = ledger.shards.intend(
        realm=manifest.realm,
        stage=manifest.stage,
        recipe=manifest.recipe.digest,
        model=manifest.model,
        max_output_tokens=manifest.max_output_tokens,
        label=manifest.label,
        place=manifest.place,
        now=manifest.intended or site.stamp(),
        number=max(manifest.number, ledger.shards.next_number()),
    )
    ledger.shards.staged(number, rows.values(), size_bytes)
    reserve, of_row = _worst(site, manifest, len(rows), size_bytes, longest_bytes)
    ledger.shards.submitting(number, reserve, row=of_row)
    done.shards += 1
    done.rows += len(rows)
    if job is None:
        done.doubtful.append(manifest.label)
        return
    ledger.shards.submitted(number, job, _when(job.create_time) or manifest.intended or site.stamp())
    if not job.name:
        done.unlisted.append(manifest.label)
    for twin in jobs[1:]:
        what = f"job {number}: {twin.name} has the same label; only {job.name} is collected, and both are billed"
        site.tell(Note(what, "warning"))


def _worst(
    site: Site, manifest: Manifest, n_rows: int, size_bytes: int, longest_bytes: int
) -> tuple[Usd | None, Usd | None]:
    """What the lost ledger had reserved, or more, by the prices of the day on which the job was made; of all rows, and
    of the longest."""
    made = datetime.fromisoformat(manifest.intended).date() if _when(manifest.intended) else site.now().date()
    shape = manifest.model, manifest.place.location, made, manifest.max_output_tokens
    bound = worst_case_of_made(site.prices, *shape)
    return (None, None) if bound is None else worst_of(bound, n_rows, size_bytes, longest_bytes)


def _when(time: str) -> str:
    """Empty where the service gave no time of day and zone that can be reckoned with."""
    try:
        return time if time and datetime.fromisoformat(time).tzinfo else ""
    except ValueError:
        return ""


def _from_output(site: Site, manifest: Manifest) -> JobStatus | None:
    """A job that is not listed and whose final output is there has run. None where it is not known to have ended."""
    files = site.backend.outputs(manifest.place, JobStatus("", ""))
    if all(file.chunk for file in files):
        return None
    return JobStatus("", _ENDED_BEFORE, label=manifest.label)


def _rows(site: Site, manifest: Manifest) -> tuple[Mapping[bytes, SentRow], int, int]:
    """(address → row, bytes of all lines, bytes of the longest): of the input, or of the output where that is gone."""
    with tempfile.TemporaryFile() as copy:
        try:
            site.backend.fetch_input(manifest.place, copy)
        except NotFoundError:
            site.tell(Note(f"{manifest.label}: its input is gone; its rows are read from its output", "warning"))
            return _echoed(site, manifest)
        return _of_lines(manifest, copy)


def _of_lines(manifest: Manifest, copy: IO[bytes]) -> tuple[Mapping[bytes, SentRow], int, int]:
    """Raises LedgerError for a line that is not as run/send.py wrote it."""
    rows: dict[bytes, SentRow] = {}
    size_bytes = longest_bytes = 0
    copy.seek(0)
    for number, line in enumerate(copy, start=1):
        row = _row(line)
        if row is None:
            raise LedgerError(
                f"line {number} of this input is none of ours",
                where=f"{manifest.place.bucket}/{manifest.place.input}",
                hint="Somebody has written over it. If its job is not yours, move its folder away; then run"
                " `overnight recover` again.",
            )
        rows[row.address] = row
        size_bytes += len(line)
        longest_bytes = max(longest_bytes, len(line))
    return rows, size_bytes, longest_bytes


def _echoed(site: Site, manifest: Manifest) -> tuple[Mapping[bytes, SentRow], int, int]:
    """Rows that the output names. Those it does not name are not known any more."""
    rows: dict[bytes, SentRow] = {}
    size_bytes = longest_bytes = 0
    for file in site.backend.outputs(manifest.place, JobStatus("", "")):
        with tempfile.TemporaryFile() as copy:
            site.backend.fetch(manifest.place, file, copy)
            copy.seek(0)
            for row, line_bytes in _named(copy):
                rows.setdefault(row.address, row)
                size_bytes += line_bytes
                longest_bytes = max(longest_bytes, line_bytes)
    return rows, size_bytes, longest_bytes


def _named(copy: IO[bytes]) -> Iterator[tuple[SentRow, int]]:
    """Rows of an output's lines with a key of ours, and the size of each request; the others say nothing here."""
    for line in copy:
        row = _row(line)
        if row is not None:
            yield row, len(line)


def _row(line: bytes) -> SentRow | None:
    """Address, attempt and fingerprint as the ledger had them (requests/render.py); None for a line without them.

    A line of output may come without its request: its fingerprint is then that of no text.
    """
    try:
        value = orjson.loads(line)
        key = parse_wire_key(value["key"])
        request = value.get("request")
        text = "".join(part["text"] for part in request["contents"][-1]["parts"]) if request else ""
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return None if key is None else SentRow(*key, fingerprint(text))


def _put_in_place(site: Site, new: Path) -> Path | None:
    """The old ledger gets a dated name, its journal too: a new file beside an old journal would be undone by it."""
    path = site.home.ledger
    kept = None
    if path.exists():
        kept = path.with_name(f"ledger.{site.now():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}{path.suffix}")
        _keep(path, kept)
    for end in ("-journal", "-wal", "-shm"):
        beside = path.with_name(path.name + end)
        if beside.exists():
            beside.rename(f"{kept or path.with_name('ledger.left-over.sqlite')}{end}")
    new.replace(path)
    sync_folder(path.parent)
    return kept


def _keep(path: Path, kept: Path) -> None:
    """Under a second name, so that at no moment the study is without a ledger and would begin anew."""
    try:
        kept.hardlink_to(path)
    except OSError:  # a file system without such links
        path.rename(kept)
