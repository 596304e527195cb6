-- The case file, version 1. JSON columns hold the wire types of lidless-core.
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

CREATE TABLE containers (
    id     INTEGER PRIMARY KEY,
    store  TEXT NOT NULL,                     -- az://ACCOUNT
    name   TEXT NOT NULL,
    public TEXT,                              -- none, blob, container; null when unknown
    UNIQUE (store, name)
);

CREATE TABLE reach (
    grant_id     TEXT NOT NULL,
    container_id INTEGER NOT NULL,
    prefix       TEXT NOT NULL,               -- keys below it, or the key itself when exact = 1
    exact        INTEGER NOT NULL,
    PRIMARY KEY (grant_id, container_id, prefix)
) WITHOUT ROWID;

CREATE TABLE listings (
    container_id INTEGER NOT NULL,
    prefix       TEXT NOT NULL,
    grant_id     TEXT NOT NULL,
    mode         TEXT NOT NULL,               -- flat, split, straight
    cursor       TEXT,                        -- where the next page starts
    fallback     TEXT,                        -- cursor of a flat listing, when a split is given up
    done         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (container_id, prefix)
) WITHOUT ROWID;

CREATE TABLE objects (
    id           INTEGER PRIMARY KEY,
    container_id INTEGER NOT NULL,
    key          TEXT NOT NULL,
    size         INTEGER NOT NULL,
    etag         TEXT,
    modified     TEXT,
    tier         TEXT,
    blob_type    TEXT,
    priority     INTEGER NOT NULL,            -- smaller is looked into first
    state        INTEGER NOT NULL DEFAULT 0,  -- 0 pending, 1 inspected, 2 skipped
    reason       TEXT,                        -- why it was skipped
    entries      INTEGER NOT NULL DEFAULT 0,
    bytes_read   INTEGER NOT NULL DEFAULT 0,
    requests     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (container_id, key)
);
CREATE INDEX objects_pending ON objects (priority, id) WHERE state = 0;

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
