-- What sets the versions of one object apart whose representation came back. Random; none before the first change.
CREATE TABLE revisions (
  collection TEXT NOT NULL,
  key        INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  PRIMARY KEY (collection, key)
) STRICT, WITHOUT ROWID;
-- The Idempotency-Key of the request that wrote.
ALTER TABLE audit ADD COLUMN idempotency_key TEXT;
