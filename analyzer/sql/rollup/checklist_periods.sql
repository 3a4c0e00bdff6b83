-- How complete the checklist was, item by item.
SELECT
  {period} AS period, b.vantage AS vantage, b.cause AS cause, {to_blame} AS to_blame,
  i.item AS item,
  CASE i.item
    WHEN 'upgrade-test' THEN b.upgrade_test
    WHEN 'proxy-or-load-balancer' THEN b.proxy_or_load_balancer
    WHEN 'failed-handshake' THEN b.failed_handshake
    ELSE b.network_path
  END AS state,
  COUNT(*) AS n
FROM {bundles} b
CROSS JOIN (
  SELECT 'upgrade-test' AS item
  UNION ALL SELECT 'proxy-or-load-balancer'
  UNION ALL SELECT 'failed-handshake'
  UNION ALL SELECT 'network-path'
) i
GROUP BY period, b.vantage, b.cause, to_blame, i.item, state
