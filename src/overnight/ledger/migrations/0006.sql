-- Version 6: the pilot that a study is in, until a run of the whole.
CREATE TABLE pilot (
  realm   TEXT NOT NULL PRIMARY KEY,
  n       INTEGER NOT NULL,
  seed    INTEGER NOT NULL,
  records INTEGER NOT NULL,
  of      INTEGER NOT NULL,
  at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
