"""Commands beside the workflow: `python -m medscale COMMAND`."""

import argparse
import logging
import sys
from collections.abc import Sequence

from medscale.commands import camelyon17, ct_sheet, kits19_case, kits19_sheet, scan_sheet, subject_sheet
from medscale.errors import InputError

COMMANDS = (camelyon17, ct_sheet, kits19_sheet, kits19_case, scan_sheet, subject_sheet)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 1 after an error that was explained."""
    parser = argparse.ArgumentParser(prog="python -m medscale", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add(commands)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    try:
        chosen.run(chosen)
    except InputError as error:
        logging.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
