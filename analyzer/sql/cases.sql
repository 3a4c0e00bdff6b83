-- Cases by day, cause, device to blame and vantage: what the charts over time and the filters count.
SELECT day, vantage, cause, device, SUM(n) AS n
FROM case_days
GROUP BY day, vantage, cause, device
ORDER BY day, vantage, cause, device
