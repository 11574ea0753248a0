-- Entries are read in the order of their times and ids, page by page.
DROP INDEX revocations_at;
CREATE INDEX revocations_at ON revocations (at, id);
