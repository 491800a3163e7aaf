-- Version 5: what records were called (`id: auto`), and by what else they are known, so that a name once given stays.
CREATE TABLE name (
  n         INTEGER PRIMARY KEY,
  record_id TEXT NOT NULL UNIQUE,
  seen      INTEGER NOT NULL,
  own       INTEGER NOT NULL
) STRICT;

CREATE TABLE alias (
  alias TEXT NOT NULL,
  n     INTEGER NOT NULL REFERENCES name,
  PRIMARY KEY (alias, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_of_name ON alias (n);
