-- Silent holds: when they were cut, by what, and whether pings helped.
SELECT cut_after_s, cut_by, keepalive_survives, device, SUM(n) AS n
FROM hold_months
GROUP BY cut_after_s, cut_by, keepalive_survives, device
ORDER BY cut_after_s, cut_by, keepalive_survives, device
