-- Devices that left a mark, by what the bundles' verdicts were: the forty that were seen most often
-- on either side, and how many there are.
SELECT
  d.role, d.product, d.version, d.devices,
  p.period, p.vantage, p.cause, p.to_blame, p.status, p.confidence, p.n
FROM (
  SELECT
    role, product, version,
    COUNT(*) OVER (PARTITION BY side) AS devices,
    ROW_NUMBER() OVER (PARTITION BY side ORDER BY n DESC, role, product, version) AS place
  FROM (
    SELECT
      CASE WHEN role IN ('forward-proxy', 'tls-interceptor') THEN 'client' ELSE 'server' END AS side,
      role, product, version, n
    FROM device_totals
    WHERE role <> 'origin'
  ) sided
) d
JOIN device_periods p ON p.role = d.role AND p.product = d.product AND p.version = d.version
WHERE d.place <= 40
ORDER BY d.role, d.product, d.version, p.period, p.vantage, p.cause, p.to_blame, p.status, p.confidence
