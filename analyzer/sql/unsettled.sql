-- Verdicts that settle nothing, and what would settle them.
SELECT unsettled, status, cause, SUM(n) AS n
FROM unsettled_months
GROUP BY unsettled, status, cause
ORDER BY n DESC, unsettled, status, cause
