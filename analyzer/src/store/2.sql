-- Version 2. Objects of buckets are known by their URL, before they are fetched;
-- files are not, and have no entry here.
CREATE INDEX bundle_object ON bundle_data (source) WHERE INSTR(source, '://') > 0;
