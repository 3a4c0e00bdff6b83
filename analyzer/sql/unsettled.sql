-- Verdicts that settle nothing, and what would settle them.
SELECT
  period, vantage, cause, to_blame, unsettled, status,
  SUM(n) AS n
FROM unsettled_periods
GROUP BY period, vantage, cause, to_blame, unsettled, status
ORDER BY period, vantage, cause, to_blame, unsettled, status
