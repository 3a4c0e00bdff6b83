-- Silent holds: when they were cut, by what, and whether pings helped.
SELECT
  period, vantage, cause, to_blame, above_s, cut_after_s, cut_by, keepalive_survives,
  SUM(n) AS n
FROM hold_periods
GROUP BY period, vantage, cause, to_blame, above_s, cut_after_s, cut_by, keepalive_survives
ORDER BY period, vantage, cause, to_blame, above_s, cut_after_s, cut_by, keepalive_survives
