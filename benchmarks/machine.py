"""The line that says what a figure was measured on."""

import os
import platform
from pathlib import Path

from toprope.config.postgres import VERSION


def machine_line() -> str:
    """Processor, cores that may be used, system and Python, and how busy the machine is just now."""
    info = Path("/proc/cpuinfo")
    names = (
        [line for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    processor = names[0].partition(":")[2].strip() if names else platform.processor()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    versions = f"Python {platform.python_version()}, built-in PostgreSQL {VERSION}"
    return f"{processor}, {cores} cores, {platform.system()}, {versions}{load}"


if __name__ == "__main__":
    print(machine_line())
