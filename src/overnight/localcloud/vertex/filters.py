"""The list filter (facts 1.4 [D]): display_name, model_display_name, state, create_time, labels; AND."""

import re
from collections.abc import Callable
from typing import Final

from overnight.localcloud.errors import ApiError
from overnight.localcloud.values import parse_rfc3339
from overnight.localcloud.vertex.jobs import Job

Test = Callable[[Job], bool]

_TERM: Final = re.compile(r'\s*([A-Za-z_.0-9-]+)\s*(!=|<=|>=|=|:|<|>)\s*("(?:[^"\\]|\\.)*"|[^\s"]+)\s*')
_TEXT_FIELDS: Final = {
    "display_name": "displayName", "displayName": "displayName", "state": "state",
    "model_display_name": "modelDisplayName", "modelDisplayName": "modelDisplayName",
}  # fmt: skip
_COMPARE: Final[dict[str, Callable[[int, int], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def parse_filter(text: str) -> Test:
    """Raises ApiError 400 for what the documentation does not name."""
    tests: list[Test] = []
    place = 0
    while text[place:].strip():
        found = _TERM.match(text, place)
        if not found:
            raise _invalid(text)
        tests.append(_test(text, found[1], found[2], _unquote(found[3])))
        place = found.end()
        if joint := re.compile(r"AND\b\s*").match(text, place):
            place = joint.end()
            if not text[place:].strip():
                raise _invalid(text)
        elif text[place:].strip():
            raise _invalid(text)
    return lambda job: all(test(job) for test in tests)


def _invalid(text: str) -> ApiError:
    return ApiError(400, f"Invalid filter: {text!r}")


def _unquote(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _test(text: str, field: str, operator: str, value: str) -> Test:
    if field in _TEXT_FIELDS and operator in {"=", "!=", ":"}:
        return _text_test(_TEXT_FIELDS[field], operator, value)
    if field.startswith("labels.") and operator in {"=", "!=", ":"}:
        return _label_test(field.removeprefix("labels."), operator, value)
    if field in {"create_time", "createTime"} and operator in _COMPARE:
        try:
            moment = parse_rfc3339(value)
        except ValueError as error:
            raise _invalid(text) from error
        compare = _COMPARE[operator]
        return lambda job: compare(job.created_us, moment)
    raise _invalid(text)


def _text_test(name: str, operator: str, value: str) -> Test:
    if operator == ":":
        pattern = re.compile(".*".join(re.escape(part) for part in value.split("*")))
        whole = "*" in value
        find = pattern.fullmatch if whole else pattern.search
        return lambda job: find(str(job.resource.get(name, ""))) is not None
    wanted = operator == "="
    return lambda job: (job.resource.get(name, "") == value) is wanted


def _label_test(key: str, operator: str, value: str) -> Test:
    if operator == ":":
        return lambda job: key in job.resource.get("labels", {}) and value in {"*", job.resource["labels"][key]}
    wanted = operator == "="
    return lambda job: (job.resource.get("labels", {}).get(key) == value) is wanted
