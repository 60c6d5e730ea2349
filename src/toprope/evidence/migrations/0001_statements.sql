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
CREATE INDEX evidence_statement_voids ON evidence_statement (actor, voids) WHERE voids IS NOT NULL;

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

-- Statements in the order given, read as far as recording needs.
CREATE FUNCTION evidence_read(bodies text[]) RETURNS TABLE ("position" bigint, id uuid, body text, statement jsonb)
    LANGUAGE sql IMMUTABLE ROWS 100 SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT b.position, (s ->> 'id')::uuid, b.body, s
    FROM unnest(bodies) WITH ORDINALITY AS b (body, position), CAST(b.body AS jsonb) AS s
$$;

-- Makes the partitions from `months_back` before this month to `months_ahead` after it; gives how many were made.
-- Row triggers come from the parent, TRUNCATE triggers do not. A month whose statements already lie in the default
-- partition stays there: taking them out would be a deletion. Long readers make this give up, not wait: whoever
-- comes after a waiting ACCESS EXCLUSIVE lock would wait too.
CREATE FUNCTION evidence_ensure_partitions(months_ahead integer, months_back integer DEFAULT 0) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s'
AS $$
DECLARE
    month timestamptz;
    lower_bound uuid;
    upper_bound uuid;
    name text;
    made integer := 0;
BEGIN
    IF (months_ahead BETWEEN 0 AND 120 AND months_back BETWEEN 0 AND 120) IS NOT TRUE THEN
        RAISE EXCEPTION 'months_ahead is %, months_back is %; give 0 to 120', months_ahead, months_back
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR offset_months IN -months_back .. months_ahead LOOP
        month := date_add(date_trunc('month', now(), 'UTC'), make_interval(months => offset_months), 'UTC');
        name := to_char(month AT TIME ZONE 'UTC', '"m"YYYY_MM');
        lower_bound := evidence_first_id(month);
        upper_bound := evidence_first_id(date_add(month, interval '1 month', 'UTC'));
        CONTINUE WHEN to_regclass('evidence_months.' || name) IS NOT NULL;
        LOCK TABLE evidence_statement IN ACCESS EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('evidence_months.' || name) IS NOT NULL OR EXISTS (
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

-- The audit entry's payload for a statement. Who did it: the person who vouches for the statement, or, where Toprope
-- itself does, the person it is about.
CREATE FUNCTION evidence_audit_payload(body text, statement jsonb) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT json_build_object(
        'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
        'tag', 'statement.recorded',
        'actor', statement ->> CASE WHEN statement ->> 'authority' IN ('toprope', 'gateway') THEN 'actor' ELSE 'authority' END,
        'subject', statement ->> 'id',
        'detail', json_build_object(
            'digest', encode(sha256(convert_to(body, 'UTF8')), 'hex'),
            'verb', statement ->> 'verb',
            'object', concat_ws(':', statement #>> '{object,type}', statement #>> '{object,key}')
        )
    )::text
$$;

-- Raises where one of the statements after `after_seq` voids what it may not void.
CREATE FUNCTION evidence_check_voiding(after_seq bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    complaint text;
BEGIN
    SELECT CASE
        WHEN target.id IS NULL OR target.seq > v.seq THEN format('statement %s is not on record; it cannot be voided', v.voids)
        WHEN target.voids IS NOT NULL THEN format('statement %s voids another; it cannot be voided itself', v.voids)
        WHEN target.actor <> v.actor THEN format('statement %s is about another person than the one voiding it', v.voids)
        ELSE format('statement %s is voided already', v.voids)
    END INTO complaint
    FROM evidence_statement v LEFT JOIN evidence_statement target ON target.id = v.voids
    WHERE v.seq > after_seq AND v.voids IS NOT NULL AND (
        target.id IS NULL OR target.seq > v.seq OR target.voids IS NOT NULL OR target.actor <> v.actor
        OR EXISTS (
            SELECT FROM evidence_statement earlier
            WHERE earlier.actor = v.actor AND earlier.voids = v.voids AND earlier.seq < v.seq
        )
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', complaint USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- Records statements in their order; `position` counts them from 1. Outcomes: `recorded`, `duplicate` (the same
-- statement was there), `conflict` (another one has its id). `hash` is that of the audit entry where the statement
-- was recorded, for the witness; null where it was there before. Planning for all partitions takes longer than
-- recording one statement, so the plans are made once a session.
CREATE FUNCTION evidence_append_all(bodies text[])
    RETURNS TABLE ("position" bigint, seq bigint, outcome text, hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    last_seq bigint;
    fresh text[];
    payloads text[];
BEGIN
    PERFORM audit_lock();
    SELECT coalesce(max(e.seq), 0) INTO last_seq FROM audit_entry e;

    -- What is new: ids that are not on record, each the first time it comes up.
    SELECT
        coalesce(array_agg(f.body ORDER BY f.position), '{}'),
        coalesce(array_agg(evidence_audit_payload(f.body, f.statement) ORDER BY f.position), '{}')
    INTO fresh, payloads
    FROM (
        SELECT DISTINCT ON (s.id) s.*
        FROM evidence_read(bodies) s
        WHERE NOT EXISTS (SELECT FROM evidence_statement known WHERE known.id = s.id)
        ORDER BY s.id, s.position
    ) f;

    INSERT INTO evidence_statement (
        id, seq, actor, verb, object_type, object_key, "timestamp", authority, sitting, voids, digest, body
    )
    SELECT s.id, r.seq, (statement ->> 'actor')::uuid, statement ->> 'verb', statement #>> '{object,type}',
        statement #>> '{object,key}', (statement ->> 'timestamp')::timestamptz, statement ->> 'authority',
        (statement #>> '{context,sitting}')::uuid, (statement #>> '{context,voids}')::uuid,
        sha256(convert_to(s.body, 'UTF8')), s.body
    FROM audit_append_all(payloads) WITH ORDINALITY AS r (seq, hash, position)
    JOIN evidence_read(fresh) s USING (position);
    PERFORM evidence_check_voiding(last_seq);

    RETURN QUERY
        SELECT s.position, known.seq,
            CASE
                WHEN known.body <> s.body THEN 'conflict'
                WHEN known.seq > last_seq AND s.position = min(s.position) OVER (PARTITION BY s.id) THEN 'recorded'
                ELSE 'duplicate'
            END,
            e.hash
        FROM evidence_read(bodies) s
        JOIN evidence_statement known ON known.id = s.id
        LEFT JOIN audit_entry e ON e.seq = known.seq AND e.seq > last_seq
        ORDER BY s.position;
END
$$;

CREATE FUNCTION evidence_append(body text) RETURNS TABLE (seq bigint, outcome text, hash bytea)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT seq, outcome, hash FROM evidence_append_all(ARRAY[body])
$$;

REVOKE ALL ON evidence_statement FROM PUBLIC;
REVOKE ALL ON FUNCTION evidence_first_id(timestamptz), evidence_read(text[]),
    evidence_ensure_partitions(integer, integer), evidence_audit_payload(text, jsonb), evidence_check_voiding(bigint),
    evidence_append_all(text[]), evidence_append(text) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'toprope_app') THEN
        REVOKE ALL ON evidence_statement FROM toprope_app;
        GRANT SELECT ON evidence_statement TO toprope_app;
        GRANT EXECUTE ON FUNCTION evidence_append_all(text[]), evidence_append(text),
            evidence_ensure_partitions(integer, integer) TO toprope_app;
    END IF;
END
$$;

SELECT evidence_ensure_partitions(3);
