-- Silent holds: the second at which they were cut (-1: they were not), and by what. Where nobody was
-- seen to end them, the limit lies above `above_s`, which else is the same second; both are rounded
-- outwards.
SELECT
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  CAST(CASE WHEN h.cut_by = 'silence' THEN COALESCE(h.alive_s, 0)
    ELSE COALESCE(ROUND(h.cut_after_s), -1) END AS INTEGER) AS above_s,
  CAST(CASE WHEN h.cut_by = 'silence' THEN h.cut_after_s + 0.95
    ELSE COALESCE(ROUND(h.cut_after_s), -1) END AS INTEGER) AS cut_after_s,
  COALESCE(h.cut_by, '') AS cut_by, COALESCE(h.keepalive_survives, -1) AS keepalive_survives,
  COUNT(*) AS n
FROM {bundles} b
JOIN holds h ON h.bundle_id = b.bundle_id
GROUP BY period, b.vantage, b.cause, to_blame,
  CAST(CASE WHEN h.cut_by = 'silence' THEN COALESCE(h.alive_s, 0)
    ELSE COALESCE(ROUND(h.cut_after_s), -1) END AS INTEGER),
  CAST(CASE WHEN h.cut_by = 'silence' THEN h.cut_after_s + 0.95
    ELSE COALESCE(ROUND(h.cut_after_s), -1) END AS INTEGER),
  COALESCE(h.cut_by, ''), COALESCE(h.keepalive_survives, -1)
