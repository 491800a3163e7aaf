"""A seed makes a file, always the same: one of the zoo, damaged; sometimes packed, sometimes under a wrong name."""

import gzip
import traceback
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.judge import HungError, Tally, judge, limited
from tests.fuzz.mutate import damaged
from tests.support.zoo import ZOO, Exhibit

_NAMES: Final = ("x.ris", "x.nbib", "x.bib", "x.xml", "x.csv", "x.tsv", "x.txt", "x.enw", "x.jsonl", "x.xlsx", "x")
_PACKED: Final = (".gz", ".zip")


class FuzzError(AssertionError):
    """A seed, and what went wrong with it."""


@cache
def exhibits() -> tuple[Exhibit, ...]:
    """Of packed files there is what is in them, elsewhere in the zoo; XLSX and Parquet come less often, being slow."""
    return tuple(made for make in ZOO.values() if not (made := make()).name.endswith(_PACKED))


def made(seed: int) -> tuple[str, bytes, bytes]:
    """(name, the file's bytes, the bytes before they were packed)."""
    draw = Random(seed)
    exhibit, other = draw.choice(exhibits()), draw.choice(exhibits())
    plain = damaged(draw, exhibit.content, other.content)
    name = exhibit.name if draw.random() < 0.8 else draw.choice(_NAMES)
    if draw.random() < 0.05:
        packed = gzip.compress(plain, 1)
        return f"{name}.gz", packed if draw.random() < 0.7 else damaged(draw, packed, packed), plain
    return name, plain, plain


def try_one(seed: int, folder: Path, tally: Tally, keep: Path | None = None) -> None:
    """Raises FuzzError."""
    name, content, plain = made(seed)
    path = folder / name
    path.write_bytes(content)
    try:
        with limited():
            wrong = judge(path, plain, tally)
    except HungError as error:
        wrong = f"hung: {error}"
    except Exception:  # noqa: BLE001  # whatever a reader lets through is what is looked for
        wrong = traceback.format_exc()
    finally:
        path.unlink()
    if wrong:
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{seed}-{name}").write_bytes(content)
        raise FuzzError(f"seed {seed}, {name}: {wrong}")
