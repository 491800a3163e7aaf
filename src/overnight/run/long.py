"""The task's long tables as files of their own: samples.csv, verdicts.csv."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from overnight.core.atomic import replacing
from overnight.core.events import Note
from overnight.core.task import Task
from overnight.errors import UsageError
from overnight.records.writer import FORMATS, write_table
from overnight.run.results import ANSWERS, long_tables, table_columns
from overnight.run.sheets import about
from overnight.run.spool import Spool
from overnight.run.world import World

MOST_ROWS: Final = 3_000_000
"""Of one table that a run writes: some 20 seconds and a gigabyte. `export --table` writes longer ones."""


def kept_of_run(task: Task, n_workbook: int) -> Mapping[str, int]:
    """Rows that a run keeps, by table. n_workbook: of how many records it writes a workbook."""
    return {table.name: MOST_ROWS for table in task.tables} or {ANSWERS.name: n_workbook}


def write_files(world: World, spool: Spool) -> dict[str, Path]:
    """Each whole table as CSV beside the results; of one with too many rows none is there, an older one neither."""
    written = {}
    for table in world.task.tables:
        target = world.home.results / f"{table.name}.csv"
        if not spool.holds(table.name):
            target.unlink(missing_ok=True)
            more = f"{target.name} is not written: it would have more than {MOST_ROWS:,} rows"
            how = f"`overnight export --table {table.name} --to {table.name}.parquet` writes them"
            world.tell(Note(f"{more}; {how}", "warning"))
            continue
        write(world, spool, target, table.name, "csv")
        written[table.name] = target.absolute()
    return written


def write(world: World, spool: Spool, target: Path, name: str, format_: str) -> None:
    """The rows that were kept of this table."""
    table = next(one for one in long_tables(world.task) if one.name == name)
    with replacing(target) as file:
        write_table(file, format_, table_columns(table), spool.kept[name].rows(), about(world))


def check(task: Task, name: str, format_: str) -> None:
    """Raises UsageError for a table that the task does not have, and for a format that is of records."""
    known = [table.name for table in long_tables(task)]
    if name not in known:
        raise UsageError(f"there is no table {name!r}", hint=f"Of this study there is {' and '.join(known)}.")
    if format_ not in FORMATS:
        raise UsageError(
            f"the table {name} is not of records, and cannot become {format_}",
            hint=f"End the file's name with one of .{', .'.join(FORMATS)}.",
        )
