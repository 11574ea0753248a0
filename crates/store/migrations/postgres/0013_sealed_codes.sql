-- A code carries all that it is good for, sealed. What it must not outlive is told by these.
DROP TABLE authorization_codes;
ALTER TABLE clients ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consents ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;

-- An index for the person and one for the session, each in an order of its own, cost every sign-in to an application two
-- pages of the log. One serves both. Whoever removes a session leaves its grants, which are good for nothing without it and
-- go after their time.
ALTER TABLE grants DROP CONSTRAINT grants_session_id_fkey;
DROP INDEX grants_session_id;
DROP INDEX grants_user_id;
CREATE INDEX grants_user_id ON grants (user_id, session_id);
