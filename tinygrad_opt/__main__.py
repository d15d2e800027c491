"""The command line: ``python -m tinygrad_opt compare`` and its kin."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from . import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives its exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted."""
    from .study.command import add_commands

    parser = argparse.ArgumentParser(prog="tinygrad_opt", description="Autodiff and optimizers, from the command line.")
    parser.add_argument("--version", action="version", version=f"tinygrad_opt {__version__}")
    add_commands(parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND"))
    parsed = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, e.g. head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
