-- How each layer went on the route and path that decide.
SELECT
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  l.layer AS layer, l.status AS status, COALESCE(l.failure, '') AS failure, COUNT(*) AS n
FROM {bundles} b
JOIN layers l ON l.bundle_id = b.bundle_id
WHERE l.decides = 1
GROUP BY period, b.vantage, b.cause, to_blame, l.layer, l.status, COALESCE(l.failure, '')
