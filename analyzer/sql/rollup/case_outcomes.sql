-- What became of cases with a later bundle from the same side.
SELECT
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  b.status AS status, b.last_cause AS last_cause, b.last_status AS last_status,
  b.took_hours AS took_hours, COUNT(*) AS n
FROM {cases} b
WHERE b.bundles > 1
GROUP BY period, b.vantage, b.cause, to_blame, b.status, b.last_cause, b.last_status, b.took_hours
