"""Keys for the gateway: made and shown once, listed, revoked."""

from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from toprope.authorization.api import Refused, issue_key, list_keys, revoke_key
from toprope.kit.clock import now
from toprope.web.access import person_of

_MADE = "keys_made"
_REMEMBERED = 20


@login_required
@require_safe
@never_cache
def show_keys(request: HttpRequest) -> HttpResponse:
    """My keys, and a form for a new one."""
    context = {"keys": list_keys(person_of(request)), "form_id": uuid4().hex, "base_url": settings.BASE_URL}
    return render(request, "web/learner/keys.html", context)


@login_required
@require_POST
@never_cache
def create(request: HttpRequest) -> HttpResponse:
    """Make a key and show it, this once. The same form sent again makes no second one."""
    form_id = request.POST.get("form_id", "")[:64]
    made = request.session.get(_MADE, [])
    if form_id in made:
        messages.warning(
            request,
            "This form has made its key already, and a key is shown once only. "
            "If you did not copy it, revoke it and make another.",
        )
        return redirect("web:keys")
    try:
        new = issue_key(person_of(request), request.POST.get("label", ""), now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("web:keys")
    request.session[_MADE] = [*made, form_id][-_REMEMBERED:]
    context = {"new": new, "base_url": settings.BASE_URL}
    return render(request, "web/learner/key_made.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Revoke one of my keys."""
    try:
        revoke_key(person_of(request), uuid, now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The key is revoked. The next call with it is refused.")
    return redirect("web:keys")
