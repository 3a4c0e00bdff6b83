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
    SELECT 'layer', broken_layer, bundle_id, collected_at
    FROM {bundles} WHERE broken_layer IS NOT NULL
    UNION ALL
    SELECT 'fingerprint', fingerprint, bundle_id, collected_at
    FROM {bundles} WHERE fingerprint IS NOT NULL
    UNION ALL
    SELECT 'unsettled', unsettled, bundle_id, collected_at
    FROM {bundles} WHERE unsettled IS NOT NULL
    UNION ALL
    SELECT 'collector', collector_version, bundle_id, collected_at FROM {bundles}
    UNION ALL
    SELECT 'cut', CAST(CAST(ROUND(h.cut_after_s) AS INTEGER) AS {text}), b.bundle_id, b.collected_at
    FROM {bundles} b JOIN holds h ON h.bundle_id = b.bundle_id WHERE h.cut_after_s IS NOT NULL
    UNION ALL
    SELECT 'product', TRIM(d.product || ' ' || COALESCE(d.version, '')), b.bundle_id, b.collected_at
    FROM {bundles} b JOIN devices d ON d.bundle_id = b.bundle_id WHERE d.product IS NOT NULL
  ) behind
) ranked
WHERE place <= 5
