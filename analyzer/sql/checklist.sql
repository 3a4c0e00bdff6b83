-- How complete the checklist was.
SELECT vantage, item, state, SUM(n) AS n
FROM checklist_months
GROUP BY vantage, item, state
ORDER BY vantage, item, state
