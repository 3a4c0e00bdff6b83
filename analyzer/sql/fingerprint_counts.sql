-- When and where the ways of failing that several hosts share were seen.
SELECT p.fingerprint AS fingerprint, p.period AS period, p.vantage AS vantage, p.cause AS cause,
  p.to_blame AS to_blame, SUM(p.n) AS n
FROM fingerprint_periods p
JOIN (
  SELECT fingerprint, COUNT(DISTINCT host) AS hosts, SUM(n) AS n
  FROM fingerprint_hosts
  GROUP BY fingerprint
  HAVING COUNT(DISTINCT host) > 1
  ORDER BY hosts DESC, n DESC, fingerprint
  LIMIT 40
) shared ON shared.fingerprint = p.fingerprint
GROUP BY p.fingerprint, p.period, p.vantage, p.cause, p.to_blame
ORDER BY p.fingerprint, p.period, p.vantage, p.cause, p.to_blame
