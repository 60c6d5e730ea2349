"""Quality of items, persons and tests: what deserves a look, how sure that is, and what chance would do."""
