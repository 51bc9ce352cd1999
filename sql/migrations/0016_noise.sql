-- sql/migrations/0016_noise.sql - SPDX-License-Identifier: Apache-2.0
--
-- Tags that move without need. In Central v2026.1.0 and .1 the tag of every
-- form changes with a submission to any of them.

ALTER TABLE {schema}.odk_sync_cursor
    -- comparisons of all keys that a tag brought about and that found nothing
    ADD COLUMN etag_empty bigint NOT NULL DEFAULT 0,
    -- runs in a row, after those, in which it was still the same
    ADD COLUMN etag_held bigint NOT NULL DEFAULT 0;
