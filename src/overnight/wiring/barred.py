"""A study whose model cannot be used: refused with what can, or opened all the same where jobs are to be collected."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from overnight.backends.unconnected import Unconnected
from overnight.core.events import silent
from overnight.errors import RecordsError, StudyError
from overnight.ledger.ledger import Ledger
from overnight.planning.tasks import make_task
from overnight.pricing.refusals import NAME, Chosen, Refusal, barred, looked_at
from overnight.pricing.tables import Tables
from overnight.run.world import Home
from overnight.study.models import Study
from overnight.wiring.making import make_world
from overnight.wiring.models import chosen, study_costs
from overnight.wiring.study_records import read_study_records


def model_of(
    study: Study, tables: Tables, now: Callable[[], datetime], *, to_send: bool, allow_unknown: bool, collects: bool
) -> tuple[Chosen, Refusal | None]:
    """The study's model, and why nothing can be sent to it, if nothing can.

    collects: the command is one that collects, so that a model that cannot be used is taken as it is where jobs were
    sent. Raises StudyError for one that is refused.
    """
    today = now().date()
    found = chosen(study, tables, today, to_send=to_send, allow_unknown=allow_unknown)
    if not isinstance(found, Refusal):
        return found, None if to_send else barred(tables, study.model.name, today)
    taken = _all_the_same(study, tables, found, now) if collects else None
    if taken is None:
        raise _refused(study, tables, found, now)
    return taken, found


def _all_the_same(study: Study, tables: Tables, refused: Refusal, now: Callable[[], datetime]) -> Chosen | None:
    """The study's model as it is, where jobs were sent that are still to be collected and shown."""
    home = Home(study.home, study.realm)
    if refused.path != NAME or not home.ledger.exists():
        return None
    stamp = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with Ledger.open(home.ledger, study=study.name, now=stamp, only_look=True) as ledger:
        if not ledger.shards.all(study.realm, "submitting", "submitted", "collected"):
            return None
    found = chosen(study, tables, now().date(), to_send=False, allow_unknown=True)
    assert isinstance(found, Chosen), "only what sends is refused"
    return found


def refusal_to_send(
    study: Study, tables: Tables, refused: Refusal | None, now: Callable[[], datetime]
) -> Callable[[int], StudyError] | None:
    if refused is None:
        return None

    def of(n_requests: int) -> StudyError:
        left = f"{n_requests:,} requests are left, and none can be sent: {refused.what}"
        return _refused(study, tables, replace(refused, what=left), now)

    return of


def _refused(study: Study, tables: Tables, refused: Refusal, now: Callable[[], datetime]) -> StudyError:
    """With its line in the study. The hint stays whole: a row to be pasted has lines."""
    finding = refused.finding(_costs(study, tables, refused, now) if refused.alternatives else {})
    return StudyError([replace(study.placed(finding), hint=finding.hint)])


def _costs(study: Study, tables: Tables, refused: Refusal, now: Callable[[], datetime]) -> dict[str, str]:
    """What each alternative would cost for this study, where its records can be read."""
    try:
        records, _ = read_study_records(study)
    except RecordsError:  # said, whole, as soon as the study names a model
        return {}
    other = looked_at(tables, refused.alternatives[0], None)
    home, task = Home(study.home, study.realm), make_task(study, other.thinking.config)
    stamp = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with Ledger.open(home.ledger, study=study.name, now=stamp, only_look=True) as ledger:
        asked = study, tables, other.model, other.thinking, records
        world = make_world(*asked, home, ledger, Unconnected(), task, silent, now, time.sleep)
        costs = study_costs(world, refused.thinking or study.model.thinking, refused.alternatives)
    return {id_: f"about {amount} for this study, thinking {set_.level}" for id_, (amount, set_) in costs.items()}
