-- The trail: every request that was sent, in a chain of digests. Made when a case is opened, too:
-- a case of before has none of it. Records are appended one by one to the tail, and moved from
-- there, a thousand at a time, into compressed segments; neither is ever changed.
CREATE TABLE IF NOT EXISTS trail_tail (
    number INTEGER PRIMARY KEY,               -- from 1, without gaps over segments and tail
    record TEXT NOT NULL                      -- JSON TrailRecord
);
CREATE TABLE IF NOT EXISTS trail_segments (
    first   INTEGER PRIMARY KEY,              -- number of the first record
    records INTEGER NOT NULL,
    body    BLOB NOT NULL                     -- JSON TrailRecord, a line each, deflated
);
CREATE TABLE IF NOT EXISTS trail_head (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    records INTEGER NOT NULL,
    digest  BLOB NOT NULL                     -- SHA-256 of the digest before and the record
);
