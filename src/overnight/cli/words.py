"""Small words that every command uses: how many of what, how large, how long, which command comes next."""

import shlex
from pathlib import Path
from unicodedata import category


def counted(n: int, noun: str, plural: str = "") -> str:
    """`1 record`, `1,100 records`."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def size(n_bytes: int) -> str:
    """In the unit a person would say: `840 bytes`, `5 kB`, `5.1 MB`."""
    if n_bytes < 1000:
        return counted(n_bytes, "byte")
    if n_bytes < 999_500:
        return f"{n_bytes / 1e3:,.0f} kB"
    return f"{n_bytes / 1e6:,.1f} MB"


def visible(text: str) -> str:
    """What a table's writer chose, for a terminal: control characters are shown as `\\x1b`, not obeyed."""
    return "".join(
        char if char.isprintable() or not category(char).startswith("C") else char.encode("unicode_escape").decode()
        for char in text
    )


def duration(seconds: float) -> str:
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"


def command(verb: str, study: Path | None, rest: str = "") -> str:
    """`overnight run`, with the study when it is not the one in this folder. Can be pasted into a shell."""
    named = "" if study is None or study == Path("study.yaml") else shlex.quote(str(study))
    return " ".join(part for part in ("overnight", verb, named, rest) if part)
