-- Version 4. Roll-ups name the device to blame without its version, and those of devices and of ways
-- of failing are ordered by these: what the page asks of them does not grow with the number of
-- versions and customers.
DROP TABLE case_days;
DROP TABLE device_periods;
DROP TABLE fingerprint_hosts;
DROP TABLE fingerprint_periods;
CREATE TABLE case_days (
  day TEXT, vantage TEXT, cause TEXT, device TEXT, device_version TEXT, status TEXT, location TEXT, confidence TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (day, vantage, cause, device, device_version, status, location, confidence)
) WITHOUT ROWID;
CREATE TABLE device_totals (
  role TEXT, product TEXT, version TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (role, product, version)
) WITHOUT ROWID;
CREATE TABLE device_periods (
  role TEXT, product TEXT, version TEXT, period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, status TEXT, confidence TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (role, product, version, period, vantage, cause, to_blame, status, confidence)
) WITHOUT ROWID;
CREATE TABLE fingerprint_hosts (
  fingerprint TEXT, cause TEXT, host TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (fingerprint, cause, host)
) WITHOUT ROWID;
CREATE TABLE fingerprint_periods (
  fingerprint TEXT, period TEXT, vantage TEXT, cause TEXT, to_blame TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (fingerprint, period, vantage, cause, to_blame)
) WITHOUT ROWID;
