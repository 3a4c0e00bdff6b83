-- The newest bundles behind each number, and what the filters ask of them.
SELECT
  n.kind, n.name, n.bundle_id, n.collected_at,
  b.day, b.vantage, b.cause,
  COALESCE(b.device, '') AS device
FROM newest n JOIN bundles b ON b.bundle_id = n.bundle_id
ORDER BY n.kind, n.name, n.collected_at DESC, n.bundle_id
