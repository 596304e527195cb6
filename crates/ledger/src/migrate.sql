-- From version 1 of the case file to version 2. The old tables have been renamed to *_1, and those
-- of version 2 been made.
INSERT INTO containers (id, store, name, public) SELECT id, store, name, public FROM containers_1;
INSERT INTO listings (container_id, prefix, grant_id, mode, cursor, fallback, state)
    SELECT container_id, prefix, grant_id, mode, cursor, fallback, done FROM listings_1;
INSERT INTO objects (id, container_id, key, size, etag, modified, tier, blob_type, priority, state,
                     reason, entries, bytes_read, requests)
    SELECT id, container_id, key, size, etag, CAST(strftime('%s', modified) AS INTEGER), tier,
           blob_type, priority, state, reason, entries, bytes_read, requests
    FROM objects_1 ORDER BY id;
DROP TABLE containers_1;
DROP TABLE listings_1;
DROP TABLE objects_1;
-- A listing of version 1 may name again what is there.
CREATE UNIQUE INDEX objects_key ON objects (container_id, key);
UPDATE containers SET
    (objects, bytes, inspected, bytes_inspected, bytes_read, requests, entries) =
    (SELECT count(*), coalesce(sum(size), 0), coalesce(sum(state = 1), 0),
            coalesce(sum(CASE WHEN state = 1 THEN size END), 0), coalesce(sum(bytes_read), 0),
            coalesce(sum(requests), 0), coalesce(sum(entries), 0)
     FROM objects WHERE container_id = containers.id);
INSERT INTO classes SELECT container_id, priority >> 48, sum(size) FROM objects GROUP BY 1, 2;
INSERT INTO skips
    SELECT container_id, coalesce(reason, ''), count(*), sum(size) FROM objects WHERE state = 2
    GROUP BY 1, 2;
