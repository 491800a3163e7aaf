-- The study's memory. One transaction a fact: a shard, a job, a file.
-- Money is TEXT (exact decimals), times are RFC 3339 UTC, addresses and fingerprints are 16 bytes.

CREATE TABLE study (
  uid     TEXT NOT NULL PRIMARY KEY,   -- born with the ledger; in every label and object prefix
  name    TEXT NOT NULL,
  created TEXT NOT NULL
) STRICT;

-- Complete recipes, never changed: an old package's words can be sent by a new one.
CREATE TABLE recipe (
  digest TEXT NOT NULL PRIMARY KEY,    -- 64 hex
  body   TEXT NOT NULL                 -- JSON, see ledger/recipes.py
) STRICT;

-- The recipe a stage and sample is pinned to.
CREATE TABLE pin (
  stage  TEXT NOT NULL,
  sample INTEGER NOT NULL,
  recipe TEXT NOT NULL REFERENCES recipe,
  pinned TEXT NOT NULL,
  PRIMARY KEY (stage, sample)
) STRICT, WITHOUT ROWID;

-- One shard = one input file = one job. `state` moves to the right only:
--   intended → staged → submitting → submitted → collected,  or from the first three → abandoned
CREATE TABLE shard (
  id                INTEGER PRIMARY KEY,
  realm             TEXT NOT NULL,
  stage             TEXT NOT NULL,
  recipe            TEXT NOT NULL REFERENCES recipe,
  model             TEXT NOT NULL,
  max_output_tokens INTEGER NOT NULL,
  state             TEXT NOT NULL CHECK (state IN ('intended', 'staged', 'submitting', 'submitted', 'collected', 'abandoned')),
  label             TEXT NOT NULL UNIQUE,   -- known before the job is: finds it again after a crash
  place             TEXT NOT NULL,          -- JSON: backend, project, location, bucket, input, output. Recovery reads this, never the study
  intended          TEXT NOT NULL,
  n_rows            INTEGER NOT NULL DEFAULT 0,
  size_bytes        INTEGER NOT NULL DEFAULT 0,
  reserved_usd      TEXT,                   -- worst case, set with `submitting`
  kept_usd          TEXT,                   -- what stays reserved after the end: rows, or a job never found again, that may have cost something unsaid
  billed_usd        TEXT,                   -- exact, of the lines with token counts
  submitted         TEXT,
  job_name          TEXT,
  job               TEXT,                   -- JSON: the last status seen
  cancelled         INTEGER NOT NULL DEFAULT 0,  -- a person asked for it
  collected         TEXT,
  lines             INTEGER NOT NULL DEFAULT 0,
  breaker           TEXT CHECK (breaker IN ('tripped', 'acknowledged')),
  adopted           INTEGER NOT NULL DEFAULT 0,  -- 1: its job and its files were made by hand: `clean` leaves them alone
  repeats           INTEGER NOT NULL DEFAULT 0,  -- 1: some of its attempts may be in another job too (a create given up as not made)
  row_usd           TEXT                    -- worst case of its longest request, set with `submitting`; NULL: not known
) STRICT;

-- Lines sent, in key order within a shard. An attempt without an outcome is in flight.
CREATE TABLE sent (
  shard       INTEGER NOT NULL REFERENCES shard,
  address     BLOB NOT NULL,
  attempt     INTEGER NOT NULL,
  fingerprint BLOB NOT NULL,
  PRIMARY KEY (shard, address)
) STRICT, WITHOUT ROWID;

-- How attempts ended, in order of arrival. `kind` NULL is an answer. Never changed: only a problem may be read again
-- from the raw output (fetch --reparse).
CREATE TABLE outcome (
  row             INTEGER PRIMARY KEY,
  shard           INTEGER NOT NULL REFERENCES shard,
  address         BLOB NOT NULL,
  attempt         INTEGER NOT NULL,
  kind            TEXT,
  answer          BLOB,
  detail          TEXT NOT NULL,
  prompt_tokens   INTEGER,
  cached_tokens   INTEGER,
  thinking_tokens INTEGER,
  answer_tokens   INTEGER,
  model_version   TEXT NOT NULL,
  finish_reason   TEXT NOT NULL,
  identity        TEXT,
  processed_time  TEXT NOT NULL,
  source          TEXT NOT NULL
) STRICT;
CREATE INDEX outcome_of_shard ON outcome (shard);

CREATE TABLE stray (
  shard           INTEGER NOT NULL REFERENCES shard,
  kind            TEXT NOT NULL,
  key             TEXT NOT NULL,
  detail          TEXT NOT NULL,
  differs         INTEGER NOT NULL,
  prompt_tokens   INTEGER,
  cached_tokens   INTEGER,
  thinking_tokens INTEGER,
  answer_tokens   INTEGER,
  model_version   TEXT NOT NULL,
  source          TEXT NOT NULL,
  processed_time  TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX stray_of_shard ON stray (shard);

-- Which request answers for which record: many to one, the latest only. Written when a run's plan is accepted.
CREATE TABLE binding (
  realm     TEXT NOT NULL,
  record_id TEXT NOT NULL,
  stage     TEXT NOT NULL,
  sample    INTEGER NOT NULL,
  address   BLOB NOT NULL,
  recipe    TEXT NOT NULL,
  model     TEXT NOT NULL,
  PRIMARY KEY (realm, record_id, stage, sample)
) STRICT, WITHOUT ROWID;

-- `retry` and `forget`: attempts up to this one no longer settle the request.
CREATE TABLE reopened (
  address       BLOB NOT NULL PRIMARY KEY,
  after_attempt INTEGER NOT NULL,
  why           TEXT NOT NULL,
  at            TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- By which note in the bucket this ledger says that it is the one that sends (run/owner.py): `nonce` is on disk before
-- the note is written, `generation` after. A ledger that was copied and left behind has another generation than the note.
CREATE TABLE owner (
  place      TEXT NOT NULL PRIMARY KEY,    -- the note's own address: gs://bucket/prefix/uid/owner.json
  nonce      TEXT NOT NULL,
  generation INTEGER,
  job        TEXT                          -- label of the shard whose create could be sent since; NULL while that is not sure
) STRICT, WITHOUT ROWID;

-- Rows asked one by one before a job (generateContent), to see that the request is accepted and what it costs. Their
-- answers settle nothing; their cost counts.
CREATE TABLE smoke (
  id              INTEGER PRIMARY KEY,
  realm           TEXT NOT NULL,
  place           TEXT NOT NULL,         -- project/location
  model           TEXT NOT NULL,
  recipe          TEXT NOT NULL REFERENCES recipe,
  address         BLOB NOT NULL,
  before_shard    INTEGER NOT NULL,      -- the number of the shard that would come next: caps of one run count from there
  asked           TEXT NOT NULL,
  reserved_usd    TEXT,                  -- worst case, until it is known how it ended
  kept_usd        TEXT,                  -- what stays reserved where the reply was lost
  billed_usd      TEXT,
  ended           TEXT,
  passed          INTEGER,               -- 1: an answer as asked for
  kind            TEXT,                  -- of the problem; NULL for an answer
  detail          TEXT NOT NULL DEFAULT '',
  prompt_tokens   INTEGER,
  cached_tokens   INTEGER,
  thinking_tokens INTEGER,
  answer_tokens   INTEGER,
  model_version   TEXT NOT NULL DEFAULT ''
) STRICT;

-- What was said a run would cost before it sent anything. Its shards are those numbered from first_shard up to the next
-- row's; it is also by what a job's run is told. NULL: not known.
CREATE TABLE estimate (
  realm        TEXT NOT NULL,
  first_shard  INTEGER NOT NULL,
  began        TEXT NOT NULL,
  n_requests   INTEGER NOT NULL,
  low_usd      TEXT,
  expected_usd TEXT,
  high_usd     TEXT,
  worst_usd    TEXT,
  PRIMARY KEY (realm, first_shard)
) STRICT, WITHOUT ROWID;

-- What people were told once (notify): not again for the same thing.
CREATE TABLE notice (
  realm TEXT NOT NULL,
  what  TEXT NOT NULL,
  about TEXT NOT NULL,
  at    TEXT NOT NULL,
  PRIMARY KEY (realm, what, about)
) STRICT, WITHOUT ROWID;

-- `when_over: fit`: of records never begun, those whose number under the seed is above the bound were left out for their
-- price by the last run.
CREATE TABLE fit (
  realm TEXT NOT NULL PRIMARY KEY,
  seed  INTEGER NOT NULL,
  bound INTEGER NOT NULL,
  at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The pilot that a study is in, until a run of the whole: so many of its records, drawn by the seed.
CREATE TABLE pilot (
  realm   TEXT NOT NULL PRIMARY KEY,
  n       INTEGER NOT NULL,         -- asked for
  seed    INTEGER NOT NULL,
  records INTEGER NOT NULL,         -- that it took, those of equal texts together
  of      INTEGER NOT NULL,         -- of so many with something to ask
  at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- `id: auto`, of studies whose records have identifiers: what they were called, in the order of naming.
CREATE TABLE name (
  n         INTEGER PRIMARY KEY,
  record_id TEXT NOT NULL UNIQUE,
  seen      INTEGER NOT NULL,       -- print of its record (records/census.py) when last seen; 0: not known
  own       INTEGER NOT NULL        -- 1: the name that record would have in an empty study too
) STRICT;

-- By what else a named record is known: PMID, DOI, citation key, hash of the text. One alias may be of several.
CREATE TABLE alias (
  alias TEXT NOT NULL,
  n     INTEGER NOT NULL REFERENCES name,
  PRIMARY KEY (alias, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_of_name ON alias (n);
