"""Is the ledger at hand the one that knows what was paid for?"""

from pathlib import Path

from overnight.errors import RecordsError
from overnight.records.opening import open_table
from overnight.run.world import World
from overnight.study.models import Study


def lost_memory(study: Study, world: World) -> str:
    """Signs that what this study was answered and paid for is in another ledger than the one at hand."""
    if world.ledger.shards.all(world.realm):
        return ""
    results = world.home.results / "results.csv"
    if results.exists() and _holds_answers(results):
        return (
            f"{results} holds answers, but the ledger beside them knows of no request: it was left behind, or removed."
            f" Put the folder .overnight back into {world.home.folder}, or make the ledger again from the bucket with"
            " `overnight recover`; else everything is asked anew."
        )
    beside = study.folder / ".overnight"
    if study.home != study.folder and beside.exists() and not (study.folder / "study.yaml").exists():
        return (
            f"{beside} is the memory of a study.yaml that is not there any more. If {study.path.name} is that study,"
            f" move .overnight to {study.home}, or everything is asked anew. Is it lost: `overnight recover`."
        )
    return ""


def _holds_answers(results: Path) -> bool:
    """False for results of before any answer. A file that is not as we wrote it is taken to hold some."""
    try:
        table = open_table(results)
        at = table.columns.index("outcome")
        return any(row[at] in {"answer", "problem"} for _, row in table.rows())
    except (RecordsError, ValueError, OSError):
        return True
