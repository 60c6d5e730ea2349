-- The role stays: other databases of the cluster may use it.
DROP FUNCTION audit_append(text);
DROP FUNCTION audit_append_all(text[]);
DROP FUNCTION audit_check(text[]);
DROP FUNCTION audit_lock();
DROP TABLE audit_entry;
DROP FUNCTION audit_refuse_change();
DROP FUNCTION audit_moment(text);
