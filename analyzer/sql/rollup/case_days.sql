-- Cases by the day of their first bundle.
SELECT
  day, vantage, cause, device, device_version, status, location, confidence, COUNT(*) AS n
FROM {cases}
GROUP BY day, vantage, cause, device, device_version, status, location, confidence
