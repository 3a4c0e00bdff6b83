-- Who collected, and by which rules it was judged.
SELECT collector_version, collector_os, rules_version, SUM(n) AS n,
  SUM(CASE WHEN complete = 0 THEN n ELSE 0 END) AS interrupted,
  SUM(CASE WHEN defective = 1 THEN n ELSE 0 END) AS defective,
  MIN(month) AS first_month, MAX(month) AS last_month
FROM collector_months
GROUP BY collector_version, collector_os, rules_version
ORDER BY collector_version, collector_os, rules_version
