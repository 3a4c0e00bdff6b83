-- One row a case: its first bundle from inside (or else from outside) says what
-- the problem is; its later bundles from the same side say what became of it.
-- took_hours: upper end of the class of time to the first working bundle; 0 while none works.
SELECT
  case_id, bundle_id AS first_bundle, day, vantage, host, cause, status, location, confidence,
  COALESCE(device, '') AS device, COALESCE(device_version, '') AS device_version,
  bundles, last_cause, last_status,
  CASE
    WHEN status = 'working' OR first_working IS NULL OR first_working <= collected_unix THEN 0
    WHEN first_working - collected_unix <= 3600 THEN 1
    WHEN first_working - collected_unix <= 14400 THEN 4
    WHEN first_working - collected_unix <= 86400 THEN 24
    WHEN first_working - collected_unix <= 259200 THEN 72
    WHEN first_working - collected_unix <= 604800 THEN 168
    ELSE 1000000
  END AS took_hours
FROM (
  SELECT
    case_id, bundle_id, day, vantage, host, cause, status, location, confidence, device,
    device_version, collected_unix,
    ROW_NUMBER() OVER (PARTITION BY case_id ORDER BY vantage, collected_unix, bundle_id) AS place,
    COUNT(*) OVER (PARTITION BY case_id, vantage) AS bundles,
    MIN(CASE WHEN status = 'working' THEN collected_unix END)
      OVER (PARTITION BY case_id, vantage) AS first_working,
    FIRST_VALUE(cause)
      OVER (PARTITION BY case_id, vantage ORDER BY collected_unix DESC, bundle_id DESC) AS last_cause,
    FIRST_VALUE(status)
      OVER (PARTITION BY case_id, vantage ORDER BY collected_unix DESC, bundle_id DESC) AS last_status
  FROM {bundles}
) ranked
WHERE place = 1
