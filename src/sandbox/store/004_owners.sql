-- Who claims the account, or a part of it. A claim is never changed: a new one takes its place.
CREATE TABLE owners (
  key     INTEGER PRIMARY KEY AUTOINCREMENT,
  owner   TEXT NOT NULL,
  account TEXT NOT NULL,
  scope   TEXT NOT NULL,
  since   TEXT NOT NULL
) STRICT;
