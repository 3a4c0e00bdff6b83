-- How complete the checklist was, item by item.
SELECT month, vantage, item, state, COUNT(*) AS n
FROM (
  SELECT SUBSTR(day, 1, 7) AS month, vantage, 'upgrade-test' AS item, upgrade_test AS state
  FROM {bundles}
  UNION ALL
  SELECT SUBSTR(day, 1, 7), vantage, 'proxy-or-load-balancer', proxy_or_load_balancer
  FROM {bundles}
  UNION ALL
  SELECT SUBSTR(day, 1, 7), vantage, 'failed-handshake', failed_handshake FROM {bundles}
  UNION ALL
  SELECT SUBSTR(day, 1, 7), vantage, 'network-path', network_path FROM {bundles}
) items
GROUP BY month, vantage, item, state
