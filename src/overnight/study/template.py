"""The page that `overnight init` writes: a screening study with its words left to the person.

What is to be written begins with `WRITE HERE` (checks.PLACEHOLDER); a study that still holds one is not loaded.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*(?<! )")


def study_template(name: str, files: Sequence[tuple[str, int]], id: str = "auto", text: Sequence[str] = ()) -> str:  # noqa: A002  # the key in the study file
    """A commented study.yaml.

    files: (path as it is to stand in the file, number of records in it). id: `auto` or a column. text: the columns the
    model sees, title and abstract when empty. With the questions filled in, `load_study` takes it as it is.
    """
    listed = [(_scalar(path), count) for path, count in files] or [("records.csv", 0)]
    width = max(len(path) for path, _ in listed)
    lines = (f"    - {path:<{width}}" + (f"   # {count:,} records" if files else "") for path, count in listed)
    shown = ", ".join(_scalar(column) for column in text or ("title", "abstract"))
    return _PAGE.format(
        name=_scalar(name), files="\n".join(line.rstrip() for line in lines), id=_scalar(id), text=shown
    )


def _scalar(text: str) -> str:
    """As YAML: bare where that is safe anywhere on a line, else in double quotes (JSON strings are YAML's)."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


_PAGE: Final = """\
# A screening study for overnight. Lines that begin with # are notes to you.
# Fill in what says WRITE HERE, then:  overnight check · overnight plan · overnight run

study: {name}        # lower-case letters, digits, - and _; part of every job's label

records:
  files:             # CSV, XLSX, JSONL or Parquet, beside this file
{files}
  id: {id}           # a column with an id for each record, or auto: made from the text
  text: [{text}]     # the columns the model sees, and nothing else of a record
  no_abstract: person   # person: you decide · title_only: judged by the title · error: stop before sending

screen:
  question: "WRITE HERE: the question of your review, in one sentence"

  # One testable sentence a criterion. The model says for each: met, not met, not stated or unclear, with a quote.
  # if_silent: what a record counts as that says nothing about it: met, not_met or unclear.
  include:
    - id: population               # lower-case letters, digits and _; becomes the column c_population
      ask: "WRITE HERE: The people studied are …"
      if_silent: unclear           # the default here: such a record goes to a person
    - id: intervention
      ask: "WRITE HERE: … is compared with …"
  exclude:
    - id: no_own_data
      ask: Is a review, protocol, comment or correction.
      reason: Wrong publication type   # stands in the results as the reason
      if_silent: not_met           # the default here: silence is no reason to exclude

  unclear: person    # what is neither included nor excluded: person, or include

model:
  name: gemini-3.8-flash
  thinking: high     # off, minimal, low, medium, high, max, or a number of tokens where the model takes one

budget:
  limit_usd: 20      # for the life of the study; nothing is sent whose worst case would pass it

attempts: 3          # how often a record is sent before it is given up

# Without the next lines everything runs on the embedded local cloud: it costs nothing, and no model answers.
# cloud:
#   project: my-project
#   location: global
#   bucket: gs://my-bucket/overnight
"""
