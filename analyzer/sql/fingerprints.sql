-- Ways of failing that several hosts share.
SELECT h.fingerprint, h.cause, h.hosts, h.n, h.one_host,
  MIN(SUBSTR(p.period, 1, 7)) AS first_month, MAX(SUBSTR(p.period, 1, 7)) AS last_month
FROM (
  SELECT fingerprint, cause, COUNT(*) AS hosts, SUM(n) AS n, MIN(host) AS one_host
  FROM fingerprint_hosts
  GROUP BY fingerprint, cause
  HAVING COUNT(*) > 1
  ORDER BY hosts DESC, n DESC, fingerprint, cause
  LIMIT 40
) h
JOIN fingerprint_periods p ON p.fingerprint = h.fingerprint AND p.cause = h.cause
GROUP BY h.fingerprint, h.cause, h.hosts, h.n, h.one_host
ORDER BY h.hosts DESC, h.n DESC, h.fingerprint, h.cause
