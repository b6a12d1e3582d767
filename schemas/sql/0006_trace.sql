-- Where a message is, asked by its message_id or client_msg_id alone (docs/adr/0053-flight-recorder.md).
-- Both grow with time, and so do the rows: an index over ranges of pages costs nearly nothing to
-- write. Of client_msg_ids some few are made by clocks that are wrong, hence several ranges each.
CREATE INDEX messages_by_id ON messages USING brin (message_id) WITH (autosummarize = on);
CREATE INDEX messages_by_client_id ON messages USING brin (client_msg_id uuid_minmax_multi_ops)
  WITH (autosummarize = on);
