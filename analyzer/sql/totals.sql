-- How much there is.
SELECT
  (SELECT COALESCE(SUM(n), 0) FROM collector_periods) AS bundles,
  (SELECT COALESCE(SUM(n), 0) FROM case_days) AS cases,
  (SELECT COUNT(*) FROM bad) AS bad,
  (SELECT MIN(day) FROM case_days) AS first_day,
  (SELECT MAX(day) FROM case_days) AS last_day
