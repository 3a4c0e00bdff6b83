-- Ways of failing that several hosts share.
SELECT fingerprint, cause, COUNT(DISTINCT host) AS hosts, SUM(n) AS n, MIN(host) AS one_host,
  MIN(month) AS first_month, MAX(month) AS last_month
FROM fingerprint_hosts
GROUP BY fingerprint, cause
HAVING COUNT(DISTINCT host) > 1
ORDER BY hosts DESC, n DESC, fingerprint, cause
LIMIT 40
