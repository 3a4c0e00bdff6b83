-- How each layer went on the route and path that decide.
SELECT
  SUBSTR(b.day, 1, 7) AS month, b.vantage AS vantage, l.layer AS layer, l.status AS status,
  COALESCE(l.failure, '') AS failure, COUNT(*) AS n
FROM {bundles} b
JOIN layers l ON l.bundle_id = b.bundle_id
WHERE l.decides = 1
GROUP BY SUBSTR(b.day, 1, 7), b.vantage, l.layer, l.status, COALESCE(l.failure, '')
