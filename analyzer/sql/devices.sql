-- Devices that left a mark, by what the bundles' verdicts were.
SELECT role, product, version, cause, status, confidence, SUM(n) AS n, MIN(month) AS first_month,
  MAX(month) AS last_month
FROM device_months
WHERE role <> 'origin'
GROUP BY role, product, version, cause, status, confidence
ORDER BY role, product, version, cause, status, confidence
