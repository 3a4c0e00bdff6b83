-- Who fails in which way.
SELECT fingerprint, cause, host, COUNT(*) AS n
FROM {bundles}
WHERE fingerprint IS NOT NULL
GROUP BY fingerprint, cause, host
