"""How KiTS19 names its files."""

import re


def prediction_name(case: str) -> str:
    """Return how KiTS19 names the prediction of a case: `case_00000` becomes `prediction_00000.nii.gz`."""
    numbered = re.fullmatch(r"case_(\d{5})", case)
    return f"prediction_{numbered[1] if numbered else case}.nii.gz"
