-- Devices that left a mark, by what the bundles' verdicts were.
SELECT
  period, vantage, cause, to_blame, role, product, version, status, confidence,
  SUM(n) AS n
FROM device_periods
WHERE role <> 'origin'
GROUP BY period, vantage, cause, to_blame, role, product, version, status, confidence
ORDER BY period, vantage, cause, to_blame, role, product, version, status, confidence
