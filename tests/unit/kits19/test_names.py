import pytest

from medscale.kits19.names import prediction_name


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("case_00000", "prediction_00000.nii.gz"),
        ("case_00209", "prediction_00209.nii.gz"),
        ("case_1", "prediction_case_1.nii.gz"),
        ("smith", "prediction_smith.nii.gz"),
    ],
)
def test_predictions_have_the_official_names(case, name):
    assert prediction_name(case) == name
