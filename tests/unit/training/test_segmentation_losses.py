import math

import numpy as np
import pytest
import torch

from medscale.errors import InputError
from medscale.training.segmentation_losses import (
    LOSSES,
    build_loss,
    overlap_sums,
    tversky_index,
    weighted_jaccard,
)

WEIGHTS = [0.34, 16.6, 34.4]
CLASSES = 3


@pytest.fixture(params=[(4, 5, 6), (2, 3, 4, 5)], ids=["slices", "blocks"])
def batch(request):
    generator = torch.Generator().manual_seed(0)
    shape = request.param
    logits = 2 * torch.randn(shape[0], CLASSES, *shape[1:], generator=generator)
    return logits, torch.randint(0, CLASSES, shape, generator=generator, dtype=torch.uint8)


def _elements(batch):
    """One-hot y and softmax p of all pixels as plain numbers: lists of (class, y, p)."""
    logits, labels = batch
    scores = logits.double().movedim(1, -1).reshape(-1, CLASSES).numpy()
    exponentials = np.exp(scores)
    p = exponentials / exponentials.sum(axis=1, keepdims=True)
    y = np.eye(CLASSES)[labels.reshape(-1).long().numpy()]
    return y, p


def _index(y, p, w, alpha, beta):
    both, missed, added = (w * y * p).sum(), (w * y * (1 - p)).sum(), (w * (1 - y) * p).sum()
    return (both + 1e-6) / (both + alpha * missed + beta * added + 1e-6)


def _expected(name, y, p):
    cross_entropy = -(y * np.log(p)).sum(axis=1).mean()
    dice, weighted_dice = (
        (2 * (w * y * p).sum() + 1e-3) / ((w * y).sum() + (w * p).sum() + 1e-3)
        for w in (1, np.array(WEIGHTS))
    )
    focal = -0.25 * (1 - p) ** 2 * y * np.log(p) - 0.75 * p**2 * (1 - y) * np.log(1 - p)
    return {
        "cross_entropy": cross_entropy,
        "weighted_cross_entropy": -(3 * y * np.log(p) + (1 - y) * np.log(1 - p)).mean(),
        "balanced_cross_entropy": -(0.2 * y * np.log(p) + 0.8 * (1 - y) * np.log(1 - p)).mean(),
        "focal": focal.mean(),
        "dice": 1 - _index(y, p, 1, 0.5, 0.5),
        "jaccard": 1 - _index(y, p, 1, 1, 1),
        "softmax_dice": 0.5 * cross_entropy + 0.5 * (1 - dice),
        "weighted_softmax_dice": 0.5 * cross_entropy + 0.5 * (1 - weighted_dice),
        "tversky": 1 - _index(y, p, 1, 0.7, 0.3),
        "weighted_dice": 1 - _index(y, p, np.array(WEIGHTS), 0.5, 0.5),
    }[name]


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_the_sums_by_hand(name, batch):
    loss = build_loss(name, WEIGHTS)(*batch)
    assert loss.item() == pytest.approx(_expected(name, *_elements(batch)), rel=1e-6)


def test_settings_replace_the_defaults(batch):
    y, p = _elements(batch)
    # alpha is the factor of what is missed.
    tversky = build_loss("tversky", WEIGHTS, alpha=0.9, beta=0.2)(*batch)
    assert tversky.item() == pytest.approx(1 - _index(y, p, 1, 0.9, 0.2), rel=1e-6)
    weighted = build_loss("weighted_cross_entropy", WEIGHTS, beta=7)(*batch)
    assert weighted.item() == pytest.approx(-(7 * y * np.log(p) + (1 - y) * np.log(1 - p)).mean(), rel=1e-6)
    entropy_alone = build_loss("softmax_dice", WEIGHTS, alpha=1, beta=0)(*batch)
    assert entropy_alone.item() == pytest.approx(_expected("cross_entropy", y, p), rel=1e-6)


def test_a_pixel_of_each_kind_by_hand():
    """Three pixels, one per class, whose probabilities are 0.5, 0.3 and 0.2 throughout."""
    logits = torch.tensor([0.5, 0.3, 0.2]).log()[None, :, None].expand(1, 3, 3)
    labels = torch.tensor([[0, 1, 2]])
    torch.testing.assert_close(
        overlap_sums(logits.softmax(1), labels),
        torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.7, 0.8], [1.0, 0.6, 0.4]], dtype=torch.float64),
        atol=1e-6,
        rtol=0,
    )
    # Weights 1, 2, 4: TP 0.5 + 0.6 + 0.8, FN 0.5 + 1.4 + 3.2, FP 1 + 1.2 + 1.6.
    expected = 1.9 / (1.9 + 5.1 + 3.8)
    assert weighted_jaccard(logits.softmax(1), labels, [1, 2, 4]).item() == pytest.approx(expected, rel=1e-6)
    entropy = -math.log(0.5 * 0.3 * 0.2) / 3
    assert build_loss("cross_entropy", [])(logits, labels).item() == pytest.approx(entropy, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_finite_differences(name):
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2, CLASSES, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    labels = torch.randint(0, CLASSES, (2, 3), generator=generator)
    assert torch.autograd.gradcheck(lambda scores: build_loss(name, WEIGHTS)(scores, labels), logits)


@pytest.mark.parametrize("name", LOSSES)
def test_a_pixel_that_is_surely_wrong_still_gives_a_gradient(name):
    """The thesis's code cuts probabilities off, and its entropies then teach nothing."""
    logits = torch.tensor([[[0.0], [40.0], [0.0]]], requires_grad=True)
    loss = build_loss(name, [1.0, 1.0, 1.0])(logits, torch.tensor([[0]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    if "entropy" in name or name in ("focal", "softmax_dice", "weighted_softmax_dice"):
        assert logits.grad[0, 1].item() > 0.01


@pytest.mark.parametrize("name", LOSSES)
def test_sums_of_parts_add_up_to_the_loss_of_all(name, batch):
    logits, labels = batch
    loss = build_loss(name, WEIGHTS)
    parts = (
        loss.sums(logits[:1], labels[:1])
        + loss.sums(logits[1:], labels[1:])
        + loss.sums(logits[:0], labels[:0])
    )
    assert loss.value(parts).item() == pytest.approx(loss(logits, labels).item(), rel=1e-9)


def test_a_perfect_and_an_empty_answer():
    labels = torch.randint(0, CLASSES, (2, 8, 8), generator=torch.Generator().manual_seed(2))
    perfect = 50.0 * torch.nn.functional.one_hot(labels, CLASSES).movedim(-1, 1).float()
    for name in LOSSES:
        assert build_loss(name, WEIGHTS)(perfect, labels).item() == pytest.approx(0, abs=1e-6), name
    sums = torch.zeros(3, CLASSES, dtype=torch.float64)
    assert tversky_index(sums, 1.0, 1.0).item() == 1.0


def test_the_weighted_index_hardly_sees_what_weighs_little():
    labels = torch.tensor([[0, 0, 0, 0, 1, 2]])
    right = torch.nn.functional.one_hot(labels, CLASSES).movedim(-1, 1).float()
    without_tumour = torch.nn.functional.one_hot(labels.clamp(max=1), CLASSES).movedim(-1, 1).float()
    assert weighted_jaccard(right, labels, [1, 2, 0.01]).item() == pytest.approx(1)
    # 4 + 2 right; missed 0.01 of tumour, added 2 of kidney.
    lost = weighted_jaccard(without_tumour, labels, [1, 2, 0.01]).item()
    assert lost == pytest.approx(6 / (6 + 0.01 + 2), rel=1e-6)


def test_unknown_names_and_settings_are_refused():
    with pytest.raises(InputError, match="weighted_dice"):
        build_loss("lovasz", WEIGHTS)
    with pytest.raises(InputError, match="gamma for dice"):
        build_loss("dice", WEIGHTS, gamma=2.0)
