-- Version 3. Roll-ups by quarters of months instead of months, each with vantage,
-- cause and the device to blame, so that the page's filters reach them.
DROP TABLE case_outcomes;
DROP TABLE device_months;
DROP TABLE layer_months;
DROP TABLE hold_months;
DROP TABLE checklist_months;
DROP TABLE unsettled_months;
DROP TABLE collector_months;
CREATE TABLE case_outcomes (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, status TEXT, last_cause TEXT, last_status TEXT, took_hours INTEGER, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, status, last_cause, last_status, took_hours)
) WITHOUT ROWID;
CREATE TABLE device_periods (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, status TEXT, role TEXT, product TEXT, version TEXT, confidence TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, status, role, product, version, confidence)
) WITHOUT ROWID;
CREATE TABLE layer_periods (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, layer TEXT, status TEXT, failure TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, layer, status, failure)
) WITHOUT ROWID;
CREATE TABLE hold_periods (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, cut_after_s INTEGER, cut_by TEXT, keepalive_survives INTEGER, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, cut_after_s, cut_by, keepalive_survives)
) WITHOUT ROWID;
CREATE TABLE fingerprint_periods (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, fingerprint TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, fingerprint)
) WITHOUT ROWID;
CREATE TABLE checklist_periods (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, item TEXT, state TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, item, state)
) WITHOUT ROWID;
CREATE TABLE unsettled_periods (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, status TEXT, unsettled TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, status, unsettled)
) WITHOUT ROWID;
CREATE TABLE collector_periods (
  period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, collector_version TEXT, collector_os TEXT, complete INTEGER, defective INTEGER, rules_version TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (period, vantage, cause, to_blame, collector_version, collector_os, complete, defective, rules_version)
) WITHOUT ROWID;
