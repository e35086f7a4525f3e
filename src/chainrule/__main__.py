"""`python -m chainrule`, and the command itself: an interrupt while it still loads ends it quietly too."""

import sys


def run() -> None:
    """Loads the command line and runs it."""
    try:
        from chainrule.cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
