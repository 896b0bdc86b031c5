import copy

import numpy as np
import pandas as pd
import pytest

from medscale.pathology.patch_data import OPEN_SLIDES, OpenSlides, PatchDataset, SlideFiles, load_batches
from medscale.pathology.slides import Slide
from medscale.phantoms.slide_files import write_pyramid


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("slides"), np.random.default_rng(0)
    paths = {}
    for name in ("a", "b"):
        paths[name] = folder / f"{name}.tif"
        write_pyramid(rng.integers(0, 255, (512, 640, 3), dtype=np.uint8), paths[name], 2.0, 90)
    return SlideFiles(paths)


@pytest.fixture
def manifest():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"slide": ["a", "b"] * 10, "x": rng.integers(0, 500, 20), "y": rng.integers(0, 400, 20)}
    )
    table = table.assign(size_px=64, mpp=2.0, label=rng.integers(0, 2, 20), seed=np.arange(20))
    copies = table.iloc[:5].assign(seed=99)
    return pd.concat([table, copies], ignore_index=True).assign(augmentation=np.arange(25) % 8)


@pytest.mark.parametrize("memory_gb", [0.0, 1.0])
def test_batches_hold_the_pixels_labels_and_seeds_of_their_rows(files, manifest, memory_gb):
    dataset = PatchDataset(manifest, files, memory_gb)
    assert dataset.is_in_memory == (memory_gb > 0)
    rows = [24, 3, 3, 0]
    batch = dataset[rows]
    assert batch.images.shape == (4, 3, 64, 64)
    for image, row in zip(batch.images, rows, strict=True):
        patch = manifest.iloc[row]
        with Slide(files.paths[patch["slide"]]) as slide:
            expected = slide.read(patch["x"], patch["y"], 64, 64, 2.0)
        np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), expected)
    np.testing.assert_array_equal(batch.labels, manifest["label"].iloc[rows])
    np.testing.assert_array_equal(batch.elements, manifest["augmentation"].iloc[rows])
    np.testing.assert_array_equal(batch.seeds, manifest["seed"].iloc[rows])


def test_a_worker_process_gives_the_same_batches(files, manifest):
    here = PatchDataset(manifest, files, memory_gb=0.0)
    rows = [[0, 1, 2], [23, 24]]
    loaded = list(load_batches(here, rows, workers=1))
    for batch, chosen in zip(loaded, rows, strict=True):
        np.testing.assert_array_equal(batch.images, here[chosen].images)


def test_few_slides_stay_open_and_none_is_copied_to_another_process(files):
    path = files.paths["a"]
    slides = OpenSlides(SlideFiles({f"s{number}": path for number in range(OPEN_SLIDES + 3)}))
    first = slides("s0")
    for number in range(1, OPEN_SLIDES + 3):
        slides(f"s{number}")
    assert len(slides._open) == OPEN_SLIDES
    assert first._handle is None
    assert not copy.copy(slides)._open
    slides.close()
    assert not slides._open
