"""Styles, scripts and pictures, collected once per version into the installation's directory."""

import hashlib
import shutil
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from servestatic.storage import CompressedManifestStaticFilesStorage


def collect_static() -> bool:
    """Collect the files with hashed names and compressed copies, unless what is there is current."""
    target = Path(settings.STATIC_ROOT)
    sources = [
        (name, Path(storage.path(name))) for finder in get_finders() for name, storage in finder.list([".*"])
    ]
    digest = hashlib.sha256()
    for name, path in sorted(sources):
        facts = path.stat()
        digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    stamp = target / ".collected"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return False
    draft = target.with_name(target.name + ".new")
    for old in (draft, target):
        shutil.rmtree(old, ignore_errors=True)
    for name, path in sources:
        copy = draft / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    storage = CompressedManifestStaticFilesStorage(location=draft, base_url=settings.STATIC_URL)
    for _name, _hashed, outcome in storage.post_process({name: (storage, name) for name, _path in sources}):
        if isinstance(outcome, Exception):
            raise outcome
    (draft / stamp.name).write_text(digest.hexdigest())
    draft.rename(target)
    return True
