-- Version 4: how far down the draw of `when_over: fit` the last run went.
CREATE TABLE fit (
  realm TEXT NOT NULL PRIMARY KEY,
  seed  INTEGER NOT NULL,
  bound INTEGER NOT NULL,
  at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
