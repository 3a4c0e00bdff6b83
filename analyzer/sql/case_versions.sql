-- Cases of late by the version of the device to blame: of the last 56 days with a case, which is the
-- longest that the page compares.
SELECT day, vantage, cause, device, device_version, SUM(n) AS n
FROM case_days
WHERE device <> '' AND day >= (
  SELECT MIN(day) FROM (SELECT DISTINCT day FROM case_days ORDER BY day DESC LIMIT 56) late
)
GROUP BY day, vantage, cause, device, device_version
ORDER BY day, vantage, cause, device, device_version
