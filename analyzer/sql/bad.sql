-- Inputs that are no bundles, by reason.
SELECT reason, COUNT(*) AS n, MIN(source) AS one_source
FROM bad
GROUP BY reason
ORDER BY n DESC, reason
