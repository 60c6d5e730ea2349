"""What an operator can mend: told in one sentence with its cure, without a traceback."""

import click

EXIT_FOUND = 1  # the command did its work and found what it looks for: tampering, errors in a pack
EXIT_PROBLEM = 3  # something Toprope needs is missing or in the way


class Problem(click.ClickException):
    """Something outside the program is missing or in the way. `message` names the place and the cure."""

    exit_code = EXIT_PROBLEM
