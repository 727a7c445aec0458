-- Version 1: one account. Keys come from AUTOINCREMENT, so an id is never given twice.
-- The constraints are the last line of defence: the API checks first, to answer with a reason.

CREATE TABLE account (
  one            INTEGER PRIMARY KEY CHECK (one = 1),
  id             TEXT NOT NULL,
  name           TEXT NOT NULL,
  country        TEXT NOT NULL,
  default_number INTEGER REFERENCES numbers (key) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE locations (
  key       INTEGER PRIMARY KEY AUTOINCREMENT,
  label     TEXT NOT NULL,
  label_key TEXT NOT NULL UNIQUE,
  address   TEXT NOT NULL
) STRICT;

-- Users, ring groups, receptionists and conference lines share one name space and one number space.
CREATE TABLE extensions (
  key       INTEGER PRIMARY KEY AUTOINCREMENT,
  kind      TEXT NOT NULL CHECK (kind IN ('user', 'ring_group', 'receptionist', 'conference')),
  name      TEXT NOT NULL,
  name_key  TEXT NOT NULL UNIQUE,
  extension TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE users (
  key             INTEGER PRIMARY KEY REFERENCES extensions (key) ON DELETE CASCADE,
  email           TEXT NOT NULL,
  email_key       TEXT NOT NULL UNIQUE,
  location        INTEGER NOT NULL REFERENCES locations (key),
  voicemail       INTEGER NOT NULL CHECK (voicemail IN (0, 1)),
  forwarding_mode TEXT NOT NULL CHECK (forwarding_mode IN ('disabled', 'when_offline', 'enabled')),
  forwarding_to   TEXT
) STRICT;
CREATE INDEX users_location ON users (location);

CREATE TABLE devices (
  key      INTEGER PRIMARY KEY AUTOINCREMENT,
  user     INTEGER NOT NULL REFERENCES users (key) ON DELETE CASCADE,
  name     TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  kind     TEXT NOT NULL CHECK (kind IN ('analog_phone', 'ip_phone', 'external', 'mobile_app'))
) STRICT;
CREATE INDEX devices_user ON devices (user);
CREATE UNIQUE INDEX devices_one_each ON devices (user, kind) WHERE kind <> 'mobile_app';

CREATE TABLE ring_groups (
  key            INTEGER PRIMARY KEY REFERENCES extensions (key) ON DELETE CASCADE,
  ring           TEXT NOT NULL CHECK (ring IN ('simultaneous', 'sequential')),
  ring_for       INTEGER NOT NULL CHECK (ring_for BETWEEN 5 AND 300),
  no_answer_kind TEXT CHECK (no_answer_kind IN ('user', 'voicemail', 'ring_group')),
  no_answer      INTEGER REFERENCES extensions (key) CHECK (no_answer <> key),
  CHECK ((no_answer_kind IS NULL) = (no_answer IS NULL))
) STRICT;
CREATE INDEX ring_groups_no_answer ON ring_groups (no_answer);

CREATE TABLE members (
  ring_group INTEGER NOT NULL REFERENCES ring_groups (key) ON DELETE CASCADE,
  position   INTEGER NOT NULL,
  user       INTEGER REFERENCES users (key),
  device     INTEGER REFERENCES devices (key),
  PRIMARY KEY (ring_group, position),
  UNIQUE (ring_group, user),
  UNIQUE (ring_group, device),
  CHECK ((user IS NULL) <> (device IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX members_user ON members (user);
CREATE INDEX members_device ON members (device);

CREATE TABLE receptionists (
  key      INTEGER PRIMARY KEY REFERENCES extensions (key) ON DELETE CASCADE,
  timezone TEXT NOT NULL
) STRICT;

CREATE TABLE keys (
  receptionist INTEGER NOT NULL REFERENCES receptionists (key) ON DELETE CASCADE,
  digit        TEXT NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('user', 'ring_group', 'voicemail', 'conference', 'receptionist')),
  target       INTEGER NOT NULL REFERENCES extensions (key),
  PRIMARY KEY (receptionist, digit)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_target ON keys (target);

CREATE TABLE conferences (
  key INTEGER PRIMARY KEY REFERENCES extensions (key) ON DELETE CASCADE
) STRICT;

-- A PIN is kept as a digest: nothing in a state file can be dialled.
CREATE TABLE bridges (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  conference  INTEGER NOT NULL REFERENCES conferences (key),
  name        TEXT NOT NULL,
  number      TEXT NOT NULL UNIQUE,
  pin_digest  TEXT,
  assigned_to INTEGER REFERENCES users (key)
) STRICT;
CREATE INDEX bridges_conference ON bridges (conference);
CREATE INDEX bridges_assigned_to ON bridges (assigned_to);

CREATE TABLE numbers (
  key                INTEGER PRIMARY KEY AUTOINCREMENT,
  number             TEXT NOT NULL UNIQUE,
  kind               TEXT NOT NULL CHECK (kind IN ('local', 'toll_free', 'virtual')),
  label              TEXT NOT NULL,
  destination        INTEGER REFERENCES extensions (key),
  emergency_callback INTEGER NOT NULL CHECK (emergency_callback IN (0, 1)),
  owner              INTEGER REFERENCES extensions (key)
) STRICT;
CREATE INDEX numbers_destination ON numbers (destination);
CREATE INDEX numbers_owner ON numbers (owner);

CREATE TABLE audit (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  at          TEXT NOT NULL,
  actor       TEXT NOT NULL,
  action      TEXT NOT NULL CHECK (action IN ('create', 'update', 'delete')),
  object_kind TEXT NOT NULL,
  object_id   TEXT NOT NULL,
  object_name TEXT NOT NULL,
  before      TEXT,
  after       TEXT
) STRICT;

-- Answers of creates, replayed for a day. The body is kept as a digest only.
CREATE TABLE idempotency (
  actor       TEXT NOT NULL,
  path        TEXT NOT NULL,
  key         TEXT NOT NULL,
  body_digest TEXT NOT NULL,
  answer      TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (actor, path, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created_at ON idempotency (created_at);

CREATE TABLE versions (
  collection TEXT PRIMARY KEY,
  version    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
