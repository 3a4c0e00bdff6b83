-- The newest five bundles behind each number of the page.
SELECT kind, name, bundle_id, collected_at
FROM (
  SELECT
    kind, name, bundle_id, collected_at,
    ROW_NUMBER() OVER (PARTITION BY kind, name ORDER BY collected_at DESC, bundle_id) AS place
  FROM (
    SELECT 'cause' AS kind, cause AS name, bundle_id, collected_at FROM {bundles}
    UNION ALL
    SELECT 'device', TRIM(device || ' ' || COALESCE(device_version, '')), bundle_id, collected_at
    FROM {bundles} WHERE device IS NOT NULL
    UNION ALL
    SELECT DISTINCT 'layer', TRIM(l.layer || ' ' || COALESCE(l.failure, '')), b.bundle_id, b.collected_at
    FROM {bundles} b JOIN layers l ON l.bundle_id = b.bundle_id
    WHERE l.decides = 1 AND l.status = 'fail'
    UNION ALL
    SELECT 'fingerprint', fingerprint, bundle_id, collected_at
    FROM {bundles} WHERE fingerprint IS NOT NULL
    UNION ALL
    SELECT 'unsettled', unsettled || ' ' || status || ' ' || cause, bundle_id, collected_at
    FROM {bundles} WHERE unsettled IS NOT NULL
    UNION ALL
    SELECT 'collector', collector_version || ' ' || collector_os || ' ' || rules_version, bundle_id,
      collected_at
    FROM {bundles}
    UNION ALL
    SELECT 'item', 'upgrade-test', bundle_id, collected_at
    FROM {bundles} WHERE upgrade_test <> 'complete'
    UNION ALL
    SELECT 'item', 'proxy-or-load-balancer', bundle_id, collected_at
    FROM {bundles} WHERE proxy_or_load_balancer <> 'complete'
    UNION ALL
    SELECT 'item', 'failed-handshake', bundle_id, collected_at
    FROM {bundles} WHERE failed_handshake <> 'complete'
    UNION ALL
    SELECT 'item', 'network-path', bundle_id, collected_at
    FROM {bundles} WHERE network_path <> 'complete'
    UNION ALL
    SELECT 'cut', CAST(CAST(CASE WHEN h.cut_by = 'silence' THEN h.cut_after_s + 0.95
      ELSE ROUND(h.cut_after_s) END AS INTEGER) AS {text}), b.bundle_id, b.collected_at
    FROM {bundles} b JOIN holds h ON h.bundle_id = b.bundle_id WHERE h.cut_after_s IS NOT NULL
    UNION ALL
    SELECT DISTINCT 'product',
      TRIM(d.role || ' ' || TRIM(COALESCE(d.product, '') || ' ' || COALESCE(d.version, ''))),
      b.bundle_id, b.collected_at
    FROM {bundles} b JOIN devices d ON d.bundle_id = b.bundle_id WHERE d.role <> 'origin'
  ) behind
) ranked
WHERE place <= 5
