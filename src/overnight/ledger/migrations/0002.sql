-- Version 2: who may send (owner), rows asked before a job (smoke), jobs made by hand (adopted), what people were told.
ALTER TABLE shard ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shard ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;

CREATE TABLE owner (
  place      TEXT NOT NULL PRIMARY KEY,
  nonce      TEXT NOT NULL,
  generation INTEGER,
  job        TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE smoke (
  id              INTEGER PRIMARY KEY,
  realm           TEXT NOT NULL,
  place           TEXT NOT NULL,
  model           TEXT NOT NULL,
  recipe          TEXT NOT NULL REFERENCES recipe,
  address         BLOB NOT NULL,
  before_shard    INTEGER NOT NULL,
  asked           TEXT NOT NULL,
  reserved_usd    TEXT,
  kept_usd        TEXT,
  billed_usd      TEXT,
  ended           TEXT,
  passed          INTEGER,
  kind            TEXT,
  detail          TEXT NOT NULL DEFAULT '',
  prompt_tokens   INTEGER,
  cached_tokens   INTEGER,
  thinking_tokens INTEGER,
  answer_tokens   INTEGER,
  model_version   TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE notice (
  realm TEXT NOT NULL,
  what  TEXT NOT NULL,
  about TEXT NOT NULL,
  at    TEXT NOT NULL,
  PRIMARY KEY (realm, what, about)
) STRICT, WITHOUT ROWID;
