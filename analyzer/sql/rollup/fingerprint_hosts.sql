-- Who fails in which way.
SELECT fingerprint, cause, host, SUBSTR(day, 1, 7) AS month, COUNT(*) AS n
FROM {bundles}
WHERE fingerprint IS NOT NULL
GROUP BY fingerprint, cause, host, SUBSTR(day, 1, 7)
