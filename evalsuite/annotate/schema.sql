-- A study. What raters said is only ever added: `vote` refuses changes. `pair.taken` and `assignment.choice` are
-- derived from it and written in the same transaction.

CREATE TABLE study (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE item (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  prompt_group TEXT NOT NULL,
  language TEXT NOT NULL,
  category TEXT NOT NULL,
  translator TEXT NOT NULL,
  turns TEXT NOT NULL
) STRICT;

CREATE TABLE pair (
  id INTEGER PRIMARY KEY,
  item INTEGER NOT NULL REFERENCES item,
  system_a TEXT NOT NULL,
  system_b TEXT NOT NULL,
  is_gold INTEGER NOT NULL,
  place INTEGER NOT NULL,
  taken INTEGER NOT NULL DEFAULT 0,
  answer_a TEXT NOT NULL,
  answer_b TEXT NOT NULL
) STRICT;
-- All that choosing the next pair reads, so that it reads no answers.
CREATE INDEX pair_by_taken ON pair (is_gold, taken, item, system_a, system_b, place);

CREATE TABLE rater (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  languages TEXT NOT NULL,
  interface TEXT NOT NULL,
  cap INTEGER,
  not_systems TEXT NOT NULL,
  link_hash TEXT NOT NULL UNIQUE,
  agreed_at TEXT
) STRICT;

CREATE TABLE session (
  hash TEXT PRIMARY KEY,
  rater INTEGER NOT NULL REFERENCES rater,
  begun_at TEXT NOT NULL
) STRICT;

CREATE TABLE packet (
  id INTEGER PRIMARY KEY,
  rater INTEGER NOT NULL REFERENCES rater,
  key_hash TEXT NOT NULL UNIQUE,
  made_at TEXT NOT NULL
) STRICT;

CREATE TABLE assignment (
  id TEXT PRIMARY KEY,
  rater INTEGER NOT NULL REFERENCES rater,
  pair INTEGER NOT NULL REFERENCES pair,
  left_is_a INTEGER NOT NULL,
  place INTEGER NOT NULL,
  repeat_of TEXT REFERENCES assignment,
  packet INTEGER REFERENCES packet,
  shown_at TEXT NOT NULL,
  is_released INTEGER NOT NULL DEFAULT 0,
  choice TEXT,
  UNIQUE (rater, place)
) STRICT;
CREATE INDEX assignment_by_pair ON assignment (pair, rater);
CREATE INDEX assignment_by_rater ON assignment (rater, pair);
CREATE INDEX assignment_by_first ON assignment (repeat_of) WHERE repeat_of IS NOT NULL;
CREATE UNIQUE INDEX assignment_once ON assignment (rater, pair) WHERE repeat_of IS NULL;

CREATE TABLE vote (
  id INTEGER PRIMARY KEY,
  assignment TEXT NOT NULL REFERENCES assignment,
  revision INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL,
  choice TEXT NOT NULL,
  quality_left TEXT NOT NULL,
  quality_right TEXT NOT NULL,
  reason TEXT NOT NULL,
  seconds REAL,
  seen_left INTEGER,
  seen_right INTEGER,
  layout TEXT NOT NULL,
  ui_language TEXT NOT NULL,
  cast_at TEXT NOT NULL,
  received_at TEXT NOT NULL,
  UNIQUE (assignment, revision)
) STRICT;

CREATE TRIGGER vote_is_not_changed BEFORE UPDATE ON vote
BEGIN SELECT RAISE(ABORT, 'votes are only ever added'); END;
CREATE TRIGGER vote_is_not_deleted BEFORE DELETE ON vote
BEGIN SELECT RAISE(ABORT, 'votes are only ever added'); END;
