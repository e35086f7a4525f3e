"""`chainrule examples`: what comes with the package."""

from __future__ import annotations

import click


@click.command("examples", short_help="List the bundled examples, or print one.")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the bundled examples, or print the spec of one, to start your own from."""
    from chainrule.spec import example_names, example_text, load_example

    if name is not None:
        click.echo(example_text(name), nl=False)
        return
    names = example_names()
    widest = max(len(each) for each in names)
    for each in names:
        example = load_example(each)
        sizes = "-".join(str(n) for n in (example.network.inputs, *example.network.widths))
        click.echo(f"{each.ljust(widest)}   {sizes.ljust(7)}   {example.title}")
