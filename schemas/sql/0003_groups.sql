-- Groups: what they are, and who was in them from which seq to which. Both follow from the entries
-- of kind Members in the groups' logs. What has no row here is no group.
-- members_at: seq of the last change of membership.
CREATE TABLE groups (
  conversation_id bigint PRIMARY KEY,
  title text NOT NULL,
  join_policy smallint NOT NULL,
  earlier_history smallint NOT NULL,
  members_at bigint NOT NULL,
  members_count integer NOT NULL,
  disbanded boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);

-- A row is one stay of a user in a group: it ends, it is never deleted. The user may see the seqs
-- from from_seq to to_seq, which is the entry that ended the stay; null: a member. joined_seq is
-- the entry that began it. The positions are those of the two entries. stay counts those of the user
-- in the group; from_seq is joined_seq in all stays of a group, or 1 in all of them. Read cursors are
-- in members.
CREATE TABLE memberships (
  conversation_id bigint NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  from_seq bigint NOT NULL,
  joined_seq bigint NOT NULL,
  joined_position bigint NOT NULL,
  to_seq bigint,
  ended_position bigint,
  role smallint NOT NULL,
  stay integer NOT NULL DEFAULT 1,
  PRIMARY KEY (conversation_id, user_id, joined_seq)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX memberships_current ON memberships (conversation_id, user_id)
  WHERE to_seq IS NULL;
CREATE INDEX memberships_user ON memberships (user_id, conversation_id) WHERE to_seq IS NULL;

-- Devices that are signed in are those of the latest logins.
ALTER TABLE devices ADD COLUMN last_login_ms bigint NOT NULL DEFAULT 0;
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_ms);
