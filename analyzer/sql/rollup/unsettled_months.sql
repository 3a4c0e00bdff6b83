-- Verdicts that settle nothing, and what would settle them.
SELECT SUBSTR(day, 1, 7) AS month, vantage, status, cause, unsettled, COUNT(*) AS n
FROM {bundles}
WHERE unsettled IS NOT NULL
GROUP BY SUBSTR(day, 1, 7), vantage, status, cause, unsettled
