-- Devices that left a mark, whether or not they are to blame.
SELECT
  d.role AS role, COALESCE(d.product, '') AS product, COALESCE(d.version, '') AS version,
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  b.status AS status, d.confidence AS confidence, COUNT(*) AS n
FROM {bundles} b
JOIN devices d ON d.bundle_id = b.bundle_id
GROUP BY d.role, COALESCE(d.product, ''), COALESCE(d.version, ''), period, b.vantage, b.cause,
  to_blame, b.status, d.confidence
