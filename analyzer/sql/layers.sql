-- How each layer went on the route that decides.
SELECT vantage, layer, status, failure, SUM(n) AS n
FROM layer_months
GROUP BY vantage, layer, status, failure
ORDER BY vantage, layer, status, failure
