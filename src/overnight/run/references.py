"""Results as reference files: each record as its own file had it, with the decision on it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from overnight.core.atomic import replacing
from overnight.core.record import Cell, Record
from overnight.errors import UsageError
from overnight.records.references import NAMES as BIBLIOGRAPHIC
from overnight.records.writer import write_table
from overnight.records.writers import ris
from overnight.records.writers.bibtex import BibWriter
from overnight.records.writers.citation import Citation, Citations
from overnight.records.writers.exchange import EXCHANGES, Exchange
from overnight.records.writers.marks import Marks
from overnight.run.marks import DECISIONS, MarkMaker
from overnight.run.spool import Spool
from overnight.run.world import World

_SHOWN: Final = 20


def ris_folder(world: World) -> Path:
    return world.home.results / "ris"


def are_wanted(world: World) -> bool:
    """Whether a run writes them: where records came as references, or are screened and have a title to know them by."""
    screens = MarkMaker(world.task, world.realm).decides
    return not BIBLIOGRAPHIC.isdisjoint(world.formats) or (screens and _citations(world).known)


def write_ris_folder(world: World, spool: Spool) -> dict[str, Path]:
    """all.ris, and where the task decides a file for each decision. Those hold every record once more, but for those
    that another one stands for.

    Returns the files by name.
    """
    maker = MarkMaker(world.task, world.realm)
    folder = ris_folder(world)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.ris" for name in ("all", *(DECISIONS if maker.decides else ()))}
    with ExitStack() as stack:
        files = {name: stack.enter_context(replacing(path)) for name, path in paths.items()}
        for row, text in _written(world, spool, maker, ris.FORMAT, ris.as_ris):
            data = text.encode()
            files["all"].write(data)
            if maker.decides and (decision := maker.decision(row)):
                files[decision].write(data)
    return paths


def check(world: World, format_: str) -> None:
    """Raises UsageError for a format of references where there is no title to make one of."""
    if format_ not in FORMATS or _citations(world).known or set(world.formats) == {_OWN.get(format_)}:
        return
    columns = [column.name for column in world.columns]
    listed = ", ".join(columns[:_SHOWN]) + (" …" if len(columns) > _SHOWN else "")
    raise UsageError(
        f"no column of the records is known to hold titles, and a reference needs one: {listed}",
        hint="Name it `title` in your table, or write CSV, XLSX, Parquet or JSONL.",
    )


def write_references(world: World, spool: Spool, target: Path, format_: str) -> None:
    """All records in one file. `check` comes first."""
    maker = MarkMaker(world.task, world.realm)
    with replacing(target) as file:
        if format_ in EXCHANGES:
            exchange = EXCHANGES[format_]
            write_table(file, "csv", exchange.columns, _exchanged(world, spool, maker, exchange))
            return
        for _, text in _written(world, spool, maker, _OWN.get(format_, ""), _WRITERS[format_]()):
            file.write(text.encode())


def _exchanged(world: World, spool: Spool, maker: MarkMaker, exchange: Exchange) -> Iterator[list[Cell]]:
    """Every record but those that another one stands for."""
    citations = _citations(world)
    for record, row in _side_by_side(world, spool):
        if decision := maker.decision(row):
            yield exchange.row(citations.of(record), decision, maker.of(row))


Write = Callable[[str, str, Citation | None, Marks], str]
"""(raw, its format, the citation where that is needed, marks) → text"""

_OWN: Final = {"ris": ris.FORMAT}
"""Records of which formats need no citation beside their own text."""
_WRITERS: Final[dict[str, Callable[[], Write]]] = {"ris": lambda: ris.as_ris, "bib": BibWriter}
FORMATS: Final = (*_WRITERS, *EXCHANGES)


def _written(
    world: World, spool: Spool, maker: MarkMaker, own: str, write: Write
) -> Iterator[tuple[Sequence[Cell], str]]:
    """(row, its record as text). The files are read once more: a million records' own texts are kept nowhere else."""
    citations = _citations(world)
    for record, row in _side_by_side(world, spool):
        citation = None if record.format == own and record.raw else citations.of(record)
        yield row, write(record.raw, record.format, citation, maker.of(row))


def _side_by_side(world: World, spool: Spool) -> Iterator[tuple[Record, Sequence[Cell]]]:
    """Raises RecordsError where a file changed meanwhile, so that no row can come beside another record."""
    for record, row in zip(world.records, spool.rows(), strict=True):
        assert record.record_id == row[0], "records come in one order"
        yield record, row


def _citations(world: World) -> Citations:
    return Citations([column.name for column in world.columns])
