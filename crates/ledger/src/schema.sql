-- The case file, version 2. JSON columns hold the wire types of lidless-core.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL                       -- JSON
) WITHOUT ROWID;

CREATE TABLE leads (
    id        TEXT PRIMARY KEY,
    object_id INTEGER,                        -- the object it was found in; null for local targets
    record    TEXT NOT NULL                   -- JSON Lead
) WITHOUT ROWID;

CREATE TABLE grants (
    id     TEXT PRIMARY KEY,
    done   INTEGER NOT NULL DEFAULT 0,        -- 1 when it was followed to the end
    record TEXT NOT NULL                      -- JSON Grant
) WITHOUT ROWID;

CREATE TABLE reach (
    grant_id     TEXT NOT NULL,
    container_id INTEGER NOT NULL,
    prefix       TEXT NOT NULL,               -- keys below it, or the key itself when exact = 1
    exact        INTEGER NOT NULL,
    PRIMARY KEY (grant_id, container_id, prefix)
) WITHOUT ROWID;

CREATE TABLE findings (
    id        TEXT PRIMARY KEY,
    object_id INTEGER,
    record    TEXT NOT NULL                   -- JSON Finding
) WITHOUT ROWID;
CREATE INDEX findings_object ON findings (object_id);

CREATE TABLE marks (
    object_id    INTEGER,
    container_id INTEGER,
    record       TEXT NOT NULL,               -- JSON Mark
    UNIQUE (object_id, container_id, record)
);

CREATE TABLE gaps (
    location  TEXT NOT NULL,
    reason    TEXT NOT NULL,
    bytes     INTEGER,
    object_id INTEGER,
    PRIMARY KEY (location, reason)
) WITHOUT ROWID;

CREATE TABLE sources (
    container TEXT PRIMARY KEY,
    record    TEXT NOT NULL                   -- JSON Coverage
) WITHOUT ROWID;
