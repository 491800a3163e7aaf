"""Writes the demo study's folder: study.yaml, records.csv, truth.csv, README.md. The same bytes on every platform."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from overnight.core.atomic import replace_bytes
from overnight.demo.abstracts import MARKS, NO_ABSTRACT, DemoRecord, make_records
from overnight.demo.kinds import CRITERIA, Kind, all_kinds
from overnight.errors import UsageError

COLUMNS: Final = ("record_id", "title", "abstract", "year", "journal", "doi", "keywords")
TRUTH_COLUMNS: Final = ("record_id", *CRITERIA, "decision", "kind")


def write_example(folder: Path) -> None:
    """Writes the four files into `folder` (made if it is not there); a file that holds the same bytes is left alone.

    Raises UsageError, and writes nothing, when one of them is there with other contents; OutputError when the folder
    cannot be written.
    """
    write_new(folder, example_files())


def write_new(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files (name -> contents) into `folder` in their order; never over one that holds something else.

    Raises UsageError, and writes nothing, when one of them is there with other contents; OutputError.
    """
    targets = {folder / name: data for name, data in files.items()}
    changed = [target.name for target, data in targets.items() if target.exists() and _bytes_of(target) != data]
    if changed:
        raise UsageError(
            f"{' and '.join(changed)} would be overwritten",
            where=str(folder),
            hint="Name a folder that does not exist yet, or move the files away: your own changes may be in them.",
        )
    for target, data in targets.items():
        if not target.exists():
            replace_bytes(target, data)


def _bytes_of(target: Path) -> bytes | None:
    """None for what is no file, so that it counts as something else."""
    return target.read_bytes() if target.is_file() else None


def example_files() -> dict[str, bytes]:
    """File name -> contents, in the order in which they are written: study.yaml last, so that it never stands alone."""
    records = make_records()
    return {
        "records.csv": _csv(COLUMNS, ([getattr(record, column) for column in COLUMNS] for record in records)),
        "truth.csv": _csv(TRUTH_COLUMNS, (_truth(record) for record in records)),
        "README.md": _readme(records).encode(),
        "study.yaml": _study(records).encode(),
    }


def _truth(record: DemoRecord) -> list[str]:
    return [record.record_id, *(record.verdicts[criterion] for criterion in CRITERIA), record.decision, record.kind]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _readme(records: Sequence[DemoRecord]) -> str:
    decisions = Counter(record.decision for record in records)
    copies = [record for record in records if record.copy_of]
    original = {record.record_id: record for record in records}
    exact = sum(record.abstract == original[record.copy_of].abstract for record in copies)
    return package_text("readme.md").format(
        n_records=f"{len(records):,}",
        n_include=decisions["include"],
        n_unclear=decisions["unclear"],
        n_exclude=decisions["exclude"],
        n_no_abstract=sum(record.abstract in NO_ABSTRACT for record in records),
        n_exact=exact,
        n_near=len(copies) - exact,
        kinds=_kinds_table(Counter(record.kind for record in records)),
        n_marks=sum(bool(record.mark) for record in records),
        marks=_marks_table(records),
    )


def _marks_table(records: Sequence[DemoRecord]) -> str:
    ids = {mark: [record.record_id for record in records if record.mark == mark] for mark in MARKS}
    return "\n".join(f"| `{mark}` | {', '.join(ids[mark])} | {does} | {ends} |" for mark, (does, ends) in MARKS.items())


def _study(records: Sequence[DemoRecord]) -> str:
    return package_text("study.yaml").replace("{n_marks}", str(sum(bool(record.mark) for record in records)))


def _kinds_table(counts: Counter[str]) -> str:
    def row(kind: Kind) -> str:
        return f"| `{kind.name}` | {counts[kind.name]} | {kind.decision} | {kind.note} |"

    return "\n".join(
        ["| kind | records | decision | what it is |", "| --- | ---: | --- | --- |", *map(row, all_kinds())]
    )


def package_text(name: str) -> str:
    """A text of the package with plain line ends, whatever a checkout made of them."""
    return resources.files("overnight.demo").joinpath("texts", name).read_text("utf-8").replace("\r\n", "\n")
