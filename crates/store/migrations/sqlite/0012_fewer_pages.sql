-- An index in an order of its own costs each sign-in to an application a page of the log. Nothing is looked up by a
-- code's session: a session's end is noticed when the code is used, and the row goes after its time.
CREATE TABLE authorization_codes_next (
    code_hash BLOB NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge BLOB,
    nonce TEXT,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    claims TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    dpop_key BLOB
) WITHOUT ROWID;
INSERT INTO authorization_codes_next (code_hash, client_id, session_id, grant_id, redirect_uri, challenge, nonce, scope,
    resources, claims, created_at, expires_at, used_at, dpop_key)
SELECT code_hash, client_id, session_id, grant_id, redirect_uri, challenge, nonce, scope,
    resources, claims, created_at, expires_at, used_at, dpop_key
FROM authorization_codes;
DROP TABLE authorization_codes;
ALTER TABLE authorization_codes_next RENAME TO authorization_codes;
CREATE INDEX authorization_codes_client_id ON authorization_codes (client_id, expires_at);
CREATE INDEX authorization_codes_expires_at ON authorization_codes (expires_at);

-- A family ends with its session or its grant, and goes with its row.
DROP INDEX token_families_expires_at;

-- By days, so that those that end on one day lie in the order in which they were given.
DROP INDEX grants_expires_at;
CREATE INDEX grants_ends_on ON grants (expires_at / 86400000);
