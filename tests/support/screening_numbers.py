"""Every number of a finished screen, made once more by DuckDB from the raw output lines, by the tables of
docs/reference/screening.md as SQL, and held against results.parquet, samples, verdicts, cost.csv and `--json`.

Taken from the tool: which line is whose (samples.raw_line and key; the record's title is looked for in the line's own
echo), and `quote_found` of quotes that plain lower case and blanks do not find in the echo: those are counted;
which texts speak to the model. For studies whose `if_silent` was not changed since they began.
"""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

import overnight

Prices = Mapping[str, str]
"""input, cached, output: US dollars per million tokens."""
_SILENT = {"include": "unclear", "exclude": "not_met"}

STANDING = """
CREATE TABLE standing (kind TEXT, verdict TEXT, if_silent TEXT, there BOOL, counts_as TEXT, excludes BOOL);
INSERT INTO standing VALUES
  ('include', 'met', NULL, true, 'met', false),          ('include', 'met', NULL, false, 'unclear', false),
  ('include', 'not_met', NULL, true, 'not_met', true),   ('include', 'not_met', NULL, false, 'unclear', false),
  ('include', 'unclear', NULL, NULL, 'unclear', false),  ('include', 'not_stated', 'met', NULL, 'met', false),
  ('include', 'not_stated', 'not_met', NULL, 'not_met', true),
  ('include', 'not_stated', 'unclear', NULL, 'unclear', false),
  ('exclude', 'met', NULL, true, 'met', true),           ('exclude', 'met', NULL, false, 'unclear', false),
  ('exclude', 'not_met', NULL, true, 'not_met', false),  ('exclude', 'not_met', NULL, false, 'unclear', false),
  ('exclude', 'unclear', NULL, NULL, 'unclear', false),  ('exclude', 'not_stated', 'met', NULL, 'unclear', false),
  ('exclude', 'not_stated', 'not_met', NULL, 'not_met', false),
  ('exclude', 'not_stated', 'unclear', NULL, 'unclear', false);
"""

LINES = """
CREATE MACRO plain(words) AS trim(regexp_replace(lower(words), '\\s+', ' ', 'g'));
CREATE MACRO letters(words) AS
  regexp_replace(regexp_replace(lower(words), '&[a-z]+;|<[^<>]*>', '', 'g'), '[^a-z]', '', 'g');
CREATE TABLE lines AS
  SELECT folder, key, line, line->>'$.request.contents[0].parts[0].text' AS asked,
    line->>'$.response.candidates[0].content.parts[-1].text' AS said
  FROM (
    SELECT DISTINCT json AS line, json->>'$.key' AS key, regexp_extract(filename, '([^/]+)/[^/]+$', 1) AS folder
    FROM read_ndjson_objects($raw, filename = true)
  );
CREATE TABLE said AS
  SELECT s.record_id, s.stage, s.sample, CAST(l.said AS JSON) AS answer, l.asked,
    plain(regexp_extract(l.asked, '.*<record>(.*)', 1, 's')) AS record
  FROM samples s LEFT JOIN lines l
    ON s.outcome = 'answer' AND l.key = s.key AND l.folder = split_part(s.raw_line, '/', 1);
"""

VERDICTS = """
CREATE TABLE judged AS
  SELECT a.*, c.id, c.place, c.kind, c.if_silent, c.reason, c.told,
    answer->>('$.c_' || c.id || '.verdict') AS verdict, answer->>('$.c_' || c.id || '.quote') AS quote
  FROM said a, criteria c WHERE a.answer IS NOT NULL;
CREATE TABLE looked AS
  SELECT j.*, contains(record, plain(j.quote)) AS plainly, v.quote_found,
    trim(j.quote) <> '' AND (contains(record, plain(j.quote)) OR v.quote_found IN ('exact', 'near')) AS there
  FROM judged j LEFT JOIN verdicts v
    ON (v.record_id, v.stage, v.sample, v.criterion) = (j.record_id, j.stage, j.sample, j.id);
CREATE TABLE stood AS
  SELECT l.*, s.counts_as, s.excludes, b.counts_as AS believed_as, b.excludes AS believed_ex,
    t.counts_as AS told_as, t.excludes AS told_ex,
    CASE WHEN l.verdict IN ('met', 'not_met') AND NOT l.there THEN 'unclear' ELSE l.verdict END AS checked
  FROM looked l
  JOIN standing s ON s.kind = l.kind AND s.verdict = l.verdict AND coalesce(s.there, l.there) = l.there
    AND coalesce(s.if_silent, l.if_silent) = l.if_silent
  JOIN standing b ON b.kind = l.kind AND b.verdict = l.verdict AND coalesce(b.there, true)
    AND coalesce(b.if_silent, l.if_silent) = l.if_silent
  JOIN standing t ON t.kind = l.kind AND t.verdict = l.verdict AND coalesce(t.there, true)
    AND coalesce(t.if_silent, l.told) = l.told;
CREATE MACRO word(excludes, counts_as) AS CASE WHEN bool_or(excludes) THEN 'exclude'
  WHEN bool_or(counts_as = 'unclear') THEN 'unclear' ELSE 'include' END;
CREATE TABLE decided AS
  SELECT a.record_id, a.stage, a.sample, a.answer IS NOT NULL AS answered, d.* EXCLUDE (record_id, stage, sample),
    a.answer->>'$.decision' AS own
  FROM said a LEFT JOIN (
    SELECT record_id, stage, sample, word(excludes, counts_as) AS decision,
      word(believed_ex, believed_as) AS believed, word(told_ex, told_as) AS claimed,
      arg_min(reason, place) FILTER (excludes) AS reason, min(place) FILTER (excludes) AS first
    FROM stood GROUP BY ALL
  ) d USING (record_id, stage, sample);
"""

RECORDS = """
CREATE TABLE weighed AS
  SELECT record_id, count(*) AS asked, count(*) FILTER (answered) AS n,
    count(*) FILTER (decision = 'include') AS inc, count(*) FILTER (decision = 'exclude') AS exc,
    count(*) FILTER (decision = 'unclear') AS unc, count(DISTINCT decision) AS words,
    bool_or(decision <> believed) AS lost, bool_or(own <> claimed) AS against
  FROM decided WHERE stage = 'screen' GROUP BY record_id;
CREATE TABLE grounds AS
  SELECT record_id, arg_max(reason, n * 1000 - first) AS reason FROM (
    SELECT record_id, reason, count(*) AS n, min(first) AS first
    FROM decided WHERE stage = 'screen' AND decision = 'exclude' GROUP BY record_id, reason
  ) GROUP BY record_id;
CREATE TABLE heard AS
  SELECT w.*, g.reason AS ground, a.record_id IS NOT NULL AS adjudicated, coalesce(a.answered, false) AS ruled,
    n > 0 AND (words > 1 OR n < asked OR coalesce(lost, false)) AS contested,
    CASE WHEN $rule = 'any_include' AND inc > 0 THEN 'include'
      WHEN inc = asked OR ($rule = 'majority' AND 2 * inc > asked) THEN 'include'
      WHEN exc = asked OR ($rule = 'majority' AND 2 * exc > asked) THEN 'exclude' ELSE 'unclear' END AS voted,
    a.decision AS word, a.reason AS word_reason, a.decision <> a.believed AS word_lost,
    a.own <> a.claimed AS word_against,
    coalesce(CASE a.decision WHEN 'include' THEN inc WHEN 'exclude' THEN exc ELSE 1 END = 0, false) AS alone
  FROM weighed w LEFT JOIN grounds g USING (record_id)
  LEFT JOIN decided a ON a.record_id = w.record_id AND a.stage = 'adjudicate';
CREATE TABLE ended AS
  SELECT *, CASE WHEN n = 0 THEN 'unclear' WHEN bare = 'unclear' AND $unclear = 'include' THEN 'include' ELSE bare END
      AS decision,
    CASE WHEN n = 0 THEN 'no_answer' WHEN ruled THEN 'adjudicator' WHEN asked = 1 THEN 'rule' ELSE 'samples' END
      AS decided_by,
    CASE WHEN bare = 'exclude' THEN CASE WHEN ruled THEN word_reason ELSE ground END END AS exclusion_reason,
    CASE WHEN n > 0 THEN greatest(inc, exc, unc) || ' of ' || asked END AS agreement
  FROM (SELECT *, CASE WHEN ruled THEN CASE WHEN alone THEN 'unclear' ELSE word END ELSE voted END AS bare FROM heard);
CREATE TABLE looked_at AS
  SELECT *, decision = 'unclear' OR n = 0 OR alone OR (adjudicated AND NOT ruled)
    OR (NOT ruled AND (words > 1 OR n < asked))
    OR record_id IN (SELECT record_id FROM results WHERE contains(needs_person_why, 'speaks to the model'))
    OR coalesce(CASE WHEN ruled THEN word_lost OR word_against ELSE lost OR against END, false) AS needs_person
  FROM ended;
"""

VOTES = """
CREATE TABLE votes AS
  WITH counted AS (
    SELECT record_id, id, coalesce(checked, 'no_answer') AS checked, count(*) AS n
    FROM (SELECT record_id, sample, c.id FROM said, criteria c WHERE stage = 'screen')
    LEFT JOIN (SELECT record_id, sample, id, checked FROM stood WHERE stage = 'screen') USING (record_id, sample, id)
    GROUP BY ALL
  ), most AS (
    SELECT record_id, id, max(n) AS top FROM counted WHERE checked <> 'no_answer' GROUP BY ALL
  ), plurality AS (
    SELECT record_id, id, CASE WHEN count(*) = 1 THEN any_value(checked) ELSE 'unclear' END AS verdict
    FROM counted JOIN most USING (record_id, id) WHERE n = top AND checked <> 'no_answer' GROUP BY ALL
  )
  SELECT c.record_id, c.id, string_agg(c.checked || ' ' || n, ', ' ORDER BY n DESC, c.checked) AS votes,
    any_value(coalesce(a.checked, p.verdict)) AS verdict
  FROM counted c LEFT JOIN plurality p USING (record_id, id)
  LEFT JOIN (SELECT record_id, id, checked FROM stood WHERE stage = 'adjudicate') a USING (record_id, id)
  GROUP BY c.record_id, c.id;
"""

COST = """
SELECT job, count(*), sum(prompt), sum(cached), sum(thinking), sum(answer), sum(
  (prompt - cached) * CAST($input AS DECIMAL(9, 4)) + cached * CAST($cached AS DECIMAL(9, 4))
  + (thinking + answer) * CAST($output AS DECIMAL(9, 4)))
FROM (
  SELECT CAST(regexp_extract(folder, '-s([0-9]+)-', 1) AS BIGINT) AS job,
    CAST(line->>'$.response.usageMetadata.promptTokenCount' AS BIGINT) AS prompt,
    coalesce(CAST(line->>'$.response.usageMetadata.cachedContentTokenCount' AS BIGINT), 0) AS cached,
    coalesce(CAST(line->>'$.response.usageMetadata.thoughtsTokenCount' AS BIGINT), 0) AS thinking,
    coalesce(CAST(line->>'$.response.usageMetadata.candidatesTokenCount' AS BIGINT), 0) AS answer
  FROM lines WHERE line->>'$.response.usageMetadata.promptTokenCount' IS NOT NULL
) GROUP BY job ORDER BY job
"""
IN_FILE = """
SELECT job, sum(lines), sum(prompt_tokens), sum(cached_tokens), sum(thinking_tokens), sum(answer_tokens),
  sum(CAST(cost_usd AS DECIMAL(18, 10)))
FROM bill WHERE prompt_tokens IS NOT NULL GROUP BY job ORDER BY job
"""
"""A folder of raw lines bears the number of its job."""


class Numbers:
    """A finished study made once more. made: the folder for what is exported on the way."""

    def __init__(self, folder: Path, made: Path, *, results: str = "stand-in") -> None:
        self.folder, self.results = folder, folder / results
        spec = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
        self.screen, self.title = spec["screen"], spec["records"]["text"][0]
        self.db = duckdb.connect()
        made.mkdir(parents=True, exist_ok=True)
        for name in ("samples", "verdicts"):
            overnight.open(folder).export(made / f"{name}.parquet", table=name)
            self.db.execute(f"CREATE TABLE {name} AS FROM read_parquet('{made / name}.parquet')")
        self.db.execute(f"CREATE TABLE results AS FROM read_parquet('{self.results / 'results.parquet'}')")
        self._criteria()
        self.db.execute(STANDING)
        self._run(LINES, raw=str(folder / ".overnight" / "raw" / "*" / "*.gz"))
        self._run(VERDICTS)
        self._run(RECORDS, rule=self.screen.get("rule", "unanimous"), unclear=self.screen.get("unclear", "person"))
        self._run(VOTES)

    def _criteria(self) -> None:
        self.db.execute("CREATE TABLE criteria (place INT, id TEXT, kind TEXT, if_silent TEXT, reason TEXT, told TEXT)")
        listed = [(kind, one) for kind in ("include", "exclude") for one in self.screen.get(kind) or ()]
        for place, (kind, one) in enumerate(listed):
            silent, reason = one.get("if_silent", _SILENT[kind]), one.get("reason") or one["id"]
            self.db.execute(
                "INSERT INTO criteria VALUES (?, ?, ?, ?, ?, ?)",
                [place, one["id"], kind, silent, reason, _SILENT[kind]],
            )
        self.ids = [one["id"] for _, one in listed]

    def _run(self, script: str, **values: str) -> None:
        """Statements one by one, each with those of the values that it names."""
        for statement in filter(str.strip, script.split(";\n")):
            self.db.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})

    def rows(self, sql: str, values: Mapping[str, str] | None = None) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, dict(values or {})).fetchall()

    def none(self, sql: str) -> None:
        """No such row."""
        found = self.rows(sql)
        assert not found, f"{len(found)} rows, the first: {found[:3]}"

    def count(self, sql: str) -> dict[str, int]:
        return dict(self.rows(sql))


def check_lines(numbers: Numbers) -> None:
    """Each answer has its line; the line's echo holds the record's title, and the verdicts are those of the table."""
    numbers.none(
        """SELECT * FROM samples JOIN said USING (record_id, stage, sample)
        WHERE (outcome = 'answer') <> (answer IS NOT NULL)"""
    )
    numbers.none("SELECT record_id, stage, sample FROM said GROUP BY ALL HAVING count(*) > 1")
    numbers.none(
        f"""SELECT record_id FROM said JOIN results r USING (record_id)
        WHERE answer IS NOT NULL AND NOT contains(letters(asked), letters(r."{numbers.title}"))"""
    )
    numbers.none(
        """SELECT * FROM stood s FULL JOIN verdicts v
        ON (v.record_id, v.stage, v.sample, v.criterion) = (s.record_id, s.stage, s.sample, s.id)
        WHERE (s.verdict, s.counts_as, s.excludes, nullif(s.quote, ''))
        IS DISTINCT FROM (v.verdict, v.counts_as, v.excludes, v.quote)"""
    )


def check_quotes(numbers: Numbers) -> tuple[int, int]:
    """What plain lower case finds is exact for the tool, and what the tool does not find is not to be found so. Returns
    (quotes, those for which the tool's word was taken: other typesetting, or a slip)."""
    numbers.none("SELECT * FROM looked WHERE trim(quote) <> '' AND plainly AND quote_found IS DISTINCT FROM 'exact'")
    numbers.none("SELECT * FROM looked WHERE (trim(quote) = '') <> (quote_found IS NULL)")
    ((quotes, taken),) = numbers.rows(
        "SELECT count(*), count(*) FILTER (NOT plainly AND quote_found <> 'no') FROM looked WHERE trim(quote) <> ''"
    )
    return int(quotes), int(taken)


def check_samples(numbers: Numbers) -> None:
    numbers.none(
        """SELECT * FROM decided d JOIN samples s USING (record_id, stage, sample)
        WHERE (d.decision, d.own, d.own <> d.claimed, d.decision <> d.believed)
        IS DISTINCT FROM (s.decision, s.model_decision, s.contradicts_itself, s.rests_on_lost_quotes)"""
    )


def check_records(numbers: Numbers) -> None:
    """Each record of results.parquet, but for those that another one stands for."""
    numbers.none(
        """SELECT * FROM looked_at e FULL JOIN (
          FROM results WHERE duplicate_of IS NULL AND outcome IN ('answer', 'problem')) r USING (record_id)
        WHERE (e.decision, e.decided_by, e.exclusion_reason, e.agreement, e.needs_person)
        IS DISTINCT FROM (r.decision, r.decided_by, r.exclusion_reason, r.agreement, r.needs_person)"""
    )
    numbers.none(
        """SELECT * FROM results WHERE outcome = 'not_sent' AND duplicate_of IS NULL
        AND (decision, needs_person) IS DISTINCT FROM ('unclear', true)"""
    )
    for id_ in numbers.ids:
        numbers.none(
            f"""SELECT * FROM votes v JOIN results r USING (record_id) JOIN looked_at e USING (record_id)
            WHERE v.id = '{id_}' AND e.n > 0
            AND (v.verdict, v.votes) IS DISTINCT FROM (r."c_{id_}", r."c_{id_}_votes")"""
        )


def check_closing(numbers: Numbers, closing: Mapping[str, Any]) -> None:
    """closing: the object of `--json`."""
    said = "FROM results WHERE duplicate_of IS NULL AND decision IS NOT NULL"
    assert closing["decisions"] == numbers.count(f"SELECT decision, count(*) {said} GROUP BY 1")
    tally = closing["tally"]
    by = "SELECT decided_by, count(*) FROM (SELECT decided_by FROM looked_at UNION ALL SELECT decided_by FROM results"
    by += " WHERE outcome = 'not_sent' AND duplicate_of IS NULL) GROUP BY 1"
    assert tally["decided_by"] == numbers.count(by)
    reasons = "SELECT exclusion_reason, count(*) FROM looked_at WHERE exclusion_reason IS NOT NULL GROUP BY 1"
    assert tally.get("exclusion_reason", {}) == numbers.count(reasons)
    people = "SELECT 'n', (SELECT count(*) FROM looked_at WHERE needs_person) + count(*) FROM results"
    people += " WHERE outcome = 'not_sent' AND duplicate_of IS NULL"
    assert sum(tally.get("for_a_person", {}).values()) == numbers.count(people)["n"]
    several = numbers.rows(
        """SELECT count(*), count(*) FILTER (NOT contested), count(*) FILTER (contested), count(*) FILTER (ruled)
        FROM looked_at WHERE asked > 1 AND n > 0"""
    )
    names = ("records", "agreed", "contested", "adjudicated")
    compared = closing["compared"] or dict.fromkeys(names, 0)
    assert tuple(compared[name] for name in names) == several[0]


def check_cost(numbers: Numbers, closing: Mapping[str, Any], prices: Prices) -> dict[str, Decimal]:
    """Tokens and cost of each job. Nothing may have been asked at once, before a job. Returns the cost of each
    stage."""
    numbers.db.execute(f"CREATE TABLE bill AS FROM read_csv('{numbers.results / 'cost.csv'}')")
    jobs = [(*map(int, row[:-1]), Decimal(row[-1]) / 1_000_000) for row in numbers.rows(COST, prices)]
    assert jobs == [(*map(int, row[:-1]), Decimal(str(row[-1]))) for row in numbers.rows(IN_FILE)]
    assert sum((row[-1] for row in jobs), Decimal()) == Decimal(closing["cost_usd"])
    numbers.none(
        """SELECT * FROM samples s JOIN bill ON job = CAST(regexp_extract(s.raw_line, '-s([0-9]+)-', 1) AS BIGINT)
        WHERE s.stage <> bill.stage"""
    )
    stages = dict(numbers.rows("SELECT DISTINCT job, stage FROM bill"))
    spent: dict[str, Decimal] = {}
    for row in jobs:
        spent[stages[row[0]]] = spent.get(stages[row[0]], Decimal()) + row[-1]
    return spent


def check_numbers(folder: Path, made: Path, closing: Mapping[str, Any], prices: Prices, **how: str) -> Counter[str]:
    """All of the above. Returns what was there, so that a test can say that it had something to count."""
    numbers = Numbers(folder, made, **how)
    check_lines(numbers)
    quotes, taken = check_quotes(numbers)
    check_samples(numbers)
    check_records(numbers)
    check_closing(numbers, closing)
    check_cost(numbers, closing, prices)
    seen = numbers.rows("SELECT contested, adjudicated, ruled, n = 0, n < asked, needs_person FROM looked_at")
    names = ("contested", "adjudicated", "ruled", "no_answer", "sample_lost", "for_a_person")
    found = Counter(name for row in seen for name, is_so in zip(names, row, strict=True) if is_so)
    return found + Counter(records=len(seen), quotes=quotes, quotes_taken=taken)
