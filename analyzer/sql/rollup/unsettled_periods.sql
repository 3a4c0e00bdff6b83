-- Verdicts that settle nothing, and what would settle them.
SELECT
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  b.status AS status, b.unsettled AS unsettled, COUNT(*) AS n
FROM {bundles} b
WHERE b.unsettled IS NOT NULL
GROUP BY period, b.vantage, b.cause, to_blame, b.status, b.unsettled
