"""The study: frozen values, unknown keys refused, each value checked where it stands.

Texts in, values out: `study.yaml` holds only texts (study/yaml_nodes.py) and these models read numbers and booleans out
of them where one is wanted. What looks at more than one value (ids used twice, files that are not there) is in
study/checks.py, so that all findings come at once.
"""

import re
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from overnight.core import realm
from overnight.core.usage import Usd
from overnight.errors import Finding
from overnight.study.told import fit
from overnight.study.values import CriterionId, FieldName, Number, Whole, Words, fault, matching, usd

Kind = Literal["include", "exclude"]
IfSilent = Literal["met", "not_met", "unclear"]
Level = Literal["off", "minimal", "low", "medium", "high", "max"]
FieldType = Literal["string", "integer", "number", "boolean", "array", "object"]
Framing = Literal["neutral", "for", "against"]
Rule = Literal["unanimous", "majority", "any_include"]
LEVELS: Final[tuple[Level, ...]] = ("off", "minimal", "low", "medium", "high", "max")

GIVE_UP_AFTER_DAYS: Final = 14
"""Three rounds at the service's worst, 72 hours in the queue and 24 of running each (facts 6), and two days more."""

MOST_SAMPLES: Final = 9
"""Ours: of one model, gains beyond three to five are small (Wang 2022), and reviewers have letters."""

FIT_SEED: Final = 1
"""By which records are drawn where the study names no seed."""

IF_SILENT: Final[dict[Kind, IfSilent]] = {"include": "unclear", "exclude": "not_met"}
"""What silence means when the study does not say. Abstracts hardly ever say "this is not a review": were silence
unclear there, every record would go to a person. For an inclusion, silence is a reason to ask."""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, validate_default=False)


class FileSpec(Model):
    """One table. path: absolute. source: what the user calls it (a database's name), shown in results."""

    path: Path
    source: str = ""


class RecordsSpec(Model):
    """The tables and what is taken from them.

    id: a column, or `auto` (made from identifiers or the text, never from the row's number). duplicates: see
    `Study.duplicates`. text: the columns the model sees in a
    `screen`; an `ask` names its columns in the prompt. max_text_chars: a longer cell is refused before it is sent.
    """

    files: tuple[FileSpec, ...] = Field(min_length=1)
    id: Words = "auto"
    text: tuple[Words, ...] = ()
    no_abstract: Literal["person", "title_only", "error"] = "person"
    duplicates: Literal["skip", "keep", "error"] | None = None
    max_text_chars: Annotated[Whole, Field(ge=1, le=4_000_000)] = 200_000


class FieldSpec(Model):
    """One answer field, or what is inside one. Bounds are inclusive; all are required, `nullable` allows null."""

    type: FieldType
    description: str = ""
    nullable: bool = False
    enum: tuple[Words, ...] = ()
    items: "FieldSpec | None" = None
    properties: dict[FieldName, "FieldSpec"] = Field(default_factory=dict)
    minimum: Number | None = None
    maximum: Number | None = None
    min_items: Annotated[Whole, Field(ge=0)] | None = None
    max_items: Annotated[Whole, Field(ge=0)] | None = None
    max_length: Annotated[Whole, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _fits_type(self) -> "FieldSpec":
        for names, types in _KEYS_OF_TYPES:
            for name in names:
                if name in self.model_fields_set and self.type not in types:
                    raise fault(f"`{name}` is for {' and '.join(types)}, not for {self.type}")
        if self.type == "array" and self.items is None:
            raise fault("an array needs `items`", "Say what is in it: items: {type: string}")
        if self.type == "object" and not self.properties:
            raise fault("an object needs `properties`", "Name its fields: properties: {name: {type: string}}")
        self._check_values()
        return self

    def _check_values(self) -> None:
        if "enum" in self.model_fields_set and not self.enum:
            raise fault("`enum` is empty", "List the allowed answers, or take it out.")
        twice = sorted(value for value, times in Counter(self.enum).items() if times > 1)
        if twice:
            raise fault(f'`enum` holds "{twice[0]}" twice')
        if self.type == "integer" and any(isinstance(bound, float) for bound in (self.minimum, self.maximum)):
            raise fault("the bounds of an integer are whole numbers")
        for low, high in (("minimum", "maximum"), ("min_items", "max_items")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise fault(f"`{low}` {least} is above `{high}` {most}")


_KEYS_OF_TYPES: Final[tuple[tuple[tuple[str, ...], tuple[FieldType, ...]], ...]] = (
    (("enum", "max_length"), ("string",)),
    (("items", "min_items", "max_items"), ("array",)),
    (("properties",), ("object",)),
    (("minimum", "maximum"), ("integer", "number")),
)


class AskSpec(Model):
    """The user's own question. prompt: with `{column}` slots (study/prompts.py)."""

    system: str = ""
    prompt: Words
    answer: dict[FieldName, FieldSpec] = Field(min_length=1)


class Criterion(Model):
    """One testable sentence. kind comes from the list it stands in. reason: the words given for an exclusion.

    if_silent: what a record counts as that says nothing about it; see IF_SILENT for the default. It and `reason` never
    reach the model, so changing them costs nothing.
    """

    id: CriterionId
    ask: Words
    kind: Kind
    if_silent: IfSilent
    reason: str = ""
    examples: dict[Literal["met", "not_met", "unclear", "not_stated"], Words] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _silence_by_kind(cls, data: object) -> object:
        kind = data.get("kind") if isinstance(data, dict) else None
        return {"if_silent": IF_SILENT[kind], **data} if isinstance(data, dict) and kind in IF_SILENT else data


class PromptsSpec(Model):
    """The study's own instructions in place of the package's (study/wording.py): their words, not a file's name. Empty:
    the package's."""

    screen: str = ""
    adjudicate: str = ""


class ScreenSpec(Model):
    """Criteria, and what becomes of a record they do not settle. rule: how several samples become one decision.

    Like `if_silent` and `reason`, `rule` and `unclear` never reach the model.
    """

    question: Words
    include: tuple[Criterion, ...] = Field(min_length=1)
    exclude: tuple[Criterion, ...] = ()
    unclear: Literal["person", "include"] = "person"
    rule: Rule = "unanimous"
    prompts: PromptsSpec = PromptsSpec()

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """All of them, inclusions first, each list in the study's order."""
        return self.include + self.exclude


class DeepThinkSpec(Model):
    """Several independent samples of each record, compared (docs/explanation/decision-rule.md).

    adjudicate: which records are judged once more, with the samples' arguments beside them. adaptive: two samples, and
    the rest only where the two are contested. framings: of sample 1, 2, …, from the front again where there are fewer.
    """

    samples: Annotated[Whole, Field(ge=1, le=MOST_SAMPLES)] = 3
    adjudicate: Literal["contested", "never", "all"] = "contested"
    adaptive: bool = False
    framings: tuple[Framing, ...] = Field(default=("neutral",), min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _is_no_number(cls, data: object) -> object:
        """`deep_think: 3` and `deep_think: true` are what one tries first."""
        if not isinstance(data, str):
            return data
        word = data.strip().lower()
        if word in ("false", "no", "off", "none", "0", "1"):
            raise fault(
                f'"{data}": `deep_think` is not switched off here', "Take it out: then each record is asked once."
            )
        samples = int(word) if re.fullmatch(r"[2-9]", word) else 3
        hint = f"Write deep_think: {{samples: {samples}, adjudicate: contested}}."
        raise fault(f'"{data}" is not a set of keys and values', hint)

    @model_validator(mode="after")
    def _fits_samples(self) -> "DeepThinkSpec":
        if len(self.framings) > self.samples:
            raise fault(
                f"{len(self.framings):,} framings for {self.samples} sample{'s' if self.samples > 1 else ''}",
                "One a sample, or fewer: samples take them in turn.",
            )
        if self.adaptive and self.samples < 3:
            raise fault("`adaptive` needs three samples or more", "It asks two, and the rest where the two differ.")
        return self

    def framing(self, sample: int) -> Framing:
        """sample: from 1."""
        return self.framings[(sample - 1) % len(self.framings)]


def _no_deep_think(value: object) -> object:
    if isinstance(value, str) and re.search(r"deep[\s_-]*think", value, re.IGNORECASE):
        raise fault(
            f'"{value}": no API serves Deep Think, in batch or otherwise; it is a mode of the Gemini app',
            "What stands for it is a recipe: several independent samples by a strong model that thinks as hard as it "
            "can, compared, and the contested ones judged again: thinking: max with gemini-3.1-pro-preview, and"
            " deep_think: {samples: 3, adjudicate: contested}.",
        )
    return value


class ModelSpec(Model):
    """name: passed through as it is. thinking: a level, a token budget, or None to leave it to the model.

    What a level means for a model is resolved in pricing/, where the models are known.
    """

    name: Annotated[
        str,
        matching(
            r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}|(?i:[a-z0-9. ]{0,40}deep[ _-]?think[a-z0-9. ]{0,40})",
            "no model's name",
            "Write the bare name, without publishers/google/models/ in front: gemini-3.8-flash.",
        ),
    ]
    thinking: Annotated[Level | int | None, BeforeValidator(_no_deep_think)] = None

    @model_validator(mode="before")
    @classmethod
    def _budget_or_level(cls, data: object) -> object:
        thinking = data.get("thinking") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(thinking, str):
            return data
        if re.fullmatch(r"-1|\d{1,7}", thinking):
            return {**data, "thinking": int(thinking)}
        return data


class BudgetSpec(Model):
    """limit_usd: for the life of the study in realm `google`. when_over: where more than that is expected, send nothing
    (`refuse`), or a random part of the records that fits (`fit`), drawn by the seed."""

    limit_usd: Annotated[Usd, BeforeValidator(usd)]
    when_over: Literal["refuse", "fit"] = "refuse"
    seed: Annotated[Whole, Field(ge=0, le=2**53)] = FIT_SEED

    @model_validator(mode="after")
    def _seed_of_a_draw(self) -> "BudgetSpec":
        if "seed" in self.model_fields_set and self.when_over != "fit":
            raise fault("`seed` is for when_over: fit", "Take it out, or write when_over: fit.")
        return self


class CloudSpec(Model):
    """Where jobs and their files live. prefix: folder in the bucket, without slashes at its ends, may be empty.

    Name rules: project ids are 6–30 lower-case letters, digits and hyphens (old ones have `domain:` in front), or a
    project number; buckets 3–63 characters, up to 222 with dots [Google Cloud documentation].
    """

    project: Annotated[
        str,
        matching(
            r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{6,20}",
            "no project id",
            "The id, not the name: lower-case letters, digits and hyphens. `gcloud projects list` shows it.",
        ),
    ]
    location: Annotated[
        str,
        matching(
            r"global|us|eu|[a-z]{2,20}-[a-z]{2,20}\d{1,2}",
            "no location",
            "global, us, eu or a region such as europe-west4.",
        ),
    ] = "global"
    bucket: Annotated[
        str,
        matching(
            r"(?!goog)[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]",
            "no bucket's name",
            "Lower-case letters, digits, hyphens, dots: gs://my-bucket/overnight.",
        ),
    ]
    prefix: Annotated[
        str,
        matching(
            r"(?!.*(^|/)\.{1,2}(/|$))[A-Za-z0-9._=+-]+(/[A-Za-z0-9._=+-]+)*|",
            "no folder in a bucket",
            "Letters, digits and . _ - = + between single slashes: gs://my-bucket/team/overnight.",
        ),
    ] = ""


def _command(value: object) -> object:
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError as cause:
            raise fault(
                f"the command cannot be split into words: {str(cause).lower()}", "Close each quote that is opened."
            ) from cause
        if not words or not words[0]:
            raise fault("the command names no program", "mail -s done me@example.org")
        if "\0" in value:
            raise fault("the command holds a NUL character")
    return value


class NotifySpec(Model):
    """command: split like a POSIX command line and run without a shell, with the message on its standard input."""

    command: Annotated[str, BeforeValidator(_command)]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(shlex.split(self.command))


@dataclass(frozen=True)
class Study:
    """What is wanted. path: the study file, absolute; folder: where it lies and what its relative paths begin at.

    models: the user's own models and prices (TOML), absolute. named:
    the study file as the person named it. lines: key path, as findings show it, to its line in the file.
    """

    path: Path
    folder: Path
    name: str
    records: RecordsSpec
    task: AskSpec | ScreenSpec
    model: ModelSpec
    budget: BudgetSpec | None = None
    attempts: int = 3
    cloud: CloudSpec | None = None
    give_up_after_days: int = GIVE_UP_AFTER_DAYS
    notify: NotifySpec | None = None
    deep_think: DeepThinkSpec | None = None
    models: Path | None = None
    warnings: tuple[Finding, ...] = ()
    named: str = ""
    lines: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    def line_of(self, path: str) -> int:
        """The line of `model.name` or `screen.include[1].ask`, or of the nearest thing around it; 0 where none is."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 0)

    def placed(self, finding: Finding) -> Finding:
        """The finding with this file's name and the line of its path: for what is found out after the study is read."""
        return fit(replace(finding, file=self.named or str(self.path), line=self.line_of(finding.path)))

    @property
    def task_name(self) -> Literal["ask", "screen"]:
        return "ask" if isinstance(self.task, AskSpec) else "screen"

    @property
    def duplicates(self) -> Literal["skip", "keep", "error"]:
        """What becomes of records that are surely of one publication: `skip` in a screen, `keep` in an ask, if not
        said. Two reviews of a shop may have one title."""
        return self.records.duplicates or ("skip" if self.task_name == "screen" else "keep")

    @property
    def realm(self) -> str:
        return realm.STAND_IN if self.cloud is None else realm.GOOGLE

    @property
    def home(self) -> Path:
        """Holds the study's ledger and results. Two study files in one folder do not share one."""
        return self.folder if self.path.name == "study.yaml" else self.folder / self.path.stem

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns whose text the model sees, each once, in the order of their first use."""
        if isinstance(self.task, ScreenSpec):
            return self.records.text
        from overnight.study.prompts import parse_prompt

        return tuple(dict.fromkeys(part.value for part in parse_prompt(self.task.prompt) if part.kind == "slot"))


def user_words(spec: Model) -> Mapping[str, Any]:
    """What the user set, as JSON-like values in declaration order: stable when a later version adds keys."""
    return spec.model_dump(mode="python", exclude_defaults=True)
