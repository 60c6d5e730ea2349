DROP FUNCTION evidence_append(text);
DROP FUNCTION evidence_append_all(text[]);
DROP FUNCTION evidence_check_voiding(bigint);
DROP FUNCTION evidence_audit_payload(text, jsonb);
DROP FUNCTION evidence_ensure_partitions(integer, integer);
DROP FUNCTION evidence_read(text[]);
DROP FUNCTION evidence_first_id(timestamptz);
DROP TABLE evidence_statement;
DROP SCHEMA evidence_months;
