"""The `toprope` command. Each command imports what it needs when it runs, so that `--help` is quick."""

import click

from toprope import __version__
from toprope.config.commands.bench import bench
from toprope.config.commands.calibrate import calibrate
from toprope.config.commands.framework import framework
from toprope.config.commands.people import key, person
from toprope.config.commands.record import audit, rebuild
from toprope.config.commands.running import demo, echo_provider, migrate, serve, status
from toprope.config.commands.standard import standard


class Commands(click.Group):
    """The commands, with the exit codes told once."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl(
                [
                    ("0", "done"),
                    ("1", "done, and found what it looks for (tampering, errors), or refused"),
                    ("2", "the command was not used as --help says"),
                    ("3", "something Toprope needs is missing or in the way; the message says what to do"),
                ]
            )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="Toprope")
def main() -> None:
    """Toprope: graduated access to AI coding tools.

    \b
    Start here:
      toprope serve --demo      an organisation to look around in
      toprope serve             a real one; `toprope person create` makes its first person

    Everything an installation keeps on disk is in TOPROPE_HOME, `./var` where it is not set.
    """


for command in (
    serve,
    status,
    migrate,
    demo,
    person,
    key,
    framework,
    audit,
    calibrate,
    standard,
    rebuild,
    echo_provider,
    bench,
):
    main.add_command(command)
