"""An answer's text → its validated JSON, or what is wrong with it, with the path.

STOP does not prove valid JSON (vertex-batch-facts 9.4): every answer is decoded against the schema that was sent. The
schema (responseSchema dialect) becomes msgspec types once a recipe; decoding then costs about 2 µs an answer.
"""

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec

from overnight.core.outcome import ProblemKind

_FENCE: Final = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Checked:
    """problem None: `answer` is compact JSON of the fields, in schema order. Else `detail` says what is wrong where."""

    problem: ProblemKind | None
    answer: bytes = b""
    detail: str = ""


Validator = Callable[[str], Checked]


def validator(schema: dict[str, Any]) -> Validator:
    """A function that checks answer texts. Unknown properties are left out, code fences are read past."""
    decode = msgspec.json.Decoder(_type_of(schema, "Answer")).decode
    encode = msgspec.json.Encoder().encode

    def check(text: str) -> Checked:
        fenced = _FENCE.match(text) if "```" in text else None
        try:
            return Checked(None, encode(decode(fenced[1] if fenced else text)))
        except msgspec.ValidationError as cause:
            return Checked(ProblemKind.INVALID, detail=str(cause))
        except msgspec.DecodeError as cause:
            return Checked(ProblemKind.MALFORMED, detail=f"not JSON: {cause}; it begins {text[:80]!r}")
        except UnicodeEncodeError as cause:
            return Checked(ProblemKind.MALFORMED, detail=f"not text: {cause.reason}")
        except RecursionError:
            return Checked(ProblemKind.MALFORMED, detail="nested too deeply to be an answer")

    return check


def _type_of(schema: dict[str, Any], name: str) -> Any:
    kind = str(schema.get("type", "string")).lower()
    made: Any
    if kind == "object":
        made = _struct(schema, name)
    elif kind == "array":
        made = list[_type_of(schema.get("items", {"type": "string"}), f"{name}Item")]  # type: ignore[misc]  # made at run time
        made = _limited(made, min_length=schema.get("minItems"), max_length=schema.get("maxItems"))
    elif kind == "string" and schema.get("enum"):
        made = Literal[tuple(schema["enum"])]
    elif kind == "string":
        limits = {"min_length": schema.get("minLength"), "max_length": schema.get("maxLength")}
        made = _limited(str, **limits, pattern=schema.get("pattern"))
    elif kind == "boolean":
        made = bool
    else:
        made = _limited(int if kind == "integer" else float, ge=schema.get("minimum"), le=schema.get("maximum"))
    return made | None if schema.get("nullable") else made


def _struct(schema: dict[str, Any], name: str) -> type[msgspec.Struct]:
    required = set(schema.get("required", ()))
    properties: dict[str, Any] = schema.get("properties", {})
    order = [*schema.get("propertyOrdering", ()), *properties]
    fields: list[Any] = []
    rename: dict[str, str] = {}
    for field in dict.fromkeys(order):
        inner = properties[field]
        own = f"{field}_" if keyword.iskeyword(field) else field
        rename[own] = field
        made = _type_of(inner, f"{name}_{field}")
        must = field in required and not inner.get("nullable")
        fields.append((own, made) if must else (own, made | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(name, fields, rename=rename, kw_only=True, gc=False)


def _limited(kind: Any, **limits: Any) -> Any:
    given = {name: value for name, value in limits.items() if value is not None}
    return Annotated[kind, msgspec.Meta(**given)] if given else kind
