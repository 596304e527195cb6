-- Containers, their objects, and the listings that name them.
CREATE TABLE containers (
    id     INTEGER PRIMARY KEY,
    store  TEXT NOT NULL,                     -- az://ACCOUNT
    name   TEXT NOT NULL,
    public TEXT,                              -- none, blob, container; null when unknown
    -- Sums over its objects, kept with each page and each inspection: no report counts rows.
    objects         INTEGER NOT NULL DEFAULT 0,
    bytes           INTEGER NOT NULL DEFAULT 0,
    inspected       INTEGER NOT NULL DEFAULT 0,
    bytes_inspected INTEGER NOT NULL DEFAULT 0,
    bytes_read      INTEGER NOT NULL DEFAULT 0,
    requests        INTEGER NOT NULL DEFAULT 0,
    entries         INTEGER NOT NULL DEFAULT 0,
    -- What its listings did that no listing of a container at rest does.
    repeated        INTEGER NOT NULL DEFAULT 0, -- names that came twice
    disordered      INTEGER NOT NULL DEFAULT 0, -- names that came before a smaller one
    foreign_names   INTEGER NOT NULL DEFAULT 0, -- names outside of what was asked for
    UNIQUE (store, name)
);

-- The same sums by class of the order (priority divided by 2^48).
CREATE TABLE classes (
    container_id INTEGER NOT NULL,
    class        INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    PRIMARY KEY (container_id, class)
) WITHOUT ROWID;

-- Objects that were not looked into, by reason.
CREATE TABLE skips (
    container_id INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    objects      INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    PRIMARY KEY (container_id, reason)
) WITHOUT ROWID;

CREATE TABLE listings (
    container_id INTEGER NOT NULL,
    prefix       TEXT NOT NULL,
    start        TEXT NOT NULL DEFAULT '',    -- the least key of a part of a flat key space
    until        TEXT,                        -- the first key past the part; null for all above
    grant_id     TEXT NOT NULL,
    mode         TEXT NOT NULL,               -- flat, split, straight
    cursor       TEXT,                        -- where the next page starts
    fallback     TEXT,                        -- cursor of a flat listing, when a split is given up
    last         TEXT,                        -- the largest key so far
    state        INTEGER NOT NULL DEFAULT 0,  -- 0 open, 1 done, 2 broken off
    PRIMARY KEY (container_id, prefix, start)
) WITHOUT ROWID;
CREATE INDEX listings_open ON listings (container_id, prefix, start) WHERE state = 0;

-- Rows are appended, and found by their id. Two more ways to find them are made when they are
-- needed, because a hundred million rows are sorted once in a fraction of the time that it takes
-- to keep them sorted: objects_pending (priority, id) before the first is looked into, and
-- objects_key (container_id, key) when a listing names something that may be there already.
CREATE TABLE objects (
    id           INTEGER PRIMARY KEY,
    container_id INTEGER NOT NULL,
    key          TEXT NOT NULL,
    size         INTEGER NOT NULL,
    etag         TEXT,
    modified     INTEGER,                     -- seconds since 1970
    tier         TEXT,
    blob_type    TEXT,
    priority     INTEGER NOT NULL,            -- smaller is looked into first
    single       INTEGER NOT NULL DEFAULT 0,  -- 1 when no listing named it
    state        INTEGER NOT NULL DEFAULT 0,  -- 0 pending, 1 inspected, 2 skipped
    reason       TEXT,                        -- why it was skipped
    entries      INTEGER NOT NULL DEFAULT 0,
    bytes_read   INTEGER NOT NULL DEFAULT 0,
    requests     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX objects_single ON objects (container_id, key) WHERE single = 1;
CREATE INDEX objects_skipped ON objects (id) WHERE state = 2;
