-- What became of cases with a later bundle from the same side.
SELECT month, cause, status, last_cause, last_status, took_hours, SUM(n) AS n
FROM case_outcomes
GROUP BY month, cause, status, last_cause, last_status, took_hours
ORDER BY month, cause, status, last_cause, last_status, took_hours
