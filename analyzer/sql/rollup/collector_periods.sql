-- Who collected, how often it was interrupted, how often the zip had defects.
SELECT
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  b.collector_version AS collector_version, b.collector_os AS collector_os, b.complete AS complete,
  CASE WHEN b.defects > 0 THEN 1 ELSE 0 END AS defective, b.rules_version AS rules_version,
  COUNT(*) AS n
FROM {bundles} b
GROUP BY period, b.vantage, b.cause, to_blame, b.collector_version, b.collector_os, b.complete,
  CASE WHEN b.defects > 0 THEN 1 ELSE 0 END, b.rules_version
