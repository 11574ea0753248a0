ALTER TABLE grants ADD COLUMN resources TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE grants ADD COLUMN claims TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE grants ADD COLUMN amr TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE grants ADD COLUMN acr TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN authenticated_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE token_families DROP COLUMN client_id;
ALTER TABLE token_families ALTER COLUMN session_id DROP NOT NULL;
ALTER TABLE token_families ADD COLUMN grant_id TEXT COLLATE "C" REFERENCES grants (id) ON DELETE CASCADE;
ALTER TABLE token_families ADD COLUMN dpop_key BYTEA;
ALTER TABLE token_families ADD CHECK ((session_id IS NULL) <> (grant_id IS NULL));
CREATE INDEX token_families_grant_id ON token_families (grant_id);

CREATE INDEX revocations_subject ON revocations (subject);
