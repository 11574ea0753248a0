ALTER TABLE grants ADD COLUMN resources TEXT NOT NULL DEFAULT '[]';
ALTER TABLE grants ADD COLUMN claims TEXT NOT NULL DEFAULT '[]';
ALTER TABLE grants ADD COLUMN amr TEXT NOT NULL DEFAULT '[]';
ALTER TABLE grants ADD COLUMN acr TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN authenticated_at BIGINT NOT NULL DEFAULT 0;

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
    grant_id TEXT REFERENCES grants (id) ON DELETE CASCADE,
    dpop_key BLOB,
    CHECK ((session_id IS NULL) <> (grant_id IS NULL))
) WITHOUT ROWID;
INSERT INTO token_families_next (id, session_id, salt, issued, presented, issued_at, rotation, network, created_at,
    expires_at, revoked_at, revoked_reason)
SELECT id, session_id, salt, issued, presented, issued_at, rotation, network, created_at,
    expires_at, revoked_at, revoked_reason
FROM token_families;
DROP TABLE token_families;
ALTER TABLE token_families_next RENAME TO token_families;
CREATE INDEX token_families_session_id ON token_families (session_id);
CREATE INDEX token_families_expires_at ON token_families (expires_at);
CREATE INDEX token_families_grant_id ON token_families (grant_id);

CREATE INDEX revocations_subject ON revocations (subject);
