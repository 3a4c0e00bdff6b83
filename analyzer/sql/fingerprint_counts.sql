-- When and where the ways of failing that several hosts share were seen.
SELECT p.fingerprint, p.period, p.vantage, p.cause, p.to_blame, p.n
FROM (
  SELECT fingerprint, cause, COUNT(*) AS hosts, SUM(n) AS n
  FROM fingerprint_hosts
  GROUP BY fingerprint, cause
  HAVING COUNT(*) > 1
  ORDER BY hosts DESC, n DESC, fingerprint, cause
  LIMIT 40
) shared
JOIN fingerprint_periods p ON p.fingerprint = shared.fingerprint AND p.cause = shared.cause
ORDER BY p.fingerprint, p.period, p.vantage, p.cause, p.to_blame
