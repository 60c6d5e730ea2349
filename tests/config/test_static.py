"""Static files are collected once per version."""

import json

import pytest
from django.contrib.staticfiles import finders

from toprope.config.static import collect_static


@pytest.fixture
def sources(settings, tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "page.css").write_text("body { background: url(dot.svg) }\n" * 50)
    (tmp_path / "source" / "dot.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "static"
    finders.get_finder.cache_clear()
    yield tmp_path / "source"
    finders.get_finder.cache_clear()


@pytest.mark.usefixtures("sources")
def test_they_are_collected_hashed_and_compressed_once(settings):
    assert collect_static()
    names = json.loads((settings.STATIC_ROOT / "staticfiles.json").read_text())["paths"]
    page = settings.STATIC_ROOT / names["page.css"]
    assert names["dot.svg"] in page.read_text()
    assert page.with_name(page.name + ".gz").exists()
    assert not collect_static()


def test_a_change_collects_them_anew_and_forgets_the_old(sources, settings):
    collect_static()
    before = {path.name for path in settings.STATIC_ROOT.iterdir()}
    (sources / "dot.svg").unlink()
    (sources / "page.css").write_text("body { color: red }")
    assert collect_static()
    after = {path.name for path in settings.STATIC_ROOT.iterdir()}
    assert {name for name in before & after if "." in name.strip(".")} == {"page.css", "staticfiles.json"}
    assert not [name for name in after if name.startswith("dot")]
    assert not collect_static()
