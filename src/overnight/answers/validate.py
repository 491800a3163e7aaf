"""An answer's text → its validated JSON, or what is wrong with it, with the path.

STOP does not prove valid JSON (facts 9.4): every answer is decoded against the schema that was sent. The
schema (responseSchema dialect) becomes msgspec types once a recipe; decoding then costs about 2 µs an answer.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec

from overnight.core.outcome import ProblemKind

_MOST: Final = 2**63 - 1
"""What tables and databases take as an integer; also all that `msgspec.Meta` can compare with."""


class Checked(msgspec.Struct, frozen=True, gc=False):
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
        try:
            return Checked(None, encode(decode(_unfenced(text))))
        except msgspec.ValidationError as cause:
            return Checked(ProblemKind.INVALID, detail=str(cause))
        except msgspec.DecodeError as cause:
            return Checked(ProblemKind.MALFORMED, detail=f"not JSON: {cause}; it begins {text[:80]!r}")
        except UnicodeEncodeError as cause:
            return Checked(ProblemKind.MALFORMED, detail=f"not text: {cause.reason}")
        except RecursionError:
            return Checked(ProblemKind.MALFORMED, detail="nested too deeply to be an answer")

    return check


def _unfenced(text: str) -> str:
    """What stands between the fences of a Markdown code block, when the whole answer is one."""
    whole = text.strip()
    first, line_end, rest = whole.partition("\n")
    if not line_end or not whole.startswith("```") or not rest.endswith("```"):
        return text
    language = first[3:].strip()
    return rest[:-3] if not language or language.isalnum() else text


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
    elif kind == "integer":
        made = _limited(int, ge=schema.get("minimum", -_MOST), le=schema.get("maximum", _MOST))
    else:
        made = _limited(float, ge=schema.get("minimum"), le=schema.get("maximum"))
    return made | None if schema.get("nullable") else made


def _struct(schema: dict[str, Any], name: str) -> type[msgspec.Struct]:
    required = set(schema.get("required", ()))
    properties: dict[str, Any] = schema.get("properties", {})
    order = [*schema.get("propertyOrdering", ()), *properties]
    fields: list[Any] = []
    rename: dict[str, str] = {}
    for number, field in enumerate(dict.fromkeys(order)):
        inner = properties[field]
        own = f"f{number}"  # a property may be called `class`, and another one `class_`
        rename[own] = field
        made = _type_of(inner, f"{name}_{field}")
        must = field in required and not inner.get("nullable")
        fields.append((own, made) if must else (own, made | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(name, fields, rename=rename, kw_only=True, gc=False)


def _limited(kind: Any, **limits: Any) -> Any:
    given = {name: value for name, value in limits.items() if value is not None}
    return Annotated[kind, msgspec.Meta(**given)] if given else kind
