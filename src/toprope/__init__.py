"""Toprope: graduated access to AI coding tools."""

__version__ = "0.1.0"
