-- Ways of failing.
SELECT
  b.fingerprint AS fingerprint, {period} AS period, b.vantage AS vantage, b.cause AS cause,
  {to_blame} AS to_blame, COUNT(*) AS n
FROM {bundles} b
WHERE b.fingerprint IS NOT NULL
GROUP BY b.fingerprint, period, b.vantage, b.cause, to_blame
