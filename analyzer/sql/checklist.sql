-- How complete the checklist was.
SELECT
  period, vantage, cause, to_blame, item, state,
  SUM(n) AS n
FROM checklist_periods
GROUP BY period, vantage, cause, to_blame, item, state
ORDER BY period, vantage, cause, to_blame, item, state
