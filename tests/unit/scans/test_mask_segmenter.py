import numpy as np
import pytest
import torch

from medscale.errors import InputError
from medscale.scans.mask_scores import measure_overlap, score_empty, score_masks
from medscale.scans.mask_segmenter import (
    SegmenterSettings,
    outline_tumours,
    to_bytes,
    train_mask_segmenter,
)
from medscale.scans.prepared_images import PreparedImages
from medscale.training.models import load_model, save_model
from tests.unit.scans.prepared_scans import SIZE, draw_scans

CPU = torch.device("cpu")
SETTINGS = {
    "network": {"name": "unet", "width": 4, "depth": 2},
    "loss": "dice",
    "batch_size": 4,
    "epochs": 1,
    "samples_per_epoch": None,
    "optimisation": {"learning_rate": 0.01, "weight_bound": 5.0},
    "augmentation": None,
}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _train(folder, scans=None, emptied=(), seed=0, **changes):
    images, sheet = scans or draw_scans()
    settings = SegmenterSettings(**(SETTINGS | changes))
    checkpoints = folder / "checkpoints"
    return train_mask_segmenter(
        images, sheet, settings, emptied=emptied, seed=seed, device=CPU, checkpoints=checkpoints
    )


def _bytes(folder, network, card):
    save_model(network, card, folder / "run.safetensors")
    return [(folder / f"run.{suffix}").read_bytes() for suffix in ("safetensors", "json")]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    first = _bytes(tmp_path, *_train(tmp_path, augmentation={}))
    assert _bytes(tmp_path, *_train(tmp_path, augmentation={})) == first
    for changes in ({"seed": 1}, {"augmentation": None}, {"loss": "mse"}, {"emptied": ["normal_0"]}):
        other = _bytes(tmp_path, *_train(tmp_path, **({"augmentation": {}} | changes)))
        assert all(one != two for one, two in zip(first, other, strict=True))


def test_a_card_says_what_a_network_takes_and_how_it_was_trained(tmp_path):
    _, card = _train(tmp_path, emptied=["normal_0", "normal_1", "benign_4", "benign_5"])
    assert card.network == SETTINGS["network"] | {"channels_in": 1, "channels_out": 1, "output": "none"}
    assert card.inputs == {"classes": ["tumour"], "size_px": SIZE}
    # Of the four, two are in train, one in validation and one in test.
    assert (card.training["samples"], card.training["emptied_samples"]) == (12, 2)
    assert card.training["loss"] == "dice"
    assert set(card.history[0]) == {"epoch", "train_loss", "train_iou", "validation_loss", "validation_iou"}


@pytest.mark.parametrize("loss", ["bce", "mse", "dice"])
def test_tumours_are_outlined_in_other_images(tmp_path, loss):
    images, sheet = scans = draw_scans()
    sheet = sheet.assign(masks="")
    network, card = _train(tmp_path, scans, loss=loss, epochs=12)
    outlines = outline_tumours(network, card, images, sheet, CPU)
    assert (outlines.dtype, outlines.shape) == (np.uint8, (24, SIZE, SIZE))
    table = score_masks(dict(zip(sheet["image"], outlines, strict=True)), images, sheet)
    with_tumour = (table["split"] == "test") & (table["class"] != "normal")
    assert not score_empty(images, sheet)["iou"][with_tumour].any()
    assert table["iou"][with_tumour].mean() > 0.4


def test_outlines_follow_the_sheet_and_survive_saving(tmp_path):
    images, sheet = draw_scans()
    network, card = _train(tmp_path, epochs=2)
    outlines = outline_tumours(network, card, images, sheet, CPU)
    save_model(network, card, tmp_path / "run.safetensors")
    rows = sheet.iloc[[7, 20]]
    loaded = outline_tumours(*load_model(tmp_path / "run.safetensors", CPU), images, rows, CPU)
    np.testing.assert_allclose(loaded.astype(int), outlines[[7, 20]].astype(int), atol=1)
    pixels = torch.from_numpy(images.images[[7]]).float()[:, None] / 255
    expected = 255 * network(pixels).sigmoid()[0, 0].detach().numpy()
    np.testing.assert_allclose(outlines[7], expected, atol=0.6)


def test_half_is_where_tumour_begins_in_bytes_too():
    half = np.float32(0.5)
    below, above = np.nextafter(half, np.float32([0, 1]))
    values = to_bytes(torch.tensor([0, 0.25, below, half, above, 1], dtype=torch.float32))
    assert values.tolist() == [0, 64, 127, 128, 128, 255]
    many = torch.linspace(0, 1, 100_001)
    assert torch.equal(to_bytes(many) >= 128, many >= 0.5)


def test_scores_agree_with_what_training_watches(tmp_path):
    images, sheet = draw_scans()
    emptied = ["normal_4", "benign_4"]
    network, card = _train(tmp_path, emptied=emptied, epochs=3)
    outlines = outline_tumours(network, card, images, sheet, CPU)
    table = score_masks(dict(zip(sheet["image"], outlines, strict=True)), images, sheet, emptied)
    watched = table[table["split"] == "validation"]
    np.testing.assert_allclose(watched["iou_aided"].mean(), card.history[-1]["validation_iou"], atol=1e-6)
    assert watched["called_normal"].sum() == 2


def test_nothing_is_learnt_from_emptied_images(tmp_path):
    """Where all training images are emptied, weights stay as drawn; only batch norms see them."""
    _, sheet = scans = draw_scans()
    network, card = _train(tmp_path, scans, emptied=sheet["image"].tolist())
    assert card.training["emptied_samples"] == 12
    drawn, _ = _train(tmp_path, scans, optimisation={"learning_rate": 0.0})
    learnt, _ = _train(tmp_path, scans)
    for (name, one), other in zip(network.named_parameters(), drawn.parameters(), strict=True):
        assert torch.equal(one, other), name
    assert any(
        not torch.equal(one, other)
        for one, other in zip(network.parameters(), learnt.parameters(), strict=True)
    )


def test_images_of_the_test_are_not_looked_at(tmp_path):
    images, sheet = draw_scans()
    spoilt = images.images.copy()
    spoilt[(sheet["split"] == "test").to_numpy()] = 255
    others = PreparedImages(images.names, spoilt, images.masks, images.shapes)
    first = _bytes(tmp_path, *_train(tmp_path, (images, sheet)))
    assert _bytes(tmp_path, *_train(tmp_path, (others, sheet))) == first


def test_other_segmenters_of_images_may_stand_in(tmp_path):
    images, sheet = draw_scans()
    network, card = _train(tmp_path, network={"name": "unet2d", "width": 2})
    assert "output" not in card.network
    assert outline_tumours(network, card, images, sheet.iloc[:2], CPU).shape == (2, SIZE, SIZE)


def test_what_cannot_be_trained_is_explained(tmp_path):
    with pytest.raises(InputError, match=r"network\.name: found 'lenet5'; expected one of unet"):
        _train(tmp_path, network={"name": "lenet5"})
    with pytest.raises(InputError, match="found unet3d, a network for blocks of slices"):
        _train(tmp_path, network={"name": "unet3d", "width": 2})
    with pytest.raises(InputError, match="found 'jaccard'; expected one of bce, mse, dice"):
        _train(tmp_path, loss="jaccard")
    with pytest.raises(InputError, match="image other: found no line of the sheet"):
        _train(tmp_path, emptied=["normal_0", "other"])


def test_measured_overlap_is_that_of_training():
    from medscale.training.mask_losses import overlap_ratios

    rng = np.random.default_rng(0)
    predicted, true = rng.random((2, 6, 8, 8)) < 0.4
    predicted[0] = true[0] = false = np.zeros((8, 8), bool)
    true[1] = false
    ours = [measure_overlap(*pair)[0] for pair in zip(predicted, true, strict=True)]
    theirs = overlap_ratios(torch.from_numpy(predicted), torch.from_numpy(true).to(torch.uint8))
    np.testing.assert_allclose(ours, theirs.numpy())
