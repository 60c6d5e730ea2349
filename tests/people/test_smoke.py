import pytest

from toprope.people.models import Organisation


@pytest.mark.django_db
def test_org():
    Organisation.objects.create(name="x")
