"""A Chromium for the browser tests: the system's if there is one, else installed here; `make test` runs this.

`find_chromium` tells the tests which one to drive.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
MAC_APPS = ("Chromium", "Google Chrome", "Microsoft Edge")


def find_chromium() -> str | None:
    """The browser's program: the system's own, else Playwright's; None where there is neither."""
    candidates = [shutil.which(name) for name in NAMES]
    candidates += [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in MAC_APPS]
    candidates.append(_playwrights_own())
    return next((path for path in candidates if path and _runs(path)), None)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _runs(path: str) -> bool:
    """Whether this program starts: without its libraries, or as a mere stand-in, it does not."""
    if not Path(path).exists():
        return False
    outcome = subprocess.run([path, "--version"], capture_output=True, check=False)
    return outcome.returncode == 0


def _ways_to_install() -> list[list[list[str]]]:
    """The ways of this platform, each a list of commands, the likeliest first."""
    ways = []
    if shutil.which("apt-get") and os.geteuid() == 0:
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        ways.append([["apt-get", "update", "-qq"], install])
    if shutil.which("brew"):
        ways.append([["brew", "install", "--quiet", "--cask", "chromium"]])
    ways.append([[sys.executable, "-m", "playwright", "install", "chromium"]])
    return ways


def main() -> int:
    if find_chromium():
        return 0
    tried = []
    for way in _ways_to_install():
        print(f"No Chromium here. Trying: {' '.join(way[-1])}", file=sys.stderr)
        tried.append(" ".join(way[-1]))
        done = all(subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0 for command in way)
        if done and find_chromium():
            return 0
    print(
        "The browser tests need Chromium or Chrome, and it could not be installed. Tried: "
        + "; ".join(tried)
        + ". Install it by hand (its program must be on the PATH), and run `make test` again.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
