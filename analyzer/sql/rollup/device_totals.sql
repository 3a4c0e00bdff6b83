-- Devices that left a mark, all in all: which of them are the most frequent.
SELECT d.role AS role, COALESCE(d.product, '') AS product, COALESCE(d.version, '') AS version,
  COUNT(*) AS n
FROM {bundles} b
JOIN devices d ON d.bundle_id = b.bundle_id
GROUP BY d.role, COALESCE(d.product, ''), COALESCE(d.version, '')
