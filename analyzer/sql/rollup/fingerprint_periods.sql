-- Ways of failing.
SELECT
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  b.fingerprint AS fingerprint, COUNT(*) AS n
FROM {bundles} b
WHERE b.fingerprint IS NOT NULL
GROUP BY period, b.vantage, b.cause, to_blame, b.fingerprint
