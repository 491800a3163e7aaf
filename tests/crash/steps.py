"""What may happen in a life, by kind: kills, strikes of faults, edits, a person's words. Each step is of several acts.

`@step(kind, …)` puts it into the table that stories are drawn from. A step gets a generator of its own, so that a story
from which steps were taken out tells the others as before.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from tests.crash import mishaps
from tests.crash.life import Life
from tests.crash.walk import At

Kind = Literal["kill", "strike", "edit", "word"]
Act = Callable[[Life, Random], None]
GOOGLE: Final = ("google",)
REALMS: Final = ("stand-in", "google")


@dataclass(frozen=True)
class Step:
    """weight: how often it is drawn among those of its kind. realms: where it can happen. parity: of the seeds in whose
    stories it can be; None for any."""

    name: str
    kind: Kind
    weight: int
    realms: tuple[str, ...]
    act: Act
    parity: int | None = None


STEPS: Final[dict[str, Step]] = {}


def step(
    kind: Kind, weight: int = 1, realms: tuple[str, ...] = REALMS, parity: int | None = None
) -> Callable[[Act], Act]:
    def put(act: Act) -> Act:
        STEPS[act.__name__] = Step(act.__name__, kind, weight, realms, act, parity)
        return act

    return put


# Kills


@step("kill", 4)
def a_run_is_killed_between_intent_and_fact(life: Life, draw: Random) -> None:
    life.add(draw.randint(1, 2))
    life.run(at=life.point(draw, sending=True))
    life.run(*_detached(draw))


@step("kill", 2)
def a_run_is_killed_anywhere(life: Life, draw: Random) -> None:
    life.add(1)
    life.run(*_detached(draw), at=life.point(draw, sending=False))
    if draw.random() < 0.6:
        life.run()


@step("kill", 2)
def a_run_is_killed_and_the_one_that_recovers_too(life: Life, draw: Random) -> None:
    life.add(1)
    life.run(at=life.point(draw, sending=True))
    life.run(at=("", draw.randint(1, 60)))
    life.run()


@step("kill")
def a_run_is_killed_under_a_lost_reply(life: Life, draw: Random) -> None:
    life.add(2)
    with life.mishaps(draw.choice(mishaps.REPLY_LOST)):
        life.run(at=life.point(draw, sending=draw.random() < 0.5))
        life.run(at=("", draw.randint(10, 80)))
    life.run()


@step("kill")
def a_run_is_killed_while_its_rows_fail(life: Life, draw: Random) -> None:
    life.add(2)
    with life.mishaps(*draw.sample(mishaps.ROWS, 2)):
        life.run(at=("", draw.randint(60, 160)))
        life.run(at=("", draw.randint(5, 60)))


@step("kill")
def a_persons_word_is_killed_and_given_again(life: Life, draw: Random) -> None:
    command = draw.choice(["cancel", "retry", "fetch", "fetch --reparse"]).split()
    if command == ["cancel"]:
        life.add(1)
        life.goes_wrong(draw.choice(mishaps.HELD))
        life.run("--detach")
    life.do(*command, at=("", draw.randint(1, 30)))
    life.do(*command)


@step("kill")
def a_forgetting_is_killed_and_given_again(life: Life, draw: Random) -> None:
    record = draw.choice(sorted(life.numbers))
    life.forget(record, at=("", draw.randint(1, 10)))
    life.forget(record)
    life.run()


@step("kill")
def run_and_cloud_are_killed(life: Life, draw: Random) -> None:
    life.add(1)
    life.run(at=life.point(draw, sending=True))
    life.cloud_dies_and_comes_back()
    life.run()


# Strikes


@step("strike", 3)
def a_create_has_no_usable_reply(life: Life, draw: Random) -> None:
    late = (mishaps.LISTED_LATE,) if draw.random() < 0.4 else ()
    life.add(draw.randint(1, 3))
    with life.mishaps(draw.choice(mishaps.REPLY_LOST), *late):
        life.run(*_detached(draw))
    life.run()


@step("strike")
def a_create_is_refused_or_never_arrives(life: Life, draw: Random) -> None:
    life.add(1)
    with life.mishaps(draw.choice(mishaps.NOT_MADE)):
        life.run()


@step("strike", 3)
def rows_and_lines_go_wrong(life: Life, draw: Random) -> None:
    life.add(draw.randint(2, 4))
    with life.mishaps(*draw.sample(mishaps.ROWS, draw.randint(1, 3))):
        life.run(*_detached(draw))
    if draw.random() < 0.5:
        life.run()


@step("strike", 2)
def a_job_goes_wrong(life: Life, draw: Random) -> None:
    life.add(2)
    with life.mishaps(draw.choice(mishaps.JOBS), draw.choice(mishaps.FILES)):
        life.run()


@step("strike", 2)
def output_comes_late(life: Life, draw: Random) -> None:
    life.add(2)
    with life.mishaps(draw.choice(mishaps.LATE), *draw.sample(mishaps.FILES, draw.randint(0, 1))):
        life.run()


@step("strike", 2)
def calls_fail(life: Life, draw: Random) -> None:
    life.add(1)
    with life.mishaps(*draw.sample(mishaps.CALLS, 3)):
        life.run(*_detached(draw))


@step("strike")
def a_job_is_held_and_cancelled(life: Life, draw: Random) -> None:
    life.add(2)
    with life.mishaps(draw.choice(mishaps.HELD), draw.choice(mishaps.AT_CANCEL)):
        life.run("--detach")
        life.do("cancel")
    life.run()


@step("strike", 4)
def output_comes_when_its_rows_were_asked_again(life: Life, draw: Random) -> None:
    """Whichever of the two answers is read first stands; the other is surplus."""
    _settled(life)
    life.add(2)
    with life.mishaps(*mishaps.TOO_LATE):
        life.run("--detach")
        if not life.has_ledger:
            return
        late = [label for (label,) in life.query("SELECT label FROM shard WHERE state = 'submitted'")]
        life.too_late.update(late)
        life.goes_wrong(mishaps.HELD[1])
        life.run("--detach")
        for label in late:
            life.wait_for_output(label)
        life.do("fetch", "--reparse")
    life.run()
    if draw.random() < 0.5:
        life.do("fetch", "--reparse")


# Edits


@step("edit", 2)
def records_are_added_and_asked(life: Life, draw: Random) -> None:
    life.add(draw.randint(1, 3))
    life.run(*_detached(draw))


@step("edit")
def records_come_and_go(life: Life, draw: Random) -> None:
    for edit in draw.sample([life.twin, life.take_out, life.change], 2):
        edit(draw)
    life.run(*_detached(draw))


@step("edit")
def the_prompt_is_written_anew(life: Life, draw: Random) -> None:
    life.ask_otherwise(draw)
    life.run(*draw.choice([["--pay-again"], []]))


# Words


@step("word")
def what_failed_is_opened(life: Life, draw: Random) -> None:
    life.do("retry")
    life.run(*_detached(draw))


@step("word", 2)
def a_record_is_forgotten(life: Life, draw: Random) -> None:
    if draw.random() < 0.5:
        _settled(life)
    life.forget(draw.choice(sorted(life.numbers)))
    if draw.random() < 0.7:
        life.run()


@step("word")
def kept_output_is_read_again(life: Life, draw: Random) -> None:
    life.run(*_detached(draw))
    life.do("fetch", "--reparse")


@step("word")
def kept_output_is_lost_and_fetched_again(life: Life, draw: Random) -> None:
    life.run()
    shutil.rmtree(life.study.home / ".overnight" / "raw", ignore_errors=True)
    life.do("fetch", "--reparse")


@step("word")
def jobs_are_cancelled(life: Life, draw: Random) -> None:
    life.add(1)
    life.run("--detach")
    life.do("cancel")
    life.do("fetch")


@step("word")
def all_is_well_for_once(life: Life, draw: Random) -> None:
    _settled(life)


# At Google


@step("strike", 4, GOOGLE)
def a_lost_job_is_sent_again_and_turns_up(life: Life, draw: Random) -> None:
    """Adopted before or after the second one was collected: whichever is read first stands, the other is surplus."""
    life.add(2)
    with life.mishaps(draw.choice(mishaps.REPLY_LOST), mishaps.NOT_LISTED):
        before = {name for name, _ in life.made()}
        lost = life.run()
        made = [name for name, _ in life.made() if name not in before]
        if lost.code == 9:
            held = draw.random() < 0.5
            if held:
                life.goes_wrong(mishaps.HELD[1])
            life.resubmitted(*(["--detach"] if held else draw.choice([["--detach"], []])))
        for name in made:
            life.do("adopt", "--job", name)
    life.run()


@step("kill", 3, GOOGLE)
def a_doubt_is_settled_and_killed(life: Life, draw: Random) -> None:
    life.add(1)
    with life.mishaps(draw.choice(mishaps.REPLY_LOST), mishaps.NOT_LISTED):
        if life.run().code == 9:
            life.resubmitted(at=life.point(draw, sending=True))
    life.run()


@step("kill", 2, GOOGLE, parity=1)
def a_lost_ledgers_recovery_is_killed(life: Life, draw: Random) -> None:
    _recovered(life, at=("", draw.randint(1, 60)))


@step("word", 3, GOOGLE, parity=1)
def the_ledger_is_lost(life: Life, draw: Random) -> None:
    if draw.random() < 0.5:
        life.run("--detach")
    _recovered(life)
    life.run(*_detached(draw))


@step("word", 2, GOOGLE, parity=0)
def the_bucket_is_swept(life: Life, draw: Random) -> None:
    life.run(*_detached(draw))
    life.do("clean", "--yes", at=("", draw.randint(1, 60)) if draw.random() < 0.4 else None)
    with life.mishaps(*draw.sample(mishaps.AT_CLEAN, draw.randint(0, 1))):
        life.do("clean", "--yes")


@step("word", 3, GOOGLE)
def an_older_ledger_comes_back(life: Life, draw: Random) -> None:
    """Synced back, or restored: it does not know the last job, and must not send."""
    _settled(life)
    older = life.study.ledger.read_bytes()
    jobs = len(life.made())
    life.add(1)
    life.run()
    newer, now = life.study.ledger.read_bytes(), len(life.made())
    life.add(1)
    if now > jobs:
        life.study.ledger.write_bytes(older)
        ended = life.command("run", "--yes", "--json")
        life.must((ended.code, len(life.made())) == (7, now), "paid twice", f"an old ledger sent: {ended.err}")
        life.study.ledger.write_bytes(newer)
    life.run()


def _recovered(life: Life, at: At | None = None) -> None:
    """Nothing is made of a ledger that is whole, so it is removed; the command is given until it ends well."""
    if not life.has_ledger or not life.query("SELECT 1 FROM sent"):
        return
    life.lose_the_ledger()
    if at is not None:
        life.command("recover", at=at)
    life.well_again()
    if not life.has_ledger:
        life.must(life.do("recover").code == 0, "rows lost", "the ledger could not be recovered")
    if life.do("fetch").code == 0:
        life.recovered_answers()


def _settled(life: Life) -> None:
    life.well_again()
    life.run("--pay-again")


def _detached(draw: Random) -> list[str]:
    return ["--detach"] if draw.random() < 0.3 else []
