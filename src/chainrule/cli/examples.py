"""`chainrule examples`: what comes with the package."""

from __future__ import annotations

import click


@click.command("examples", short_help="List the bundled examples, or print one.")
@click.argument("name", required=False)
@click.option("--answers", is_flag=True, help="Print the numbers that the example's source prints, to be checked.")
def command(name: str | None, answers: bool) -> None:
    """List the bundled examples, or print the spec of one, to start your own from."""
    from chainrule.spec import example_names, example_text, load_example

    if answers:
        from chainrule.marking.answers import answers_text

        if name is None:
            raise click.UsageError("--answers needs the name of an example")
        click.echo(answers_text(name), nl=False)
        return
    if name is not None:
        click.echo(example_text(name), nl=False)
        return
    names = example_names()
    widest = max(len(each) for each in names)
    for each in names:
        example = load_example(each)
        sizes = "-".join(str(n) for n in (example.network.inputs, *example.network.widths))
        click.echo(f"{each.ljust(widest)}   {sizes.ljust(7)}   {example.title}")
