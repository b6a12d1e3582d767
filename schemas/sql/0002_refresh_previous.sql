-- The token that this one was given for: a client that lost the answer may ask again with it, as
-- long as this one was not used.
ALTER TABLE refresh_tokens ADD COLUMN previous bytea;

-- messages_once no longer stops a shard, as 0001 says: a repeat that reaches it is put aside in
-- dead_entries with a tombstone in its place (docs/adr/0011-repeats-at-the-store.md). Two messages
-- with one seq do stop it.
