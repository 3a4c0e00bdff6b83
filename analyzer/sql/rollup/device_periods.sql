-- Devices that left a mark, whether or not they are to blame.
SELECT
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  b.status AS status, d.role AS role, COALESCE(d.product, '') AS product,
  COALESCE(d.version, '') AS version, d.confidence AS confidence, COUNT(*) AS n
FROM {bundles} b
JOIN devices d ON d.bundle_id = b.bundle_id
GROUP BY period, b.vantage, b.cause, to_blame, b.status, d.role, COALESCE(d.product, ''),
  COALESCE(d.version, ''), d.confidence
