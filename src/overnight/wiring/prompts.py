"""The instructions of a study as its next `run` would send them; its records are not read."""

from pathlib import Path

from overnight.ledger.ledger import Ledger
from overnight.planning.instructions import Instruction, instructions
from overnight.planning.tasks import make_task
from overnight.run.world import Home
from overnight.study.load import load_study
from overnight.study.models import Study
from overnight.wiring.opening import utc_now


def study_instructions(path: Path) -> tuple[Study, list[Instruction]]:
    """Raises StudyError with all findings; LedgerError where the ledger cannot be read."""
    study = load_study(path)
    stamp = utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with Ledger.open(Home(study.home, study.realm).ledger, study=study.name, now=stamp, only_look=True) as ledger:
        # What the thinking became has no part in which words are in force: `own` holds it as the person wrote it.
        task = make_task(study, {}, pinned=ledger.recipes.pinned())
    return study, instructions(study, task.recipes)
