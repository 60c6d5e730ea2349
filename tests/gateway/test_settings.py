"""A setting that cannot be used stops the gateway with its name and the cure, and never tells a password."""

from pathlib import Path

import pytest

from toprope.gateway.settings import Settings, SettingsError, load_settings


def test_an_empty_environment_has_defaults():
    settings = load_settings({})
    assert settings.provider_timeout == 120
    assert settings.body_limit == 8 * 1024 * 1024
    assert settings.home == Path("var").resolve()


def test_the_environment_is_read(tmp_path):
    settings = load_settings(
        {
            "DATABASE_URL": "postgresql://me:secret@db.example/toprope",
            "TOPROPE_HOME": str(tmp_path),
            "TOPROPE_BASE_URL": "https://toprope.example/",
            "TOPROPE_PROVIDER_URL": "https://models.example/v1/",
            "TOPROPE_PROVIDER_KEY": " sk-1\n",
            "TOPROPE_PROVIDER_TIMEOUT": "2.5",
            "TOPROPE_BODY_LIMIT": "1000",
        }
    )
    assert settings == Settings(
        database_url="postgresql://me:secret@db.example/toprope",
        home=tmp_path,
        base_url="https://toprope.example",
        provider_url="https://models.example/v1",
        provider_key="sk-1",
        provider_timeout=2.5,
        body_limit=1000,
    )
    assert "secret" not in repr(settings)
    assert "sk-1" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://me:hunter2@[::1/toprope"),
        ("DATABASE_URL", "nonsense=hunter2 x"),
        ("TOPROPE_BASE_URL", "toprope.example"),
        ("TOPROPE_PROVIDER_URL", "ftp://models.example"),
        ("TOPROPE_PROVIDER_URL", "https://models.example/v1?key=1"),
        ("TOPROPE_PROVIDER_URL", "https:///v1"),
        ("TOPROPE_PROVIDER_TIMEOUT", "soon"),
        ("TOPROPE_PROVIDER_TIMEOUT", "0"),
        ("TOPROPE_PROVIDER_TIMEOUT", "nan"),
        ("TOPROPE_PROVIDER_TIMEOUT", "inf"),
        ("TOPROPE_BODY_LIMIT", "-1"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_cure(name, value):
    with pytest.raises(SettingsError, match=f"^{name} is .*write") as raised:
        load_settings({name: value})
    assert "hunter2" not in str(raised.value)
