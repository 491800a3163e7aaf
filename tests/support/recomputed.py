"""What a screen comes to, worked out once more: DuckDB over raw lines and the table itself, by the page of the rule.

Of the package's own it takes only which key was asked for whom (the ledger's bindings), and which quotes were found
*nearly*, since that is a measure of rapidfuzz's. Whether a quote is there word for word is looked up anew; a label of
the prompt's that was copied along is no part of it.
"""

import contextlib
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

_SETUP = """
CREATE MACRO letters(t) AS regexp_replace(lower(nfc_normalize(coalesce(t, ''))), '[^[:alnum:]]', '', 'g');
CREATE VIEW raw AS SELECT json ->> '$.key' AS wire, json ->> '$.response.candidates[0].content.parts[0].text' AS answer,
  (json ->> '$.response.usageMetadata.promptTokenCount')::BIGINT AS prompt_tokens
  FROM read_ndjson_objects('{raw}');
CREATE VIEW answered AS SELECT record_id, stage, sample, any_value(answer)::JSON AS answer FROM raw
  JOIN bound ON substr(wire, 2, 32) = key WHERE answer IS NOT NULL AND json_valid(answer) GROUP BY ALL;
CREATE VIEW said AS SELECT record_id, stage, sample, criterion, kind, if_silent, reason, one ->> '$.verdict' AS verdict,
  regexp_replace(one ->> '$.quote', '^(Title|Abstract): ', '') AS quote
  FROM (SELECT *, answer -> ('$.c_' || criterion) AS one FROM answered CROSS JOIN criteria);
CREATE VIEW looked AS SELECT said.*, letters(quote) <> '' AND contains(letters(body), letters(quote)) AS is_there,
  coalesce(near, false) AS near FROM said JOIN records USING (record_id)
  LEFT JOIN nearly USING (record_id, stage, sample, criterion);
CREATE VIEW counted AS SELECT *, CASE WHEN verdict = 'not_stated' THEN if_silent
    WHEN verdict = 'unclear' OR NOT (is_there OR near) THEN 'unclear' ELSE verdict END AS counts,
  CASE verdict WHEN 'not_stated' THEN if_silent ELSE verdict END AS believed FROM looked;
CREATE MACRO word(of) AS CASE WHEN list_contains(of, 'against') THEN 'exclude'
  WHEN list_contains(of, 'unclear') THEN 'unclear' ELSE 'include' END;
CREATE MACRO side(kind, counts) AS CASE WHEN counts = 'unclear' THEN 'unclear'
  WHEN (kind = 'include') = (counts = 'met') THEN 'fine' ELSE 'against' END;
CREATE TABLE judged AS SELECT record_id, stage, sample, word(list(side(kind, counts))) AS decision,
  word(list(side(kind, believed))) AS believed FROM counted GROUP BY ALL;
CREATE TABLE decided AS
  WITH samples AS (SELECT record_id, list(decision ORDER BY sample) AS words, count(*) AS n,
      {samples} > 1 AND (count(DISTINCT decision) > 1 OR count(*) < {samples} OR bool_or(decision <> believed))
        AS contested
      FROM judged WHERE stage = 'screen' GROUP BY record_id),
    ruled AS (SELECT record_id, decision FROM judged WHERE stage = 'adjudicate')
  SELECT record_id, words, n, contested, ruled.decision IS NOT NULL AS adjudicated,
    CASE WHEN NOT contested THEN words[1] WHEN ruled.decision IS NULL THEN 'unclear'
      WHEN list_contains(words, ruled.decision) THEN ruled.decision ELSE 'unclear' END AS decision,
    list_max(list_transform(words, lambda w: len(list_filter(words, lambda o: o = w)))) || ' of {samples}' AS agreement
  FROM samples LEFT JOIN ruled USING (record_id);
"""


@dataclass(frozen=True)
class Recomputed:
    """decided: record_id → (decision, agreement, contested, adjudicated). requests: raw lines with an answer."""

    decided: dict[str, tuple[str, str, bool, bool]]
    requests: int
    quotes: Counter[tuple[bool, bool]]

    @property
    def decisions(self) -> Counter[str]:
        return Counter(decision for decision, *_ in self.decided.values())


def recompute(home: Path, bodies: dict[str, str], folder: str = "stand-in") -> Recomputed:
    """bodies: record_id → title and abstract together, as the table has them. Takes studies without `silence` edits,
    in which every contested record is adjudicated."""
    study: dict[str, Any] = yaml.safe_load((home / "study.yaml").read_text(encoding="utf-8"))
    samples = study.get("deep_think", {"samples": 1})["samples"]
    criteria = [
        (one["id"], kind, one.get("if_silent", {"include": "unclear", "exclude": "not_met"}[kind]), one.get("reason"))
        for kind in ("include", "exclude")
        for one in study["screen"].get(kind, [])
    ]
    with contextlib.closing(sqlite3.connect(home / ".overnight" / "ledger.sqlite")) as ledger:
        bound = ledger.execute("SELECT record_id, stage, sample, lower(hex(address)) FROM binding").fetchall()
    with contextlib.closing(duckdb.connect()) as db:
        tables = {
            "bound": (("record_id", "stage", "sample", "key"), bound),
            "criteria": (("criterion", "kind", "if_silent", "reason"), criteria),
            "records": (("record_id", "body"), list(bodies.items())),
        }
        for name, (columns, rows) in tables.items():
            db.register(name, pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))))
        verdicts = home / folder / "verdicts.csv"
        db.execute(
            "CREATE VIEW nearly AS SELECT record_id, stage, sample::BIGINT AS sample, criterion,"
            f" quote_found = 'near' AS near FROM read_csv('{verdicts}', all_varchar = true, header = true)"
        )
        raw = home / ".overnight" / "raw" / "*" / "*.gz"
        for statement in filter(
            str.strip, _SETUP.replace("{raw}", str(raw)).replace("{samples}", str(samples)).split(";\n")
        ):
            db.execute(statement)
        decided = db.execute("SELECT record_id, decision, agreement, contested, adjudicated FROM decided").fetchall()
        quotes = db.execute(
            "SELECT is_there, near, count(*) FROM looked WHERE letters(quote) <> '' GROUP BY ALL"
        ).fetchall()
        ((requests,),) = db.execute("SELECT count(DISTINCT wire) FROM raw WHERE answer IS NOT NULL").fetchall()
    return Recomputed(
        {record: (decision, agreement, contested, ruled) for record, decision, agreement, contested, ruled in decided},
        requests,
        Counter({(there, near): n for there, near, n in quotes}),
    )
