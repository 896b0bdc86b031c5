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
    _add_ct_sheet(commands)
    _add_kits19_sheet(commands)
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
    _add_division(parser, "train_network, train_staging or test")
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


def _add_ct_sheet(commands) -> None:
    parser = commands.add_parser("ct_sheet", help="write the CT sheet of folders with DICOM and NIfTI files")
    parser.add_argument("places", nargs="+", metavar="FOLDER|FILE", help="where CT images lie")
    parser.add_argument("--output", required=True, help="the sheet to write, such as ct_images.csv")
    _add_division(parser, "train, validation or test")
    _add_validation_share(parser)
    parser.set_defaults(run=_run_ct_sheet)


def _run_ct_sheet(chosen: argparse.Namespace) -> None:
    from medscale.files.tables import write_table
    from medscale.sparse_ct.ct_sheet import make_ct_sheet

    fixed = dict(_pair(text) for text in chosen.split)
    shares = {"test_share": chosen.test_share, "validation_share": chosen.validation_share}
    sheet = make_ct_sheet(chosen.places, splits=fixed, **shares, seed=chosen.seed)
    write_table(sheet, chosen.output)
    counts = sheet.groupby("split").agg(patients=("patient", "nunique"), images=("image", "size"))
    logging.info("%s: %d images\n%s", chosen.output, len(sheet), counts.to_string())


def _add_kits19_sheet(commands) -> None:
    parser = commands.add_parser("kits19_sheet", help="write the case sheet of a KiTS19 folder")
    parser.add_argument("folder", help="folder with case_00000 and so on, and kits.json")
    parser.add_argument("--output", required=True, help="the sheet to write, such as cases.csv")
    parser.add_argument(
        "--thesis-split",
        action="store_true",
        help="train on cases 0-119 and 140-199, validate on 120-139, test on 200-209",
    )
    _add_division(parser, "train, validation or test")
    _add_validation_share(parser)
    parser.set_defaults(run=_run_kits19_sheet)


def _run_kits19_sheet(chosen: argparse.Namespace) -> None:
    from medscale.files.tables import write_table
    from medscale.kits19.case_sheet import make_case_sheet

    sheet = make_case_sheet(
        chosen.folder,
        thesis_split=chosen.thesis_split,
        splits=dict(_pair(text) for text in chosen.split),
        test_share=chosen.test_share,
        validation_share=chosen.validation_share,
        seed=chosen.seed,
    )
    write_table(sheet, chosen.output)
    counts = sheet.groupby("split").agg(cases=("case", "size"))
    counts["labelled"] = (sheet["segmentation"] != "").groupby(sheet["split"]).sum()
    logging.info("%s: %d cases\n%s", chosen.output, len(sheet), counts.to_string())


def _add_validation_share(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--validation-share", type=float, default=0.1, help="share of the patients drawn for validation (0.1)"
    )


def _add_division(parser: argparse.ArgumentParser, splits: str) -> None:
    parser.add_argument(
        "--split",
        action="append",
        default=[],
        metavar="PATIENT=SPLIT",
        help=f"fix a patient's split ({splits}); may be repeated",
    )
    parser.add_argument(
        "--test-share", type=float, default=0.2, help="share of the patients drawn for test (0.2)"
    )
    parser.add_argument("--seed", type=int, default=0, help="draws these patients (0)")


def _pair(text: str) -> tuple[str, str]:
    patient, equals, split = text.partition("=")
    if not equals:
        raise InputError(
            "--split", repr(text), "PATIENT=SPLIT, such as patient_910=test", "Correct the option."
        )
    return patient, split


if __name__ == "__main__":
    sys.exit(main())
