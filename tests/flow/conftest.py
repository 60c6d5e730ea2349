"""A browser for the flows."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for an installation. As root the database has an account of its own, which has to get
    there; pytest keeps its own directories closed.
    """
    with tempfile.TemporaryDirectory(prefix="toprope-flow-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-sync",
                "--disable-component-update",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium) -> Iterator[Callable[[str], Page]]:
    """Pages of persons who do not share a session."""
    contexts = []

    def make(base_url: str) -> Page:
        context = chromium.new_context(base_url=base_url)
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
