DROP FUNCTION evidence_append(text);
DROP FUNCTION evidence_check_voiding(uuid, uuid);
DROP FUNCTION evidence_ensure_partitions(integer);
DROP FUNCTION evidence_first_id(timestamptz);
DROP TABLE evidence_statement;
DROP SCHEMA evidence_months;
