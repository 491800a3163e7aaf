"""What is wrong between values: looked for in the texts themselves, so that one slip does not hide another."""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from overnight.errors import Finding
from overnight.study.models import AskSpec, RecordsSpec
from overnight.study.prompts import read_prompt
from overnight.study.schemas import LEVELS_ABOVE, MAX_LINE_DEPTH, MAX_SCHEMA_DEPTH, answer_schema, schema_depth
from overnight.study.yaml_nodes import Document, KeyPath, Plain, show

CONSTANT_CHARS: Final = 4_000
"""So much of a prompt's own words behind its first slot is worth a hint. Ours: about 1,000 tokens."""
CRITERION_ENDS: Final = ("votes", "quote", "quote_found", "quote_at", "reason")
"""Behind a criterion's own column in results."""
PLACEHOLDER: Final = "WRITE HERE"
"""How a text begins that `overnight init` leaves to the person."""


def check_placeholders(document: Document, value: Plain, path: KeyPath = ()) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            check_placeholders(document, inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            check_placeholders(document, inner, (*path, i))
    elif value and value.startswith(PLACEHOLDER):
        document.add(f'still to be written: "{value}"', path, "Put your own words there.")


def check_files(document: Document, files: Plain, folder: Path) -> None:
    """Each file is there, is a file, and is named once."""
    seen: dict[Path, KeyPath] = {}
    for i, item in enumerate(files if isinstance(files, list) else []):
        written = item.get("path") if isinstance(item, dict) else item
        path: KeyPath = ("records", "files", i)
        if not isinstance(written, str) or not written or written.startswith(PLACEHOLDER):
            continue
        if "://" in written:
            scheme = written.split("://")[0]
            hint = "Download it and name the file; gs:// and bq:// tables come in a later version."
            document.add(f"`{scheme}://` addresses are not in this version", path, hint)
            continue
        file = absolute(folder, written)
        if file in seen:
            document.add(f"{written} is here twice (first as {show(seen[file])})", path, "Keep one of the two.")
        else:
            check_file(document, file, written, path)
        seen.setdefault(file, path)


def check_models(document: Document, written: Plain, folder: Path) -> Path | None:
    """The user's own file of models and prices, absolute; what is in it is looked at where prices are known."""
    path: KeyPath = ("models",)
    if written is None:
        return None
    if not isinstance(written, str) or not written.strip() or "\0" in written:
        document.add(
            "`models` is the name of one TOML file", path, "models: my-models.toml; the model is under `model`."
        )
        return None
    file = absolute(folder, written)
    check_file(document, file, written, path)
    return file


def check_file(document: Document, file: Path, written: str, path: KeyPath) -> bool:
    """Is it there, and a file? Else it is a finding."""
    try:
        is_folder, is_file = file.is_dir(), file.is_file()
    except OSError as cause:  # a name too long, a folder that is closed to us
        document.add(f"{written} cannot be looked at: {cause.strerror or cause}", path, f"Looked for at {file}.")
        return False
    if is_folder:
        document.add(f"{written} is a folder", path, "Name the files in it.")
    elif not is_file:
        document.add(f"there is no file {written}", path, _near_file(file) or f"Looked for at {file}.")
    return is_file


def absolute(folder: Path, written: str) -> Path:
    """The path as the user means it: relative ones begin at the study file's folder. Links are not resolved."""
    return Path(os.path.normpath(folder / written))


def _near_file(file: Path) -> str:
    try:
        names = sorted(entry.name for entry in file.parent.iterdir() if entry.is_file())
    except OSError:  # the folder is missing or closed to us: then there is no name to propose
        return ""
    near = difflib.get_close_matches(file.name, names, n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""


def check_text(document: Document, text: Plain, path: KeyPath = ("records", "text")) -> None:
    seen: set[str] = set()
    for i, column in enumerate(text if isinstance(text, list) else []):
        if isinstance(column, str) and column in seen:
            document.add(f'the column "{column}" is here twice', (*path, i), "Keep one of the two.")
        elif isinstance(column, str) and any(c in column for c in "{}\n"):
            document.add(f'"{column}" is no column\'s name here', (*path, i), "Braces and line breaks cannot be in it.")
        if isinstance(column, str):
            seen.add(column)


def check_prompt(document: Document, prompt: Plain) -> None:
    """Braces are slots or doubled; at least one column goes in."""
    path: KeyPath = ("ask", "prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        return
    parts, faults = read_prompt(prompt)
    first = document.text_lines.get(path)
    for fault in faults:
        document.add(f"{fault.what} in the prompt", path, fault.hint, line=first + fault.line - 1 if first else 0)
    if not faults and all(part.kind == "text" for part in parts):
        hint = "Write a column's name in braces where its text belongs: {abstract}."
        document.add("the prompt names no column: every record would be asked the same", path, hint)


def check_criteria(document: Document, screen: Plain) -> None:
    """Ids once in both lists, and no two criteria whose result columns are the same."""
    columns: dict[str, str] = {}
    for criterion_id, path in _criterion_ids(screen):
        mine = result_columns(criterion_id)
        taken = next((column for column in mine if column in columns), "")
        if taken and columns[taken] == criterion_id:
            document.add(f"the id `{criterion_id}` is used twice", path, "Give each criterion an id of its own.")
        elif taken:
            what = f"`{criterion_id}` and `{columns[taken]}` would both have the result column `{taken}`"
            document.add(what, path, "Give one of them another id.")
        for column in mine:
            columns.setdefault(column, criterion_id)


def result_columns(criterion_id: str) -> tuple[str, ...]:
    """The columns of a criterion in results, in their order."""
    name = f"c_{criterion_id}"
    return name, *(f"{name}_{end}" for end in CRITERION_ENDS)


def _criterion_ids(screen: Plain) -> Iterator[tuple[str, KeyPath]]:
    for kind in ("include", "exclude"):
        criteria = screen.get(kind) if isinstance(screen, dict) else None
        for i, criterion in enumerate(criteria if isinstance(criteria, list) else []):
            if isinstance(criterion, dict) and isinstance(criterion.get("id"), str):
                yield str(criterion["id"]), ("screen", kind, i, "id")


def check_answer(document: Document, ask: AskSpec) -> None:
    """The whole request line is not too deep for the importer."""
    depth = schema_depth(answer_schema(ask.answer))
    if depth > MAX_SCHEMA_DEPTH:
        levels = depth + LEVELS_ABOVE
        what = f"the answer is nested too deeply: a request would have {levels} levels, at most {MAX_LINE_DEPTH}"
        hint = "Put fields further up, or ask for a text instead of the innermost object."
        document.add(what, ("ask", "answer"), hint)


def ask_warnings(document: Document, ask: AskSpec, records: RecordsSpec) -> Iterator[Finding]:
    """Things that work and may not be meant."""
    slots = {part.value for part in read_prompt(ask.prompt)[0] if part.kind == "slot"}
    unseen = [column for column in records.text if column not in slots]
    if unseen:
        path: KeyPath = ("records", "text")
        what = f"the prompt does not use {', '.join(unseen)}: in an `ask`, the prompt's slots say what the model sees"
        yield Finding(what, show(path), document.file, document.line(path), level="warning")
    behind = _behind_the_first_slot(ask.prompt)
    if behind > CONSTANT_CHARS:
        path = ("ask", "prompt")
        what = (
            f"{behind:,} characters of instructions stand behind the first slot, about {behind // 4:,} tokens in every"
            " request: a service can read from its cache only what all requests begin with"
        )
        hint = (
            "Put them before the record, or into `system`: where the common beginning has some 4,096 tokens, it may be"
            " billed at the cached rate, often a tenth. Leave them if the order matters to the answers."
        )
        yield Finding(what, show(path), document.file, document.line(path), hint, "warning")
    in_system = [part.value for part in read_prompt(ask.system)[0] if part.kind == "slot"]
    if in_system:
        path = ("ask", "system")
        what = f"`{{{in_system[0]}}}` in `system` is sent as it stands: only the prompt has slots"
        yield Finding(what, show(path), document.file, document.line(path), level="warning")


def _behind_the_first_slot(prompt: str) -> int:
    """Characters of the prompt's own words that stand behind its first slot."""
    parts = read_prompt(prompt)[0]
    first = next((place for place, part in enumerate(parts) if part.kind == "slot"), len(parts))
    return sum(len(part.value) for part in parts[first:] if part.kind == "text")


def silence_warnings(document: Document, screen: Plain) -> Iterator[Finding]:
    excludes = screen.get("exclude") if isinstance(screen, dict) else None
    for i, criterion in enumerate(excludes if isinstance(excludes, list) else []):
        if isinstance(criterion, dict) and criterion.get("if_silent") == "met":
            path: KeyPath = ("screen", "exclude", i, "if_silent")
            what = "silence never excludes by an exclusion criterion: such a record goes to a person, as with `unclear`"
            hint = "To exclude on silence, turn the sentence round into an inclusion with `if_silent: not_met`."
            yield Finding(what, show(path), document.file, document.line(path), hint, "warning")
