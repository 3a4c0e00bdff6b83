-- What became of cases with a later bundle from the same side.
SELECT
  period, vantage, cause, to_blame, status, last_cause, last_status, took_hours,
  SUM(n) AS n
FROM case_outcomes
GROUP BY period, vantage, cause, to_blame, status, last_cause, last_status, took_hours
ORDER BY period, vantage, cause, to_blame, status, last_cause, last_status, took_hours
