-- Who collected, and by which rules it was judged.
SELECT
  period, vantage, cause, to_blame, collector_version, collector_os, rules_version,
  SUM(n) AS n, SUM(CASE WHEN complete = 0 THEN n ELSE 0 END) AS interrupted, 
  SUM(CASE WHEN defective = 1 THEN n ELSE 0 END) AS defective
FROM collector_periods
GROUP BY period, vantage, cause, to_blame, collector_version, collector_os, rules_version
ORDER BY period, vantage, cause, to_blame, collector_version, collector_os, rules_version
