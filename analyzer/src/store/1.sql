-- Version 1. Tables of many rows are keyed by a small number that grows with
-- intake, so that new rows go to the end; the views give them the bundle's id.

CREATE TABLE bundle_data (
  n INTEGER PRIMARY KEY,
  bundle_id TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL,
  vantage TEXT NOT NULL,
  collected_at TEXT NOT NULL,
  collected_unix INTEGER NOT NULL,
  day TEXT NOT NULL,
  target TEXT NOT NULL,
  host TEXT NOT NULL,
  collector_version TEXT NOT NULL,
  collector_os TEXT NOT NULL,
  complete INTEGER NOT NULL,
  duration_s REAL NOT NULL,
  status TEXT NOT NULL,
  cause TEXT NOT NULL,
  location TEXT NOT NULL,
  confidence TEXT NOT NULL,
  summary TEXT NOT NULL,
  route TEXT,
  broken_layer TEXT,
  device TEXT,
  device_version TEXT,
  fingerprint TEXT,
  unsettled TEXT,
  upgrade_test TEXT NOT NULL,
  proxy_or_load_balancer TEXT NOT NULL,
  failed_handshake TEXT NOT NULL,
  network_path TEXT NOT NULL,
  defects INTEGER NOT NULL,
  rules_version TEXT NOT NULL,
  source TEXT NOT NULL
);
CREATE INDEX bundle_case ON bundle_data (case_id);
CREATE INDEX bundle_rules ON bundle_data (rules_version);

-- What is needed to judge again (analyzer/src/intake/fast.rs, Kept).
CREATE TABLE kept (n INTEGER PRIMARY KEY, facts BLOB NOT NULL);

CREATE TABLE finding_data (
  n INTEGER NOT NULL, number INTEGER NOT NULL, rule TEXT NOT NULL, severity TEXT NOT NULL,
  is_cause INTEGER NOT NULL, title TEXT NOT NULL, citations INTEGER NOT NULL,
  PRIMARY KEY (n, number)
) WITHOUT ROWID;

CREATE TABLE device_data (
  n INTEGER NOT NULL, number INTEGER NOT NULL, role TEXT NOT NULL, product TEXT, version TEXT,
  confidence TEXT NOT NULL, blamed INTEGER NOT NULL,
  PRIMARY KEY (n, number)
) WITHOUT ROWID;

CREATE TABLE layer_data (
  n INTEGER NOT NULL, number INTEGER NOT NULL, route TEXT NOT NULL, path TEXT NOT NULL,
  decides INTEGER NOT NULL, layer TEXT NOT NULL, status TEXT NOT NULL, ms REAL, failure TEXT,
  PRIMARY KEY (n, number)
) WITHOUT ROWID;

CREATE TABLE hold_data (
  n INTEGER PRIMARY KEY, held_s REAL NOT NULL, cut_after_s REAL, cut_by TEXT, tls_closed INTEGER,
  keepalive_survives INTEGER
);

CREATE TABLE bad (source TEXT PRIMARY KEY, reason TEXT NOT NULL, detail TEXT NOT NULL) WITHOUT ROWID;

CREATE VIEW bundles AS SELECT
  bundle_id, case_id, vantage, collected_at, collected_unix, day, target, host, collector_version,
  collector_os, complete, duration_s, status, cause, location, confidence, summary, route,
  broken_layer, device, device_version, fingerprint, unsettled, upgrade_test,
  proxy_or_load_balancer, failed_handshake, network_path, defects, rules_version, source
FROM bundle_data;
CREATE VIEW findings AS SELECT b.bundle_id AS bundle_id, b.day AS day, f.number AS number,
  f.rule AS rule, f.severity AS severity, f.is_cause AS is_cause, f.title AS title,
  f.citations AS citations
FROM finding_data f JOIN bundle_data b ON b.n = f.n;
CREATE VIEW devices AS SELECT b.bundle_id AS bundle_id, b.day AS day, d.number AS number,
  d.role AS role, d.product AS product, d.version AS version, d.confidence AS confidence,
  d.blamed AS blamed
FROM device_data d JOIN bundle_data b ON b.n = d.n;
CREATE VIEW layers AS SELECT b.bundle_id AS bundle_id, b.day AS day, l.number AS number,
  l.route AS route, l.path AS path, l.decides AS decides, l.layer AS layer, l.status AS status,
  l.ms AS ms, l.failure AS failure
FROM layer_data l JOIN bundle_data b ON b.n = l.n;
CREATE VIEW holds AS SELECT b.bundle_id AS bundle_id, b.day AS day, h.held_s AS held_s,
  h.cut_after_s AS cut_after_s, h.cut_by AS cut_by, h.tls_closed AS tls_closed,
  h.keepalive_survives AS keepalive_survives
FROM hold_data h JOIN bundle_data b ON b.n = h.n;

-- Roll-ups: each is what its file in analyzer/sql/rollup/ says, kept up to date
-- in the transaction that changes what it counts.
CREATE TABLE cases (
  case_id TEXT PRIMARY KEY, first_bundle TEXT NOT NULL, day TEXT NOT NULL, vantage TEXT NOT NULL,
  host TEXT NOT NULL, cause TEXT NOT NULL, status TEXT NOT NULL, location TEXT NOT NULL,
  confidence TEXT NOT NULL, device TEXT NOT NULL, device_version TEXT NOT NULL,
  bundles INTEGER NOT NULL, last_cause TEXT NOT NULL, last_status TEXT NOT NULL,
  took_hours INTEGER NOT NULL
);
CREATE TABLE case_days (
  day TEXT, vantage TEXT, cause TEXT, status TEXT, location TEXT, confidence TEXT, device TEXT,
  device_version TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (day, vantage, cause, status, location, confidence, device, device_version)
) WITHOUT ROWID;
CREATE TABLE case_outcomes (
  month TEXT, cause TEXT, status TEXT, last_cause TEXT, last_status TEXT, took_hours INTEGER,
  n INTEGER NOT NULL,
  PRIMARY KEY (month, cause, status, last_cause, last_status, took_hours)
) WITHOUT ROWID;
CREATE TABLE device_months (
  month TEXT, vantage TEXT, cause TEXT, status TEXT, role TEXT, product TEXT, version TEXT,
  confidence TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (month, vantage, cause, status, role, product, version, confidence)
) WITHOUT ROWID;
CREATE TABLE layer_months (
  month TEXT, vantage TEXT, layer TEXT, status TEXT, failure TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (month, vantage, layer, status, failure)
) WITHOUT ROWID;
CREATE TABLE hold_months (
  month TEXT, vantage TEXT, cut_after_s INTEGER, cut_by TEXT, keepalive_survives INTEGER,
  device TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (month, vantage, cut_after_s, cut_by, keepalive_survives, device)
) WITHOUT ROWID;
CREATE TABLE fingerprint_hosts (
  fingerprint TEXT, cause TEXT, host TEXT, month TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (fingerprint, cause, host, month)
) WITHOUT ROWID;
CREATE TABLE checklist_months (
  month TEXT, vantage TEXT, item TEXT, state TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (month, vantage, item, state)
) WITHOUT ROWID;
CREATE TABLE unsettled_months (
  month TEXT, vantage TEXT, status TEXT, cause TEXT, unsettled TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (month, vantage, status, cause, unsettled)
) WITHOUT ROWID;
CREATE TABLE collector_months (
  month TEXT, collector_version TEXT, collector_os TEXT, complete INTEGER, defective INTEGER,
  rules_version TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (month, collector_version, collector_os, complete, defective, rules_version)
) WITHOUT ROWID;
CREATE TABLE newest (
  kind TEXT, name TEXT, bundle_id TEXT, collected_at TEXT NOT NULL,
  PRIMARY KEY (kind, name, bundle_id)
) WITHOUT ROWID;
