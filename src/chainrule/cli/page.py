"""`chainrule page`: the local page, in the browser."""

from __future__ import annotations

import sys

import click

from chainrule.cli import shared
from chainrule.phrases import LANGUAGES


@click.command("page", cls=shared.Once, short_help="Open a network in the browser: walk, change, try, train, keep.")
@click.argument("what", default="mazur")
@click.option("--port", type=click.IntRange(1, 65_535), metavar="N", help="By default any that is free.")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen; this machine alone by default.")
@click.option("--i-know", is_flag=True, help="With --host: others on the network may reach the page, without encryption.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", help="What the page speaks.")
def command(what: str, port: int | None, host: str, i_know: bool, no_browser: bool, language: str) -> None:
    """Open WHAT in the browser: a spec file (TOML or JSON), the name of a bundled example, a page that was kept (HTML), or a
    recorded run's folder.

    The page is served by this command, on this machine, until Ctrl-C. Its address works once; when it is needed again, a
    fresh one is printed.
    """
    from chainrule.page.listening import is_loopback

    if not is_loopback(host):
        if not i_know:
            raise click.UsageError(
                "--host other than 127.0.0.1 lets others on the network reach the page, and read what goes to and fro - "
                "leave it out, or add --i-know"
            )
        click.echo("warning: others on the network can reach the page, and read what goes to and fro", err=True)
    from chainrule.page.serving import serve

    sys.exit(serve(what, host, port, language, not no_browser))
