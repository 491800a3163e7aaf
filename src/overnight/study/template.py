"""The page that `overnight init` writes: a study with its words left to the person, to screen or to ask.

What is to be written begins with `WRITE HERE` (checks.PLACEHOLDER); a study that still holds one is not loaded.
"""

import json
import re
import textwrap
from collections.abc import Sequence
from typing import Final, Literal

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*(?<! )")
_NO_SLOT: Final = re.compile(r'[{}"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]|^\s|\s$')
_WIDTH: Final = 116


def study_template(
    name: str,
    files: Sequence[tuple[str, int]],
    id: str = "auto",  # noqa: A002  # the key in the study file
    text: Sequence[str] = (),
    *,
    task: Literal["screen", "ask"] = "screen",
    left_out: Sequence[str] = (),
) -> str:
    """A commented study.yaml.

    files: (path as it is to stand in the file, number of records in it). id: `auto` or a column. text: the columns the
    model sees, title and abstract when empty. left_out: the other columns, named in a note. With the questions filled
    in, `load_study` takes it as it is.
    """
    shown = list(text or ("title", "abstract"))
    unfit = [column for column in shown if task == "ask" and _NO_SLOT.search(column)]
    slots = [column for column in shown if column not in unfit]
    where = "text above" if task == "screen" else "prompt below"
    page = _HEAD + _TASKS[task] + _TAIL
    return page.format(
        name=_scalar(name),
        files=_listed(files),
        id=_scalar(id),
        text=", ".join(map(_scalar, shown)),
        slots="\n".join(f"    {column}: {{{column}}}" for column in slots),
        left_out=_note(f"Not shown to the model, because the {where} does not name them:", [*unfit, *left_out]),
    )


def _listed(files: Sequence[tuple[str, int]]) -> str:
    if not files:
        return "    - records.csv"
    paths = [_scalar(path) for path, _ in files]
    width = max(map(len, paths))
    counts = [f"{count:,} record{'s' if count != 1 else ''}" for _, count in files]
    return "\n".join(f"    - {path:<{width}}   # {count}" for path, count in zip(paths, counts, strict=True))


def _note(words: str, columns: Sequence[str]) -> str:
    """A comment that ends with the columns, on as many lines as it takes; nothing when there are none."""
    if not columns:
        return ""
    lines = textwrap.wrap(f"{words} {', '.join(map(_scalar, columns))}", _WIDTH, break_on_hyphens=False)
    return "".join(f"\n  # {line}" for line in lines)


def _scalar(text: str) -> str:
    """As YAML: bare where that is safe anywhere on a line, else in double quotes (JSON strings are YAML's)."""
    if _PLAIN.fullmatch(text):
        return text
    # What ends a line in YAML, or may not stand in it, is written as an escape; letters of any script stay.
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda match: f"\\u{ord(match[0]):04x}", quoted)


_HEAD: Final = """\
# A study for overnight. Lines that begin with # are notes to you.
# Fill in what says WRITE HERE, then:  overnight check · overnight plan · overnight pilot · overnight run

study: {name}        # lower-case letters, digits, - and _; part of every job's label

records:
  files:             # tables (CSV, XLSX, JSONL, Parquet) and reference files, beside this file
{files}
  id: {id}           # a column with an id for each record, or auto: PMID, else DOI, else key, else the text
"""

_SCREEN: Final = """\
  text: [{text}]     # the columns the model sees, and nothing else of a record{left_out}
  no_abstract: person   # person: you decide · title_only: judged by the title · error: stop before sending
  duplicates: skip      # records of one publication: skip (one is sent for all) · keep (each is sent) · error
                        # counts by database: - {{path: scopus.csv, source: Scopus}} instead of - scopus.csv

screen:
  question: "WRITE HERE: the question of your review, in one sentence"

  # One testable sentence a criterion. The model says for each: met, not met, not stated or unclear, with a quote.
  # if_silent: what a record counts as that says nothing about it: met, not_met or unclear.
  include:
    - id: population               # lower-case letters, digits and _; becomes the column c_population
      ask: "WRITE HERE: The people studied are …"
      if_silent: unclear           # the default here: such a record goes to a person
      reason: Other population     # why a record is excluded that does not meet it; without one, the id stands there
    - id: intervention
      ask: "WRITE HERE: … is compared with …"
  exclude:
    - id: no_own_data
      ask: Is a review, protocol, comment or correction.
      reason: Wrong publication type   # stands in the results as the reason
      if_silent: not_met           # the default here: silence is no reason to exclude

  unclear: person    # what is neither included nor excluded: person, or include
  # rule: unanimous  # how several samples become one decision: unanimous, majority or any_include

# Ask each record three times, compare, and have the contested ones judged once more: three times the price and more.
# deep_think: {{samples: 3, adjudicate: contested}}
"""

_ASK: Final = """\

ask:
  system: "WRITE HERE: who the model is and what it reads, such as: You read reviews of products."

  # Your question. A column's name in braces is filled with that column's text of each record; doubled braces stand for
  # braces. The columns named here are all that the model sees of a record. Put them last.{left_out}
  prompt: |
    WRITE HERE: your question about one record.

{slots}

  # The answer fields, in the order in which the model is to write them; each becomes a column a_<field> of the results.
  # type: string, integer, number, boolean, array or object. enum: the allowed answers. nullable: true lets it be null.
  answer:
    topic:                         # lower-case letters, digits and _; becomes the column a_topic
      type: string
      description: "WRITE HERE: what is to stand in it"
      nullable: true
    verdict:
      type: string
      enum: [yes, no, unclear]
      description: "WRITE HERE: what yes means, and when it is unclear"
"""

_TAIL: Final = """\

model:
  name: gemini-3.8-flash
  thinking: high     # off, minimal, low, medium, high, max, or a number of tokens where the model takes one

budget:
  limit_usd: 20      # for the life of the study; work goes out in parts whose worst case fits under what is left

attempts: 3          # how often a record is sent before it is given up
# give_up_after_days: 14   # what was first sent longer ago is not sent again

# Who is told when a run is done, needs a person, is stuck or out of budget: a program, given the message.
# notify:
#   command: "mail -s study me@example.org"

# Without the next lines everything runs on the embedded local cloud: it costs nothing, and no model answers.
# cloud:
#   project: my-project
#   location: global
#   bucket: gs://my-bucket/overnight
"""

_TASKS: Final = {"screen": _SCREEN, "ask": _ASK}
