-- Cases by day, cause, device and vantage: what the charts over time and the filters count.
SELECT day, vantage, cause, status, location, device, device_version, SUM(n) AS n
FROM case_days
GROUP BY day, vantage, cause, status, location, device, device_version
ORDER BY day, vantage, cause, status, location, device, device_version
