"""Addresses of the pages, by reader. Mounted at the root by `config.urls`."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from toprope.web import (
    boards,
    evidence,
    governance,
    keys,
    learner,
    measuring,
    mentor,
    practice,
    session,
    supervising,
)
from toprope.web.rest import api

app_name = "web"


def make_patterns(*, demo: bool) -> list[URLPattern | URLResolver]:
    """All pages; the persona switcher only in a demo."""
    personas = [path("personas/", session.switch_persona, name="personas")] if demo else []
    return [
        path("", learner.show_home, name="home"),
        path("sign-in/", session.show_sign_in, name="sign-in"),
        path("sign-out/", session.sign_out, name="sign-out"),
        *personas,
        path("policy/", learner.show_policy, name="policy"),
        path("policy/accept/", learner.accept, name="accept-policy"),
        path("ladder/", learner.show_ladder, name="ladder"),
        path("ladder/<str:key>/", learner.show_rung, name="rung"),
        path("competencies/", learner.show_competencies, name="competencies"),
        path("competencies/<str:key>/", learner.show_competency, name="competency"),
        path("competencies/<str:key>/estimate/", learner.show_estimate, name="estimate"),
        path("practice/start/", learner.start, name="start"),
        path("practice/<uuid:attempt>/", practice.show_attempt, name="attempt"),
        path("practice/<uuid:attempt>/answer/", practice.answer, name="answer"),
        path("practice/<uuid:attempt>/hand-in/", practice.hand_in, name="hand-in"),
        path("evidence/", evidence.show_list, name="evidence"),
        path("evidence/<uuid:uuid>/", evidence.show_statement, name="statement"),
        path("keys/", keys.show_keys, name="keys"),
        path("keys/new/", keys.create, name="new-key"),
        path("keys/<uuid:uuid>/revoke/", keys.revoke, name="revoke-key"),
        path("people/", mentor.show_people, name="people"),
        path("people/<uuid:uuid>/", mentor.show_person, name="person"),
        path("people/<uuid:uuid>/evidence/", evidence.show_list_of, name="person-evidence"),
        path("people/<uuid:uuid>/rungs/<str:rung>/suspend/", mentor.suspend, name="suspend"),
        path("people/<uuid:uuid>/rungs/<str:rung>/reinstate/", mentor.reinstate, name="reinstate"),
        path("people/<uuid:uuid>/rungs/<str:rung>/decide/", supervising.decide, name="decide"),
        path("people/<uuid:uuid>/note/", supervising.note, name="note"),
        path("people/<uuid:uuid>/assess/", supervising.assess, name="assess"),
        path("ratings/", mentor.show_queue, name="ratings"),
        path("ratings/<uuid:attempt>/", mentor.rate, name="rating"),
        path("ceilings/", governance.show_ceilings, name="ceilings"),
        path("ceilings/hold/", governance.hold, name="place-hold"),
        path("ceilings/lift/", governance.lift, name="lift-hold"),
        path("ceilings/tool/", governance.set_tool, name="set-tool"),
        path("ceilings/repository/", governance.set_repository_ceiling, name="set-repository"),
        path("boards/", boards.show_boards, name="boards"),
        path("boards/panel/", boards.panel, name="record-panel"),
        path("boards/data/", boards.data_approval, name="approve-data"),
        path("boards/emergency/", boards.emergency, name="grant-emergency"),
        path("boards/emergency/<uuid:uuid>/review/", boards.review, name="review-emergency"),
        path("measurement/", measuring.show_measurement, name="measurement"),
        path("record/", governance.show_record, name="record"),
        path("record/verify/", governance.verify_record, name="verify"),
        path("api/", api.urls),
    ]


urlpatterns = make_patterns(demo=settings.DEMO)
