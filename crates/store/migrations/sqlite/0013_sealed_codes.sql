-- A code carries all that it is good for, sealed. What it must not outlive is told by these.
DROP TABLE authorization_codes;
ALTER TABLE clients ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consents ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;

-- In the words of PostgreSQL, so that one statement finds it in both.
DROP INDEX users_admins;
CREATE INDEX users_admins ON users (created_at) WHERE is_admin;

-- An index for the person and one for the session, each in an order of its own, cost every sign-in to an application two
-- pages of the log. One serves both. Whoever removes a session leaves its grants, which are good for nothing without it and
-- go after their time.
CREATE TABLE grants_next (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    session_id TEXT,
    scope TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT,
    resources TEXT NOT NULL DEFAULT '[]',
    claims TEXT NOT NULL DEFAULT '[]',
    amr TEXT NOT NULL DEFAULT '[]',
    acr TEXT NOT NULL DEFAULT '',
    authenticated_at BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO grants_next (id, user_id, client_id, session_id, scope, created_at, expires_at, revoked_at, revoked_reason,
    resources, claims, amr, acr, authenticated_at)
SELECT id, user_id, client_id, session_id, scope, created_at, expires_at, revoked_at, revoked_reason,
    resources, claims, amr, acr, authenticated_at
FROM grants;
-- To remove a table is to remove its rows, and their families with them: those are copied first.
CREATE TABLE token_families_next (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    salt BLOB NOT NULL,
    issued BIGINT NOT NULL,
    presented BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    rotation TEXT NOT NULL,
    network BLOB,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT,
    grant_id TEXT REFERENCES grants_next (id) ON DELETE CASCADE,
    dpop_key BLOB,
    CHECK ((session_id IS NULL) <> (grant_id IS NULL))
) WITHOUT ROWID;
INSERT INTO token_families_next (id, session_id, salt, issued, presented, issued_at, rotation, network, created_at,
    expires_at, revoked_at, revoked_reason, grant_id, dpop_key)
SELECT id, session_id, salt, issued, presented, issued_at, rotation, network, created_at,
    expires_at, revoked_at, revoked_reason, grant_id, dpop_key
FROM token_families;
DROP TABLE token_families;
DROP TABLE grants;
ALTER TABLE grants_next RENAME TO grants;
ALTER TABLE token_families_next RENAME TO token_families;
CREATE INDEX grants_user_id ON grants (user_id, session_id);
CREATE INDEX grants_client_id ON grants (client_id);
CREATE INDEX grants_ends_on ON grants (expires_at / 86400000);
CREATE INDEX token_families_session_id ON token_families (session_id);
CREATE INDEX token_families_grant_id ON token_families (grant_id);
