"""Run as a program in an installation: people for a load, with sessions and a key. Prints JSON."""

import json
import sys
from importlib import import_module


def main(learners: int) -> None:
    from toprope.config.session import open_installation  # Django only once it knows its database

    with open_installation():
        from django.conf import settings
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from tests.factories import climb, do_step, make_cast, make_person

        from toprope.authorization import api as authorization
        from toprope.kit.clock import now

        def session_of(person) -> str:
            store = import_module(settings.SESSION_ENGINE).SessionStore()
            store[SESSION_KEY] = str(person.pk)
            store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
            store[HASH_SESSION_KEY] = person.get_session_auth_hash()
            store.create()
            return store.session_key

        cast = make_cast(now())
        authorization.admit_tool("echo", "R4", by=cast.gita, now=now())
        climb(cast.amara, "R1", now(), mentor=cast.ben)
        found = {"key": authorization.issue_key(cast.amara, "load", now()).secret, "learners": []}
        for number in range(learners):
            person = make_person(f"Learner{number}", cast.team, now())
            do_step(person, "policy", now())
            found["learners"].append({"uuid": str(person.uuid), "session": session_of(person)})
        print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
