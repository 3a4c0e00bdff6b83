-- Cases by the day of their first bundle.
SELECT
  day, vantage, cause, status, location, confidence, device, device_version, COUNT(*) AS n
FROM {cases}
GROUP BY day, vantage, cause, status, location, confidence, device, device_version
