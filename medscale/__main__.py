"""Commands beside the workflow: `python -m medscale COMMAND`."""

import argparse
import logging
import sys
from collections.abc import Sequence

from medscale.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 1 after an error that was explained."""
    parser = argparse.ArgumentParser(prog="python -m medscale", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_camelyon17(commands)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    try:
        chosen.run(chosen)
    except InputError as error:
        logging.error("%s", error)
        return 1
    return 0


def _add_camelyon17(commands) -> None:
    parser = commands.add_parser("camelyon17", help="write the slide sheet of a CAMELYON17 folder")
    parser.add_argument("folder", help="folder with slides, annotations and the label file")
    parser.add_argument("--output", required=True, help="the sheet to write, such as slides.csv")
    parser.add_argument(
        "--split",
        action="append",
        default=[],
        metavar="PATIENT=SPLIT",
        help="fix a patient's split (train_network, train_staging or test); may be repeated",
    )
    parser.add_argument(
        "--test-share", type=float, default=0.2, help="share of the patients drawn for test (0.2)"
    )
    parser.add_argument("--seed", type=int, default=0, help="draws the test patients (0)")
    parser.set_defaults(run=_run_camelyon17)


def _run_camelyon17(chosen: argparse.Namespace) -> None:
    from medscale.pathology.camelyon17 import (
        find_label_file,
        make_camelyon17_sheet,
        write_sheet_with_labels_digest,
    )

    fixed = dict(_pair(text) for text in chosen.split)
    sheet = make_camelyon17_sheet(chosen.folder, splits=fixed, test_share=chosen.test_share, seed=chosen.seed)
    write_sheet_with_labels_digest(sheet, chosen.output, find_label_file(chosen.folder))
    counts = sheet.groupby("split").agg(patients=("patient", "nunique"), slides=("slide", "size"))
    counts["annotated"] = (sheet["annotation"] != "").groupby(sheet["split"]).sum()
    logging.info("%s: %d slides\n%s", chosen.output, len(sheet), counts.to_string())


def _pair(text: str) -> tuple[str, str]:
    patient, equals, split = text.partition("=")
    if not equals:
        raise InputError(
            "--split", repr(text), "PATIENT=SPLIT, such as patient_910=test", "Correct the option."
        )
    return patient, split


if __name__ == "__main__":
    sys.exit(main())
