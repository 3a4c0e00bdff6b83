-- What became of cases with a later bundle from the same side.
SELECT
  SUBSTR(day, 1, 7) AS month, cause, status, last_cause, last_status, took_hours, COUNT(*) AS n
FROM {cases}
WHERE bundles > 1
GROUP BY SUBSTR(day, 1, 7), cause, status, last_cause, last_status, took_hours
