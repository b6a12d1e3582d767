-- The token that this one was given for: a client that lost the answer may ask again with it, as
-- long as this one was not used.
ALTER TABLE refresh_tokens ADD COLUMN previous bytea;
