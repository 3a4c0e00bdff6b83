-- The newest bundles behind each number.
SELECT kind, name, bundle_id, collected_at
FROM newest
ORDER BY kind, name, collected_at DESC, bundle_id
