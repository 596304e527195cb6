-- What was told apart as no finding, and what other runs compare. Made when a case is opened, too:
-- a case of before has none of it.
CREATE TABLE IF NOT EXISTS suppressed (
    id        TEXT PRIMARY KEY,
    object_id INTEGER,                        -- the object it was found in; null for local targets
    reason    TEXT NOT NULL,
    location  TEXT NOT NULL,
    record    TEXT NOT NULL                   -- JSON Suppressed
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS suppressed_order ON suppressed (reason, location, id);

CREATE TABLE IF NOT EXISTS suppressed_counts (
    source    TEXT NOT NULL,                  -- the local target; empty for objects
    object_id INTEGER NOT NULL,               -- 0 for local targets
    reason    TEXT NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (source, object_id, reason)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS remarks (
    record TEXT PRIMARY KEY                   -- JSON Remark
) WITHOUT ROWID;

-- Digests of secrets under the key of a baseline. In no report.
CREATE TABLE IF NOT EXISTS identities (
    finding_id TEXT PRIMARY KEY,
    digest     TEXT NOT NULL                  -- 64 hexadecimal digits
) WITHOUT ROWID;
