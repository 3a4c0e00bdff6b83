-- Version 5. Of silent holds, the longest silence that was survived, what kept one up, and what the
-- ends look like together. Where nobody was seen to end it, the limit lies between two silences.
ALTER TABLE hold_data ADD COLUMN alive_s REAL;
ALTER TABLE hold_data ADD COLUMN tcp_keepalive_survives INTEGER;
ALTER TABLE hold_data ADD COLUMN server_data_survives INTEGER;
ALTER TABLE hold_data ADD COLUMN picture TEXT;
DROP VIEW holds;
CREATE VIEW holds AS SELECT b.bundle_id AS bundle_id, b.day AS day, h.held_s AS held_s,
  h.cut_after_s AS cut_after_s, h.cut_by AS cut_by, h.tls_closed AS tls_closed,
  h.keepalive_survives AS keepalive_survives, h.alive_s AS alive_s,
  h.tcp_keepalive_survives AS tcp_keepalive_survives,
  h.server_data_survives AS server_data_survives, h.picture AS picture
FROM hold_data h JOIN bundle_data b ON b.n = h.n;
DROP TABLE hold_periods;
CREATE TABLE hold_periods (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, above_s INTEGER, cut_after_s INTEGER, cut_by TEXT, keepalive_survives INTEGER, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, above_s, cut_after_s, cut_by, keepalive_survives)
) WITHOUT ROWID;
