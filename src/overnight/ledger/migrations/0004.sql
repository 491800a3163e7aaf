-- Version 4: how far down the draw of `when_over: fit` the last run went; what the longest request of a shard may cost.
ALTER TABLE shard ADD COLUMN row_usd TEXT;

CREATE TABLE fit (
  realm TEXT NOT NULL PRIMARY KEY,
  seed  INTEGER NOT NULL,
  bound INTEGER NOT NULL,
  at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
