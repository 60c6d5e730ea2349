-- The statements: append-only, one partition a month. `evidence_append` is the only way in.

-- Partitions live in a schema of their own, which the application's role cannot enter: it reads through the
-- parent, and no grant on "all tables" ever opens a side door for writing.
CREATE SCHEMA evidence_months;

-- `body` is the truth; the other columns are read out of it, for look-ups. `seq` is the number of the audit entry
-- that recorded the statement.
CREATE TABLE evidence_statement (
    id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    actor uuid NOT NULL,
    verb text NOT NULL CHECK (length(verb) BETWEEN 1 AND 100),
    object_type text NOT NULL CHECK (length(object_type) BETWEEN 1 AND 100),
    object_key text NOT NULL CHECK (length(object_key) BETWEEN 1 AND 500),
    "timestamp" timestamptz NOT NULL,
    authority text NOT NULL CHECK (length(authority) BETWEEN 1 AND 200),
    sitting uuid,
    voids uuid,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    body text NOT NULL CHECK (octet_length(body) <= 65536)
) PARTITION BY RANGE (id);
CREATE INDEX evidence_statement_actor ON evidence_statement (actor, seq);
CREATE INDEX evidence_statement_seq ON evidence_statement (seq);
CREATE INDEX evidence_statement_sitting ON evidence_statement (sitting) WHERE sitting IS NOT NULL;
CREATE INDEX evidence_statement_voids ON evidence_statement (voids) WHERE voids IS NOT NULL;

CREATE TRIGGER evidence_statement_append_only BEFORE UPDATE OR DELETE ON evidence_statement
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER evidence_statement_no_truncate BEFORE TRUNCATE ON evidence_statement
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

CREATE TABLE evidence_months.other PARTITION OF evidence_statement DEFAULT;
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evidence_months.other
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

-- The least UUIDv7 of a moment: its Unix milliseconds in the first 48 bits, zeros behind.
CREATE FUNCTION evidence_first_id(moment timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

-- Makes the partitions from this month to `months_ahead` later; gives how many were made. Row triggers come from
-- the parent, TRUNCATE triggers do not. A month whose statements already lie in the default partition stays there:
-- taking them out would be a deletion.
CREATE FUNCTION evidence_ensure_partitions(months_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET client_min_messages = warning
AS $$
DECLARE
    month timestamptz := date_trunc('month', now(), 'UTC');
    last_month timestamptz;
    name text;
    lower_bound uuid;
    upper_bound uuid;
    made integer := 0;
BEGIN
    IF months_ahead IS NULL OR months_ahead NOT BETWEEN 0 AND 120 THEN
        RAISE EXCEPTION 'months_ahead is %; give 0 to 120', months_ahead USING ERRCODE = 'invalid_parameter_value';
    END IF;
    last_month := date_add(month, make_interval(months => months_ahead), 'UTC');
    WHILE month <= last_month LOOP
        name := to_char(month AT TIME ZONE 'UTC', '"m"YYYY_MM');
        lower_bound := evidence_first_id(month);
        month := date_add(month, interval '1 month', 'UTC');
        upper_bound := evidence_first_id(month);
        CONTINUE WHEN to_regclass('evidence_months.' || name) IS NOT NULL;
        PERFORM audit_lock();
        CONTINUE WHEN to_regclass('evidence_months.' || name) IS NOT NULL;
        CONTINUE WHEN EXISTS (
            SELECT FROM evidence_months.other o WHERE o.id >= lower_bound AND o.id < upper_bound
        );
        EXECUTE format(
            'CREATE TABLE evidence_months.%I PARTITION OF evidence_statement FOR VALUES FROM (%L) TO (%L)',
            name, lower_bound, upper_bound
        );
        EXECUTE format(
            'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON evidence_months.%I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()', name
        );
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

-- Raises where a voiding statement does not name a statement that it may void.
CREATE FUNCTION evidence_check_voiding(target uuid, about uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_actor uuid;
    found_verb text;
    complaint text;
BEGIN
    SELECT s.actor, s.verb INTO found_actor, found_verb FROM evidence_statement s WHERE s.id = target;
    complaint := CASE
        WHEN found_actor IS NULL THEN format('statement %s is not on record; it cannot be voided', target)
        WHEN found_verb = 'voided' THEN format('statement %s voids another; it cannot be voided itself', target)
        WHEN found_actor <> about THEN format('statement %s is about another actor; it cannot be voided so', target)
        WHEN EXISTS (SELECT FROM evidence_statement s WHERE s.voids = target)
            THEN format('statement %s is voided already', target)
    END;
    IF complaint IS NOT NULL THEN
        RAISE EXCEPTION '%', complaint USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- Outcomes: `recorded`, `duplicate` (the same statement was there), `conflict` (another one has its id).
-- `hash` is that of the audit entry where the statement was recorded, for the witness; else null.
CREATE FUNCTION evidence_append(body text) RETURNS TABLE (seq bigint, outcome text, hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    statement jsonb := evidence_append.body::jsonb;
    digest bytea := sha256(convert_to(evidence_append.body, 'UTF8'));
    new_id uuid := (statement ->> 'id')::uuid;
    new_actor uuid := (statement ->> 'actor')::uuid;
    authority text := statement ->> 'authority';
    voids uuid := (statement #>> '{context,voids}')::uuid;
    known record;
    receipt record;
BEGIN
    PERFORM audit_lock();
    SELECT s.seq, s.body INTO known FROM evidence_statement s WHERE s.id = new_id;
    IF FOUND THEN
        RETURN QUERY SELECT known.seq,
            CASE WHEN known.body = evidence_append.body THEN 'duplicate' ELSE 'conflict' END, NULL::bytea;
        RETURN;
    END IF;
    IF voids IS NOT NULL THEN
        PERFORM evidence_check_voiding(voids, new_actor);
    END IF;

    -- Who did it: the person who vouches for the statement, or, where Toprope does, the person it is about.
    SELECT a.seq, a.hash INTO receipt FROM audit_append(json_build_object(
        'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
        'tag', 'statement.recorded',
        'actor', CASE WHEN authority IN ('toprope', 'gateway') THEN new_actor::text ELSE authority END,
        'subject', new_id,
        'detail', json_build_object(
            'digest', encode(digest, 'hex'),
            'verb', statement ->> 'verb',
            'object', concat_ws(':', statement #>> '{object,type}', statement #>> '{object,key}')
        )
    )::text) a;
    INSERT INTO evidence_statement (
        id, seq, actor, verb, object_type, object_key, "timestamp", authority, sitting, voids, digest, body
    ) VALUES (
        new_id, receipt.seq, new_actor, statement ->> 'verb', statement #>> '{object,type}',
        statement #>> '{object,key}', (statement ->> 'timestamp')::timestamptz, authority,
        (statement #>> '{context,sitting}')::uuid, voids, digest, evidence_append.body
    );
    RETURN QUERY SELECT receipt.seq, 'recorded', receipt.hash;
END
$$;

REVOKE ALL ON evidence_statement FROM PUBLIC;
REVOKE ALL ON FUNCTION evidence_first_id(timestamptz), evidence_ensure_partitions(integer),
    evidence_check_voiding(uuid, uuid), evidence_append(text) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'toprope_app') THEN
        REVOKE ALL ON evidence_statement FROM toprope_app;
        GRANT SELECT ON evidence_statement TO toprope_app;
        GRANT EXECUTE ON FUNCTION evidence_append(text), evidence_ensure_partitions(integer) TO toprope_app;
    END IF;
END
$$;

SELECT evidence_ensure_partitions(3);
