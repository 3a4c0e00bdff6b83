-- Silent holds: the second at which they were cut (-1: they were not), and by what.
SELECT
  SUBSTR(b.day, 1, 7) AS month, b.vantage AS vantage,
  CAST(COALESCE(ROUND(h.cut_after_s), -1) AS INTEGER) AS cut_after_s,
  COALESCE(h.cut_by, '') AS cut_by, COALESCE(h.keepalive_survives, -1) AS keepalive_survives,
  COALESCE(b.device, '') AS device, COUNT(*) AS n
FROM {bundles} b
JOIN holds h ON h.bundle_id = b.bundle_id
GROUP BY SUBSTR(b.day, 1, 7), b.vantage, CAST(COALESCE(ROUND(h.cut_after_s), -1) AS INTEGER),
  COALESCE(h.cut_by, ''), COALESCE(h.keepalive_survives, -1), COALESCE(b.device, '')
