-- Devices that left a mark, whether or not they are to blame.
SELECT
  SUBSTR(b.day, 1, 7) AS month, b.vantage AS vantage, b.cause AS cause, b.status AS status,
  d.role AS role, COALESCE(d.product, '') AS product, COALESCE(d.version, '') AS version,
  d.confidence AS confidence, COUNT(*) AS n
FROM {bundles} b
JOIN devices d ON d.bundle_id = b.bundle_id
GROUP BY SUBSTR(b.day, 1, 7), b.vantage, b.cause, b.status, d.role, COALESCE(d.product, ''),
  COALESCE(d.version, ''), d.confidence
