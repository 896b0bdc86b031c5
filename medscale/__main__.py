"""Commands beside the workflow: `python -m medscale COMMAND`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from medscale.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 1 after an error that was explained."""
    parser = argparse.ArgumentParser(prog="python -m medscale", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_camelyon17(commands)
    _add_ct_sheet(commands)
    _add_kits19_sheet(commands)
    _add_kits19_case(commands)
    _add_scan_sheet(commands)
    _add_subject_sheet(commands)
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


def _add_kits19_case(commands) -> None:
    parser = commands.add_parser("kits19_case", help="bring labelled CT that is not KiTS19's into its layout")
    parser.add_argument("imaging", help="the CT: a NIfTI file, or a folder with grey PNGs of its slices")
    parser.add_argument("segmentation", help="its labels: a NIfTI file, or PNGs of the same names")
    parser.add_argument(
        "--kidney", nargs="+", required=True, metavar="LABEL", help="labels: numbers, or R,G,B in PNGs"
    )
    parser.add_argument(
        "--tumour", nargs="+", default=[], metavar="LABEL", help="labels; all others are background"
    )
    parser.add_argument(
        "--window", nargs=2, type=float, metavar=("LOW", "HIGH"), help="HU of black and white in PNGs"
    )
    parser.add_argument(
        "--spacing",
        nargs=3,
        type=float,
        metavar=("SLICE", "ROW", "COLUMN"),
        help="mm between slices, rows and columns of PNGs (1 1 1)",
    )
    parser.add_argument("--output", required=True, help="the folder to write, such as cases/case_10036")
    parser.set_defaults(run=_run_kits19_case)


def _run_kits19_case(chosen: argparse.Namespace) -> None:
    from medscale.kits19.other_cases import make_case_from_pictures, make_case_from_volumes

    places = chosen.imaging, chosen.segmentation, chosen.output
    pictures = Path(chosen.imaging).is_dir()
    labels = {
        name: [_label(text, f"--{name}", 3 if pictures else 1) for text in getattr(chosen, name)]
        for name in ("kidney", "tumour")
    }
    if pictures and not chosen.window:
        mend = "Give the window that the pictures were made with, or that you take for it."
        raise InputError("--window", "none", "what black and white mean in HU: no PNG tells", mend)
    if not pictures and (chosen.window or chosen.spacing):
        found, expected = "--window or --spacing with a NIfTI file", "them with folders of PNGs alone"
        raise InputError(chosen.imaging, found, expected, "Leave them out: the file has its own.")
    if pictures:
        spacing_mm = tuple(chosen.spacing or (1.0, 1.0, 1.0))
        make_case_from_pictures(*places, **labels, window_hu=tuple(chosen.window), spacing_mm=spacing_mm)
    else:
        make_case_from_volumes(*places, **{name: [one for (one,) in own] for name, own in labels.items()})


def _add_scan_sheet(commands) -> None:
    parser = commands.add_parser("scan_sheet", help="write the sheet of brain MR or breast ultrasound images")
    parser.add_argument("folder", help="folder with yes/ and no/, or with benign/, malignant/ and normal/")
    parser.add_argument("--output", required=True, help="the sheet to write, such as scans.csv")
    parser.add_argument("--duplicates", metavar="FILE", help="also write the pairs of duplicates, as CSV")
    parser.add_argument(
        "--no-guard",
        action="store_true",
        help="draw single images, so that duplicates of a picture may lie in train and test",
    )
    _add_class_shares(parser)
    parser.set_defaults(run=_run_scan_sheet)


def _run_scan_sheet(chosen: argparse.Namespace) -> None:
    from medscale.files.tables import write_table
    from medscale.scans.scan_sheet import divide_scans, survey_scans
    from medscale.scans.sheets import count_leaked

    scans, pairs = survey_scans(chosen.folder)
    shares = {"test_share": chosen.test_share, "validation_share": chosen.validation_share}
    sheet = divide_scans(scans, guard=not chosen.no_guard, **shares, seed=chosen.seed)
    write_table(sheet, chosen.output)
    if chosen.duplicates:
        write_table(pairs, chosen.duplicates)
    counts = sheet.groupby(["split", "class"]).agg(images=("image", "size"), groups=("group", "nunique"))
    logging.info("%s: %d images\n%s", chosen.output, len(sheet), counts.to_string())
    found = f"{len(pairs)} pairs of duplicates, {int(pairs['exact'].sum())} of them exact"
    logging.info("%s; %d test images have one in train", found, count_leaked(sheet))


def _add_subject_sheet(commands) -> None:
    parser = commands.add_parser("subject_sheet", help="write the sheet of brain volumes with age and sex")
    parser.add_argument("participants", help="CSV or TSV with a line for each subject, with its age and sex")
    parser.add_argument(
        "--image",
        action="append",
        required=True,
        metavar="CHANNEL=PATTERN",
        help="files of t1, t2 or flair, with columns in braces: t1=t1/{MRID}_T1.nii.gz; may be repeated",
    )
    classes = parser.add_mutually_exclusive_group(required=True)
    classes.add_argument("--class", dest="label", metavar="COLUMN", help="the column that names the classes")
    classes.add_argument(
        "--class-above", metavar="COLUMN=NUMBER", help="two classes: above the number, and not above it"
    )
    parser.add_argument("--output", required=True, help="the sheet to write, such as subjects.csv")
    _add_class_shares(parser)
    parser.set_defaults(run=_run_subject_sheet)


def _run_subject_sheet(chosen: argparse.Namespace) -> None:
    from medscale.files.tables import write_table
    from medscale.scans.subject_sheet import ClassRule, make_subject_sheet

    example = "CHANNEL=PATTERN, such as t1=t1/{MRID}_T1.nii.gz"
    images = dict(_pair(text, "--image", example) for text in chosen.image)
    rule = ClassRule(chosen.label)
    if chosen.class_above:
        column, number = _pair(chosen.class_above, "--class-above", "COLUMN=NUMBER, such as Age=80")
        rule = ClassRule(column, _number(number, "--class-above"))
    shares = {"test_share": chosen.test_share, "validation_share": chosen.validation_share}
    sheet = make_subject_sheet(chosen.participants, images, rule, **shares, seed=chosen.seed)
    write_table(sheet, chosen.output)
    counts = sheet.groupby(["split", "class"]).agg(subjects=("subject", "size"))
    logging.info("%s: %d subjects\n%s", chosen.output, len(sheet), counts.to_string())


def _add_class_shares(parser: argparse.ArgumentParser) -> None:
    for split, share in (("test", 0.2), ("validation", 0.1)):
        parser.add_argument(
            f"--{split}-share", type=float, default=share, help=f"share of each class for {split} ({share})"
        )
    parser.add_argument("--seed", type=int, default=0, help="draws the splits (0)")


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


def _pair(
    text: str, option: str = "--split", expected: str = "PATIENT=SPLIT, such as patient_910=test"
) -> tuple[str, str]:
    """Return what stands before and after the first equals sign of an option's value."""
    first, equals, second = text.partition("=")
    if not equals:
        raise InputError(option, repr(text), expected, "Correct the option.")
    return first, second


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(
            option, repr(text), "a number after the equals sign", "Correct the option."
        ) from None


def _label(text: str, option: str, numbers: int) -> tuple[int, ...]:
    """Return the whole number of a label, or the three of a colour."""
    parts = text.split(",")
    if len(parts) != numbers or not all(part.isdecimal() for part in parts):
        expected = "a number, such as 2" if numbers == 1 else "a colour, such as 0,0,255"
        raise InputError(option, repr(text), expected, "Correct the option.")
    return tuple(map(int, parts))


if __name__ == "__main__":
    sys.exit(main())
