-- Who collected, how often it was interrupted, how often the zip had defects.
SELECT
  SUBSTR(day, 1, 7) AS month, collector_version, collector_os, complete,
  CASE WHEN defects > 0 THEN 1 ELSE 0 END AS defective, rules_version, COUNT(*) AS n
FROM {bundles}
GROUP BY SUBSTR(day, 1, 7), collector_version, collector_os, complete,
  CASE WHEN defects > 0 THEN 1 ELSE 0 END, rules_version
