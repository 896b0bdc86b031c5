import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio

from medscale.errors import InputError
from medscale.sparse_ct.quality import score_slices

WINDOW = (-1000.0, 1000.0)


@pytest.fixture
def images():
    """A smooth reference within the window and a noisy estimate of it, three slices in HU."""
    rng = np.random.default_rng(0)
    reference = 400 * gaussian_filter(rng.standard_normal((3, 40, 48)), (0, 3, 3)) / 0.1
    reference = np.clip(reference, -900, 900)
    noise = rng.normal(0, [[[10]], [[30]], [[60]]], reference.shape)
    return reference.astype(np.float32), np.clip(reference + noise, -990, 990).astype(np.float32)


def wang_ssim(a, b):
    """SSIM as Wang et al. 2004 write it: sigma 1.5, 11 by 11, C1 = 0.01², C2 = 0.03², without the border."""

    def blur(image):
        return gaussian_filter(image, 1.5, truncate=3.5)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, cov = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 0.01**2) * (2 * cov + 0.03**2)
    bottom = (mean_a**2 + mean_b**2 + 0.01**2) * (var_a + var_b + 0.03**2)
    return (top / bottom)[5:-5, 5:-5].mean()


def test_an_offset_of_a_hundredth_of_the_window_has_forty_decibels():
    reference = np.zeros((1, 16, 16), np.float32)
    (row,) = score_slices(reference, reference + 20, WINDOW).to_dict("records")
    assert row["psnr_db"] == pytest.approx(40, abs=1e-4)
    assert row["rmse_hu"] == pytest.approx(20)
    assert row["data_range"] == 1.0


def test_scores_equal_independent_ones(images):
    scores = score_slices(*images, WINDOW)
    assert list(scores["slice"]) == [0, 1, 2]
    for number, (a, b) in enumerate(zip(*images, strict=True)):
        a, b = ((x.astype(float) + 1000) / 2000 for x in (a, b))
        assert scores["psnr_db"][number] == pytest.approx(
            peak_signal_noise_ratio(a, b, data_range=1), abs=1e-4
        )
        assert scores["ssim"][number] == pytest.approx(wang_ssim(a, b), abs=1e-5)
        assert scores["rmse_hu"][number] == pytest.approx(2000 * np.sqrt(((a - b) ** 2).mean()), rel=1e-6)
    assert scores["psnr_db"].is_monotonic_decreasing
    assert scores["ssim"].is_monotonic_decreasing


def test_the_range_is_the_windows_and_not_the_images(images):
    flat = 0.1 * images[0]
    narrow, wide = (
        score_slices(flat, flat + 5, window)["psnr_db"] for window in ((-500, 500), (-2000, 2000))
    )
    assert (wide - narrow).to_numpy() == pytest.approx(20 * np.log10(4), abs=1e-3)


def test_what_lies_outside_the_window_counts_for_the_rmse_alone():
    reference = np.full((1, 16, 16), -1000, np.float32)
    reference[0, 8:] = 1200
    estimate = np.where(reference > 0, 1800, -1024)
    (row,) = score_slices(reference, estimate, WINDOW).to_dict("records")
    assert row["psnr_db"] == np.inf
    assert row["ssim"] == pytest.approx(1)
    assert row["rmse_hu"] == pytest.approx(np.sqrt((600**2 + 24**2) / 2))


def test_integers_do_not_wrap():
    reference = np.full((1, 16, 16), -1000, np.int16)
    assert score_slices(reference, np.full_like(reference, 32000), WINDOW)["rmse_hu"][0] == 33000


def put_nan(reference, estimate):
    estimate[1, 3, 4] = np.nan
    return reference, estimate, WINDOW


def put_infinity(reference, estimate):
    reference[2, 0, 0] = np.inf
    return reference, estimate, WINDOW


def cut(reference, estimate):
    return reference, estimate[:2], WINDOW


def flatten(reference, estimate):
    return reference[0], estimate[0], WINDOW


def crop(reference, estimate):
    return reference[:, :10], estimate[:, :10], WINDOW


def turn_window(reference, estimate):
    return reference, estimate, WINDOW[::-1]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (put_nan, "reconstruction: found NaN or infinity in slice 1"),
        (put_infinity, "reference: found NaN or infinity in slice 2"),
        (cut, r"\(3, 40, 48\) and \(2, 40, 48\)"),
        (flatten, r"one shape \(slices, rows, columns\)"),
        (crop, "10 by 48 px"),
        (turn_window, "1000 to -1000 HU"),
    ],
)
def test_what_cannot_be_scored_is_refused(images, spoil, message):
    with pytest.raises(InputError, match=message):
        score_slices(*spoil(*images))
