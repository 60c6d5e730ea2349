-- The audit record: append-only, hash-chained. `audit_append` is the only way in.

-- The application's role. Roles belong to the whole cluster, so another database may have made it already, or
-- may be making it right now; and a hosted PostgreSQL may not let us. Then the triggers protect alone.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'toprope_app') THEN
        CREATE ROLE toprope_app LOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'role toprope_app was not made: % may not create roles', current_user
            USING HINT = 'Have an administrator run CREATE ROLE toprope_app LOGIN, and migrate again.';
END
$$;

-- ISO 8601 with an explicit offset reads the same under every setting, which is what IMMUTABLE promises.
CREATE FUNCTION audit_moment(iso text) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN iso::timestamptz;

CREATE TABLE audit_entry (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    payload text NOT NULL CHECK (octet_length(payload) <= 1048576),
    at timestamptz NOT NULL GENERATED ALWAYS AS (audit_moment(payload::jsonb ->> 'at')) STORED,
    tag text NOT NULL GENERATED ALWAYS AS (payload::jsonb ->> 'tag') STORED CHECK (length(tag) BETWEEN 1 AND 100),
    actor text NOT NULL GENERATED ALWAYS AS (payload::jsonb ->> 'actor') STORED CHECK (length(actor) BETWEEN 1 AND 200),
    subject text NOT NULL GENERATED ALWAYS AS (payload::jsonb ->> 'subject') STORED CHECK (length(subject) <= 500)
);
CREATE INDEX audit_entry_tag ON audit_entry (tag, seq);
CREATE INDEX audit_entry_actor ON audit_entry (actor, seq);
CREATE INDEX audit_entry_subject ON audit_entry (subject, seq);

CREATE FUNCTION audit_refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Record a correction as a new entry; what happened stays on record.';
END
$$;

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

-- One writer at a time until it commits: numbers have no gaps, and their order is the order of commits.
-- Every SQL statement of a function takes a new snapshot under READ COMMITTED only, and the head of the chain
-- must be read after the lock is held.
CREATE FUNCTION audit_lock() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'the audit record cannot be written under isolation level %',
            current_setting('transaction_isolation')
            USING ERRCODE = 'invalid_transaction_state', HINT = 'Use READ COMMITTED.';
    END IF;
    PERFORM pg_advisory_xact_lock(8031811704946025588); -- 'toprope' and a 4: any number, the same for all
END
$$;

-- Raises where one of the payloads is not that of an entry.
CREATE FUNCTION audit_check(payloads text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    keys CONSTANT text[] := ARRAY['at', 'tag', 'actor', 'subject', 'detail'];
    moment CONSTANT text := '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(\+00:00|Z)$';
    bad text;
BEGIN
    SELECT coalesce(p.payload, 'null') INTO bad
    FROM unnest(payloads) AS p (payload), CAST(p.payload AS jsonb) AS e
    WHERE (
        jsonb_typeof(e) = 'object' AND e ?& keys AND e - keys = '{}'
        AND jsonb_typeof(e -> 'at') = 'string' AND jsonb_typeof(e -> 'tag') = 'string'
        AND jsonb_typeof(e -> 'actor') = 'string' AND jsonb_typeof(e -> 'subject') = 'string'
        AND jsonb_typeof(e -> 'detail') = 'object' AND e ->> 'at' ~ moment
    ) IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'not an audit entry: %', left(bad, 200)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give a JSON object of exactly: at (ISO 8601, UTC), tag, actor, subject (strings), detail'
                         ' (an object).';
    END IF;
END
$$;

-- Appends entries in their order; gives the number and the hash of each.
CREATE FUNCTION audit_append_all(payloads text[]) RETURNS TABLE (seq bigint, hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    first_seq bigint;
    last_hash bytea;
    hashes bytea[] := '{}';
BEGIN
    PERFORM audit_check(payloads);
    PERFORM audit_lock();
    SELECT e.seq + 1, e.hash INTO first_seq, last_hash FROM audit_entry e ORDER BY e.seq DESC LIMIT 1;
    IF NOT FOUND THEN
        first_seq := 1;
        last_hash := decode(repeat('00', 32), 'hex');
    END IF;
    FOR i IN 1 .. cardinality(payloads) LOOP
        last_hash := sha256(last_hash || int8send(first_seq + i - 1) || convert_to(payloads[i], 'UTF8'));
        hashes[i] := last_hash;
    END LOOP;
    RETURN QUERY
        INSERT INTO audit_entry AS e (seq, hash, payload)
        SELECT first_seq + p.position - 1, p.hash, p.payload
        FROM unnest(hashes, payloads) WITH ORDINALITY AS p (hash, payload, position)
        ORDER BY p.position
        RETURNING e.seq, e.hash;
END
$$;

CREATE FUNCTION audit_append(payload text) RETURNS TABLE (seq bigint, hash bytea)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT seq, hash FROM audit_append_all(ARRAY[payload])
$$;

REVOKE ALL ON audit_entry FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_moment(text), audit_refuse_change(), audit_lock(), audit_check(text[]),
    audit_append_all(text[]), audit_append(text) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'toprope_app') THEN
        REVOKE ALL ON audit_entry FROM toprope_app;
        GRANT SELECT ON audit_entry TO toprope_app;
        GRANT EXECUTE ON FUNCTION audit_append_all(text[]), audit_append(text) TO toprope_app;
    END IF;
END
$$;
