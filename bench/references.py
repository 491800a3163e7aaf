"""R1, R2: files of records as they are opened and read, beside other people's readers; memory as they grow.

The same made-up publications in each format. Opening counts every record a second time (RIS, BibTeX) or every row
(CSV); the others do nothing of the kind, and hold all records in memory where ours are streamed.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.figures import Figure
from bench.measure import Runner, Values, measured
from bench.sizes import Sizes
from bench.texts import texts

_COLUMNS: Final = ("Title", "Abstract", "Authors", "Year", "Source title", "DOI")


def run(runner: Runner, sizes: Sizes, work: Path) -> list[Figure]:
    figures = [
        *_beside(runner, work, "ris", sizes.middle, {"rispy": 1.0}),
        *_beside(runner, work, "bib", sizes.few, {"bibtexparser": 1.5}),
        *_beside(runner, work, "csv", sizes.middle, {"pandas": None, "pyarrow": None}),
    ]
    for ending in ("ris", "csv"):
        found = {n: runner.once("bench.references:ours", path=str(_file(work, ending, n)))
                 for n in (sizes.middle, sizes.many)}  # fmt: skip
        middle, many = found[sizes.middle], found[sizes.many]
        growth = many["peak_mb"] / middle["peak_mb"]
        figures.append(Figure("R2", f"peak memory, {ending.upper()}, {sizes.many:,} over {sizes.middle:,} records",
                              growth, "x", 1.2, 1.05,
                              note=f"{middle['peak_mb']:.0f} → {many['peak_mb']:.0f} MB, "
                                   f"{many['cpu_s'] / sizes.many * 1e6:.0f} µs a record"))  # fmt: skip
        _file(work, ending, sizes.many).unlink()
    return figures


def _beside(runner: Runner, work: Path, ending: str, n: int, others: dict[str, float | None]) -> list[Figure]:
    """others: the name of a function here, and the mark for our CPU over its."""
    path = str(_file(work, ending, n))
    names = ("ours", *others)
    values = runner.rounds_of({f"{ending} {name}": (f"bench.references:{name}", {"path": path}) for name in names})
    ours = values[f"{ending} ours"]
    for name in others:
        if values[f"{ending} {name}"]["records"] != ours["records"]:
            raise ValueError(f"{name} read {values[f'{ending} {name}']['records']:,.0f} records of {path}")
    return [
        Figure("R1", f"{ending.upper()}, {n:,} records: our CPU over {name}'s", ours["cpu_s"] / theirs["cpu_s"], "x",
               mark, note=f"{ours['cpu_s'] / n * 1e6:.0f} against {theirs['cpu_s'] / n * 1e6:.0f} µs a record, "
                          f"{ours['peak_mb']:.0f} against {theirs['peak_mb']:.0f} MB")
        for name, mark in others.items() for theirs in [values[f"{ending} {name}"]]
    ]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def ours(path: str) -> Values:
    """Opened, which reads all of it once and counts it in another way, then read record by record."""
    from overnight.records import open_table

    values: Values = {}
    with measured(values):
        values["records"] = sum(1 for _ in open_table(Path(path)).rows())
    return values


def rispy(path: str) -> Values:
    import rispy

    values: Values = {}
    with measured(values), Path(path).open(encoding="utf-8") as file:
        values["records"] = len(rispy.load(file))
    return values


def bibtexparser(path: str) -> Values:
    import bibtexparser

    values: Values = {}
    with measured(values):
        values["records"] = len(bibtexparser.parse_file(path).entries)
    return values


def pandas(path: str) -> Values:
    import pandas as pd

    values: Values = {}
    with measured(values):
        values["records"] = len(pd.read_csv(path, dtype=str))
    return values


def pyarrow(path: str) -> Values:
    from pyarrow.csv import ParseOptions, read_csv

    values: Values = {}
    with measured(values):
        values["records"] = read_csv(path, parse_options=ParseOptions(newlines_in_values=True)).num_rows
    return values


# --- files ----------------------------------------------------------------------------------------------------------


def _file(work: Path, ending: str, n: int) -> Path:
    path = work / f"references-{n}.{ending}"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines({"ris": _ris, "bib": _bib, "csv": _csv}[ending](n))
    return path


def _works(n: int) -> Iterator[tuple[str, ...]]:
    """In the order of _COLUMNS."""
    for number, text in enumerate(texts(n)):
        title = text[:90].rstrip()
        yield title, text, "Aster, Ann; Bell, Bo", str(1990 + number % 36), "Made-Up Sleep", f"10.5555/made.{number}"


def _ris(n: int) -> Iterator[str]:
    for title, text, authors, year, journal, doi in _works(n):
        people = "".join(f"AU  - {name}\r\n" for name in authors.split("; "))
        yield (
            f"TY  - JOUR\r\nTI  - {title}\r\n{people}PY  - {year}\r\nJO  - {journal}\r\nDO  - {doi}\r\n"
            f"KW  - sleep\r\nAB  - {text}\r\nER  - \r\n\r\n"
        )


def _bib(n: int) -> Iterator[str]:
    for number, (title, text, authors, year, journal, doi) in enumerate(_works(n)):
        people = authors.replace("; ", " and ")
        yield (
            f"@article{{made{number},\n  title = {{{title}}},\n  author = {{{people}}},\n  year = {{{year}}},\n"
            f"  journal = {{{journal}}},\n  doi = {{{doi}}},\n  abstract = {{{text}}}\n}}\n\n"
        )


def _csv(n: int) -> Iterator[str]:
    lines: list[str] = []

    class Lines:
        def write(self, line: str) -> None:
            lines.append(line)

    writer = csv.writer(Lines())
    writer.writerow(_COLUMNS)
    for work in _works(n):
        writer.writerow(work)
        yield from lines
        lines.clear()
