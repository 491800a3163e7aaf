-- Version 3: the day on which a stray was served decides its price; what was said before a run is kept beside its bill.
ALTER TABLE stray ADD COLUMN processed_time TEXT NOT NULL DEFAULT '';

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
