"""Fill an installation for a benchmark: people, and statements through the record's own door.

    TOPROPE_HOME=... python benchmarks/population.py PEOPLE STATEMENTS SESSIONS

Prints one line of JSON: how long it took, how fast statements were recorded, and sessions of some people.
Everybody has accepted the policy and sat FND-01 and SEC-01 again and again; GOV-01 is left to measure with.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module

CHUNK = 5_000
SITTING = 4  # statements: started, two answers, completed


def main(people_count: int, statement_count: int, session_count: int) -> None:
    from toprope.config.session import open_installation  # Django only once it knows its database

    with open_installation():
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

        from toprope.evidence.api import record_statements
        from toprope.kit.clock import now
        from toprope.people import api as people

        moment = now()
        people.create_organisation("Benchmark", now=moment)
        department = people.create_department("d", "D", now=moment)
        team = people.create_team("t", "T", department=department, now=moment)
        everybody = [
            people.Person(
                key=f"p{number}",
                email=f"p{number}@bench.example",
                name=f"Person {number}",
                role="software_engineer",
                team=team,
                password="!",  # noqa: S106 - which no password matches
            )
            for number in range(people_count)
        ]
        people.Person.objects.bulk_create(everybody, batch_size=5_000)
        actors = [person.uuid for person in everybody]

        started, recorded, chunk = time.perf_counter(), 0, []
        for statement in statements(actors, statement_count, moment - timedelta(days=300)):
            chunk.append(statement)
            if len(chunk) == CHUNK:
                recorded += len(record_statements(chunk))
                chunk.clear()
        recorded += len(record_statements(chunk))
        seconds = time.perf_counter() - started

        engine = import_module("django.contrib.sessions.backends.db")
        sessions = []
        for person in random.Random(1).sample(everybody, session_count):
            store = engine.SessionStore()
            store[SESSION_KEY] = str(person.pk)
            store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
            store[HASH_SESSION_KEY] = person.get_session_auth_hash()
            store.create()
            sessions.append(store.session_key)
        print(json.dumps({"recorded": recorded, "seconds": seconds, "sessions": sessions}))


def statements(actors, count, start) -> Iterator:
    """`count` statements, shared out evenly: an acceptance each, then sittings."""
    from toprope.competency.api import current_framework
    from toprope.content.api import current_policy, list_pool
    from toprope.evidence.statement import Context, Object, ObjectType, Result, Statement, Verb
    from toprope.kit.ids import derive_uuid7, uuid7

    reference, policy = current_framework().reference, current_policy()
    pools = {key: list_pool(key, 1) + list_pool(key, 2) for key in ("FND-01", "SEC-01")}
    chance = random.Random(2)
    each = max(1 + SITTING, count // len(actors))

    def accept(actor, when):
        return Statement(
            uuid7(int(when.timestamp() * 1000)),
            actor,
            Verb.ACCEPTED,
            Object(ObjectType.POLICY, policy.key, policy.version),
            when,
            context=Context(framework=reference),
        )

    def sit(actor, number, when):
        key = ("FND-01", "SEC-01")[number % 2]
        step, attempt = f"sitting:{key}:1", uuid7(int(when.timestamp() * 1000))
        context = Context(framework=reference, competency=key, level=1, kind="auto_items", sitting=attempt)
        items = pools[key][:2]
        plan = {"asked": 8, "pool": 2, "pass": 0.75}
        yield Statement(
            attempt,
            actor,
            Verb.STARTED,
            Object(ObjectType.SITTING, step),
            when,
            context=context,
            result=Result(
                response={"items": [item.key for item in items]},
                detail={"kind": "sitting", "title": f"Questions on {key}", **plan},
            ),
        )
        right = [chance.random() < 0.7 for _ in items]
        for item, success in zip(items, right, strict=True):
            choice = item.answer if success else next(o.id for o in item.options if o.id != item.answer)
            yield Statement(
                derive_uuid7(attempt, f"answer:{item.key}"),
                actor,
                Verb.ANSWERED,
                Object(ObjectType.ITEM, item.key, item.version),
                when,
                context=context,
                result=Result(
                    score=float(success),
                    success=success,
                    seconds=30.0,
                    response={"choice": choice, "lines": []},
                    detail={
                        "options": len(item.options),
                        "repeat": number > 1,
                        "misconception": "",
                        "located": None,
                    },
                ),
            )
        yield Statement(
            derive_uuid7(attempt, "completed"),
            actor,
            Verb.COMPLETED,
            Object(ObjectType.SITTING, step),
            when,
            context=context,
            result=Result(
                score=sum(right) / 2,
                success=all(right),
                detail={**plan, "drawn": 2, "critical_misses": 0},
            ),
        )

    for actor in actors:
        yield accept(actor, start)
    for number in range((each - 1) // SITTING):
        when = start + timedelta(hours=number)
        for actor in actors:
            yield from sit(actor, number, when)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
