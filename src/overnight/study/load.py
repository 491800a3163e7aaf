"""study.yaml → Study, or everything that is wrong with it at once.

Each section is read by its own model and what lies between values is checked on the texts (study/checks.py), so that a
slip in one place does not hide a slip in another. Nothing is read but the study file, its prompts, and the names beside
it.
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from overnight.errors import Finding, StudyError
from overnight.study import checks, samples
from overnight.study.models import (
    GIVE_UP_AFTER_DAYS,
    LEVELS,
    AskSpec,
    BudgetSpec,
    CloudSpec,
    Criterion,
    DeepThinkSpec,
    FieldSpec,
    FileSpec,
    ModelSpec,
    NotifySpec,
    PromptsSpec,
    RecordsSpec,
    ScreenSpec,
    Study,
)
from overnight.study.not_yet import KEYS_ELSEWHERE, KEYS_NOT_YET
from overnight.study.prompt_files import prompt_words
from overnight.study.told import fit, told
from overnight.study.values import Attempts, Days, StudyName
from overnight.study.yaml_nodes import Document, KeyPath, Plain, read_yaml, show

SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "records": RecordsSpec,
    "ask": AskSpec,
    "screen": ScreenSpec,
    "deep_think": DeepThinkSpec,
    "model": ModelSpec,
    "budget": BudgetSpec,
    "cloud": CloudSpec,
    "notify": NotifySpec,
}
KEYS: Final = (
    "study", "records", "ask", "screen", "deep_think", "model", "models", "budget", "attempts",
    "give_up_after_days", "cloud", "notify",
)  # fmt: skip
SCREEN_TEXT: Final = ("title", "abstract")
"""What a screen shows of a record when `records.text` does not say."""

T = TypeVar("T")


def load_study(path: Path) -> Study:
    """The study in this file, or in this folder's study.yaml. Raises StudyError with all findings at once."""
    file = path / "study.yaml" if path.is_dir() else path
    document = read_yaml(_read(file), str(file))
    if document.values:
        study = _study(document, file.absolute())
        if study is not None:
            return study
    raise StudyError(told(document.findings))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as cause:
        hint = "Name another file, or write one with `overnight init`."
        raise StudyError([Finding("there is no study file here", file=str(file), hint=hint)]) from cause
    except OSError as cause:
        what = f"the study file cannot be read: {cause.strerror or cause}"
        raise StudyError([Finding(what, file=str(file))]) from cause


def _study(document: Document, file: Path) -> Study | None:
    """None: there are findings."""
    values = document.values
    _drop_empty(document, values, ())
    checks.check_placeholders(document, values)
    _drop_what_is_not_done(document, values)
    _unknown_top_keys(document, values)
    _one_task(document, values)
    deep_think = _deep_think(document)
    checks.check_files(document, _inside(values, "records", "files"), file.parent)
    checks.check_text(document, _inside(values, "records", "text"))
    checks.check_prompt(document, _inside(values, "ask", "prompt"))
    checks.check_criteria(document, values.get("screen"))
    name = _value(document, "study", TypeAdapter[str](StudyName), required=True)
    records = _records(document, file.parent)
    ask = _section(document, "ask", AskSpec)
    screen = _screen(document, file.parent)
    model = _section(document, "model", ModelSpec, required=True)
    budget = _section(document, "budget", BudgetSpec)
    cloud = _cloud(document)
    attempts = _value(document, "attempts", TypeAdapter[int](Attempts))
    days = _value(document, "give_up_after_days", TypeAdapter[int](Days))
    notify = _section(document, "notify", NotifySpec)
    own = checks.check_models(document, values.get("models"), file.parent)
    if ask is not None:
        checks.check_answer(document, ask)
    task = ask or screen
    if document.findings or name is None or records is None or task is None or model is None:
        return None
    if isinstance(task, ScreenSpec) and not records.text:
        records = records.model_copy(update={"text": SCREEN_TEXT})
    warnings = tuple(map(fit, (*document.warnings, *_warnings(document, task, records, deep_think))))
    lines = {show(path): line for path, line in document.lines.items()}
    return Study(
        path=file,
        folder=file.parent,
        name=name,
        records=records,
        task=task,
        model=model,
        budget=budget,
        attempts=3 if attempts is None else attempts,
        cloud=cloud,
        give_up_after_days=GIVE_UP_AFTER_DAYS if days is None else days,
        notify=notify,
        deep_think=deep_think,
        models=own,
        warnings=warnings,
        named=document.file,
        lines=lines,
    )


def _warnings(
    document: Document, task: AskSpec | ScreenSpec, records: RecordsSpec, deep_think: DeepThinkSpec | None
) -> Iterator[Finding]:
    if isinstance(task, AskSpec):
        yield from checks.ask_warnings(document, task, records)
    else:
        yield from checks.silence_warnings(document, document.values.get("screen"))
        yield from samples.warnings(document, task, deep_think)


# --- sections -------------------------------------------------------------------------------------------------------


def _section(document: Document, key: str, model: type[T], *, required: bool = False) -> T | None:
    return _value(document, key, TypeAdapter(model), required=required)


def _value(document: Document, key: str, adapter: TypeAdapter[T], *, required: bool = False) -> T | None:
    if key not in document.values:
        if required and not _found_at(document, (key,)):
            document.add(f"`{key}` is missing", (), _EXAMPLES[key])
        return None
    return _validated(document, key, document.values[key], adapter)


def _validated(document: Document, key: str, value: object, adapter: TypeAdapter[T]) -> T | None:
    try:
        return adapter.validate_python(value)
    except ValidationError as cause:
        for error in cause.errors(include_url=False):
            _add_error(document, (key,), error)
        return None


_EXAMPLES: Final = {
    "study": "Name it: study: nap-trials",
    "records": "Name the tables: records: {files: [records.csv]}",
    "model": "Name one: model: {name: gemini-3.8-flash}",
}


def _records(document: Document, folder: Path) -> RecordsSpec | None:
    value = document.values.get("records")
    files = value.get("files") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(files, list):
        return _section(document, "records", RecordsSpec, required=True)
    placed = [_placed(item, folder) for item in files]
    return _validated(document, "records", {**value, "files": placed}, TypeAdapter(RecordsSpec))


def _placed(item: Plain, folder: Path) -> object:
    """A file as FileSpec wants it: with an absolute path."""
    if isinstance(item, str):
        return {"path": checks.absolute(folder, item)}
    if isinstance(item, dict) and isinstance(item.get("path"), str):
        return {**item, "path": checks.absolute(folder, str(item["path"]))}
    return item


def _screen(document: Document, folder: Path) -> ScreenSpec | None:
    value = document.values.get("screen")
    if not isinstance(value, dict):
        return _section(document, "screen", ScreenSpec)
    placed: dict[str, object] = dict(value)
    for kind in ("include", "exclude"):
        criteria = value.get(kind)
        if isinstance(criteria, list):
            placed[kind] = [_of_kind(document, item, kind, i) for i, item in enumerate(criteria)]
    prompts = value.get("prompts")
    if isinstance(prompts, dict):
        placed["prompts"] = {name: prompt_words(document, name, item, folder) for name, item in prompts.items()}
    return _validated(document, "screen", placed, TypeAdapter(ScreenSpec))


def _deep_think(document: Document) -> DeepThinkSpec | None:
    if "ask" in document.values and "screen" not in document.values and "deep_think" in document.values:
        samples.refuse_with_ask(document)
        return None
    return _section(document, "deep_think", DeepThinkSpec)


def _of_kind(document: Document, item: Plain, kind: str, i: int) -> object:
    if not isinstance(item, dict):
        return item
    if "kind" in item:
        hint = f"Take it out: the list it stands in ({kind}) says it."
        document.add("a criterion has no key `kind`", ("screen", kind, i, "kind"), hint)
    return {**item, "kind": kind}


def _cloud(document: Document) -> CloudSpec | None:
    value = document.values.get("cloud")
    bucket = value.get("bucket") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(bucket, str):
        return _section(document, "cloud", CloudSpec)
    path: KeyPath = ("cloud", "bucket")
    if "prefix" in value:
        document.add("`prefix` is no key here", ("cloud", "prefix"), "Write it behind the bucket: gs://bucket/prefix.")
    if not bucket.startswith("gs://"):
        document.add(
            f'"{bucket}" is no Cloud Storage address', path, f"Write gs://{bucket.split('://')[-1].strip('/')}"
        )
        value = {**value, "bucket": "aaa"}
    else:
        name, _, prefix = bucket.removeprefix("gs://").partition("/")
        value = {**value, "bucket": name, "prefix": prefix.strip("/")}
    return _validated(document, "cloud", value, TypeAdapter(CloudSpec))


# --- what pydantic says, in our words --------------------------------------------------------------------------------


def _add_error(document: Document, start: KeyPath, error: ErrorDetails) -> None:
    path = _path(document, (*start, *error["loc"]))
    if _found_at(document, path):
        return  # said already, in better words
    kind, context = error["type"], error.get("ctx", {})
    value = error["input"]
    if kind == "too_short" and value:
        return  # items there are, and each that is wrong has its own finding
    if kind == "extra_forbidden":
        _unknown_key(document, path)
    elif kind == "missing":
        document.add(f"`{path[-1]}` is missing", path[:-1])
    elif kind == "study":
        document.add(error["msg"], path, str(context.get("hint", "")))
    elif kind == "literal_error":
        _no_such_word(document, path, value, str(context["expected"]))
    else:
        document.add(*_in_words(kind, context, value, path))


def _in_words(kind: str, context: Mapping[str, Any], value: object, path: KeyPath) -> tuple[str, KeyPath, str]:
    shown = f'"{value}"' if isinstance(value, str) else f"a {_noun(value)}"
    wanted = _WANTED.get(kind)
    if wanted:
        return f"{shown} is not {wanted[0]}", path, wanted[1]
    if kind in ("greater_than_equal", "less_than_equal"):
        bound, word = (context["ge"], "least") if "ge" in context else (context["le"], "most")
        return f"{value} is out of range: at {word} {bound:,}", path, ""
    if kind == "too_short":
        return "there has to be at least one", path, ""
    return f"{shown}: {kind.replace('_', ' ')}", path, ""


_WANTED: Final = {
    "string_type": ("a text", "Put a text with : or braces in quotes."),
    "tuple_type": ("a list", "Write it in brackets, [one, two], or one item a line behind `- `."),
    "dict_type": ("a set of keys and values", "Write {key: value}, or one `key: value` a line, indented."),
    "model_type": ("a set of keys and values", "Write {key: value}, or one `key: value` a line, indented."),
    "model_attributes_type": ("a set of keys and values", "Write {key: value}, or one `key: value` a line, indented."),
    "int_parsing": ("a whole number", ""),
    "int_from_float": ("a whole number", ""),
    "int_type": ("a whole number", ""),
    "float_parsing": ("a number", ""),
    "float_type": ("a number", ""),
    "bool_parsing": ("true or false", ""),
    "bool_type": ("true or false", ""),
    "path_type": ("a file's path", ""),
}


def _noun(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "set of keys" if isinstance(value, dict) else "value"


_NEAR: Final = 0.75
"""So that a slip of the finger is one, and `exclude` is not taken for `include`."""


def _no_such_word(document: Document, path: KeyPath, value: object, expected: str) -> None:
    words = [word for word in expected.replace(" or ", ", ").replace("'", "").split(", ") if word]
    near = difflib.get_close_matches(str(value).lower(), words, n=1, cutoff=_NEAR)
    hint = f"Did you mean {near[0]}?" if near else _LITERAL_HINTS.get(path[-1], "") if path else ""
    shown = f'"{value}"' if isinstance(value, str) else f"a {_noun(value)}"
    document.add(f"{shown} is none of {', '.join(words)}", path, hint)


_LITERAL_HINTS: Final[dict[str | int, str]] = {
    "thinking": f"One of {', '.join(LEVELS)}, or a number of tokens.",
    "duplicates": "skip, keep or error.",
    "rule": "unanimous, majority or any_include.",
    "adjudicate": "contested, never or all.",
    "if_silent": "What silence counts as: met, not_met or unclear.",
    "unclear": "`person`: a person decides. `include`: it counts as included. Nothing is excluded without a ground.",
    "when_over": "`refuse`: nothing is sent. `fit`: a random part of the records that fits.",
}


def _path(document: Document, loc: tuple[str | int, ...]) -> KeyPath:
    """The location as a path in the file: what pydantic adds for keys and for branches of a union is left out."""
    path: KeyPath = ()
    for step in loc:
        if step == "[key]" or (isinstance(step, str) and step not in _names(document, path) and step in _BRANCHES):
            continue
        path = (*path, step)
    return path


_BRANCHES: Final = frozenset({"int", "float", *(f"literal[{','.join(map(repr, LEVELS))}]",)})


def _names(document: Document, path: KeyPath) -> set[str | int]:
    return {other[len(path)] for other in document.lines if len(other) > len(path) and other[: len(path)] == path}


def _found_at(document: Document, path: KeyPath) -> bool:
    return any(finding.path == show(path) for finding in document.findings)


# --- keys -----------------------------------------------------------------------------------------------------------


def _drop_empty(document: Document, value: Plain, path: KeyPath) -> None:
    """Keys with nothing behind them are findings and are taken out, so that they are not reported again as missing."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            if item is None:
                document.add("an item is empty", (*path, i), "Take the line out.")
                value[i] = ""  # keeps the places of the others
            _drop_empty(document, item, (*path, i))
    elif isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None]:
            _empty_key(document, (*path, key), path in document.flow)
            del value[key]
        for key, item in value.items():
            _drop_empty(document, item, (*path, key))


def _empty_key(document: Document, path: KeyPath, one_line: bool) -> None:
    if one_line and not str(path[-1]).isidentifier():
        hint = "Inside { } a comma ends a value: put a text with a comma in quotes."
        document.add(f"`{path[-1]}` looks like the rest of a text", path, hint)
    else:
        comma = " Inside { } a comma ends a value: put a text with a comma in quotes." if one_line else ""
        document.add(f"`{path[-1]}` has no value", path, f'Write one ("" for an empty text), or take it out.{comma}')


def _drop_what_is_not_done(document: Document, values: dict[str, Plain]) -> None:
    for refused, what in ((KEYS_NOT_YET, "is not in this version"), (KEYS_ELSEWHERE, "has another place")):
        for path, hint in refused.items():
            holder = values if len(path) == 1 else values.get(path[0])
            if isinstance(holder, dict) and path[-1] in holder:
                document.add(f"`{show(path)}` {what}", path, hint)
                del holder[path[-1]]


def _unknown_top_keys(document: Document, values: dict[str, Plain]) -> None:
    for key in values:
        if key not in KEYS:
            _unknown_key(document, (key,))


def _unknown_key(document: Document, path: KeyPath) -> None:
    key = str(path[-1])
    known = _known_keys(path[:-1])
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6)
    homes = [section for section, model in SECTIONS.items() if key in model.model_fields and section != path[0]]
    if key not in known and not near and homes and len(path) <= 2:
        hint = f"`{key}` belongs under `{homes[0]}`: check how far the line is indented."
    elif near:
        hint = f"Did you mean `{near[0]}`?"
    else:
        hint = f"Known here: {', '.join(known)}."
    document.add(f"unknown key `{key}`", path, hint)


def _known_keys(holder: KeyPath) -> list[str]:
    """The keys that may stand in the mapping at this path."""
    if not holder:
        return list(KEYS)
    names: list[str] = list(SECTIONS.get(str(holder[0]), RecordsSpec).model_fields)
    if holder[:2] == ("records", "files"):
        names = list(FileSpec.model_fields)
    elif holder == ("screen", "prompts"):
        names = list(PromptsSpec.model_fields)
    elif holder[0] == "screen" and len(holder) > 2:
        names = [name for name in Criterion.model_fields if name != "kind"]
    elif holder[:2] == ("ask", "answer"):
        names = list(FieldSpec.model_fields)
    elif holder[0] == "cloud":
        names = [name for name in CloudSpec.model_fields if name != "prefix"]
    return names


def _one_task(document: Document, values: Mapping[str, Plain]) -> None:
    tasks = [key for key in ("ask", "screen") if key in values]
    if len(tasks) == 2:
        document.add("a study has one task, this one has `ask` and `screen`", (tasks[1],), "Make two study files.")
    elif not tasks and not (_found_at(document, ("ask",)) or _found_at(document, ("screen",))):
        hint = "Write `screen` with a question and criteria, or `ask` with a prompt and answer fields."
        document.add("the study does not say what is asked of a record", (), hint)


def _inside(values: Mapping[str, Plain], section: str, key: str) -> Plain:
    holder = values.get(section)
    return holder.get(key) if isinstance(holder, dict) else None
