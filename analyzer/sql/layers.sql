-- How each layer went on the route that decides.
SELECT
  period, vantage, cause, to_blame, layer, status, failure,
  SUM(n) AS n
FROM layer_periods
GROUP BY period, vantage, cause, to_blame, layer, status, failure
ORDER BY period, vantage, cause, to_blame, layer, status, failure
