import math

import pytest
import torch

from medscale.errors import InputError
from medscale.training.mask_losses import (
    MASK_LOSSES,
    find_mask_loss,
    mask_overlap,
    mask_probabilities,
    overlap_ratios,
)

# Probabilities 0.5, 0.75, 0.25 and 0.5 beside a mask of the two in the middle.
LOGITS = torch.tensor([[[0.0, math.log(3)], [-math.log(3), 0.0]]])
MASKS = torch.tensor([[[0, 1], [1, 0]]], dtype=torch.uint8)
KEPT, EMPTIED = torch.tensor([True]), torch.tensor([False])
# Two halves of 0.5; a pixel at 0.75; one at 0.25.
BY_HAND = {
    "bce": (2 * math.log(2) - math.log(0.75) - math.log(0.25)) / 4,
    "mse": (0.25 + 0.0625 + 0.5625 + 0.25) / 4,
    "dice": 1 - (2 * 1.0 + 1) / (2.0 + 2 + 1),
}
# p = 0 in all four pixels, two of which are of the tumour.
EMPTIED_BY_HAND = {"bce": 2 * 100 / 4, "mse": 2 / 4, "dice": 1 - 1 / 3}


def _random(count=3, size=8):
    rng = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(count, size, size, generator=rng)
    return logits, (torch.rand(count, size, size, generator=rng) < 0.3).to(torch.uint8)


@pytest.mark.parametrize(("name", "expected"), BY_HAND.items())
def test_losses_are_those_computed_by_hand(name, expected):
    assert MASK_LOSSES[name](LOGITS, MASKS, KEPT).tolist() == pytest.approx([expected])


@pytest.mark.parametrize(("name", "expected"), EMPTIED_BY_HAND.items())
def test_an_emptied_image_is_judged_as_if_nothing_were_marked(name, expected):
    assert MASK_LOSSES[name](LOGITS, MASKS, EMPTIED).tolist() == pytest.approx([expected])


@pytest.mark.parametrize("name", MASK_LOSSES)
def test_an_empty_mask_that_is_emptied_costs_nothing(name):
    assert MASK_LOSSES[name](LOGITS, torch.zeros_like(MASKS), EMPTIED).tolist() == [0.0]


def test_the_smoothing_of_dice_leaves_an_empty_mask_without_logits_at_no_cost():
    nothing = torch.full_like(LOGITS, -200.0)
    assert MASK_LOSSES["dice"](nothing, torch.zeros_like(MASKS), KEPT).tolist() == [0.0]
    # One pixel of a tumour that is missed: 1 - 1 / 2.
    one = torch.tensor([[[1, 0], [0, 0]]], dtype=torch.uint8)
    assert MASK_LOSSES["dice"](nothing, one, KEPT).tolist() == [0.5]


@pytest.mark.parametrize("name", MASK_LOSSES)
def test_each_image_is_judged_by_itself(name):
    logits, masks = _random()
    kept = torch.tensor([True, False, True])
    whole = MASK_LOSSES[name](logits, masks, kept)
    assert whole.shape == (3,)
    alone = [MASK_LOSSES[name](logits[[n]], masks[[n]], kept[[n]])[0] for n in range(3)]
    torch.testing.assert_close(whole, torch.stack(alone))


@pytest.mark.parametrize(("name", "torchs"), [("bce", torch.nn.BCELoss()), ("mse", torch.nn.MSELoss())])
def test_losses_of_pixels_are_those_of_torch(name, torchs):
    logits, masks = _random()
    expected = torchs(torch.sigmoid(logits), masks.float())
    torch.testing.assert_close(MASK_LOSSES[name](logits, masks, torch.ones(3).bool()).mean(), expected)


@pytest.mark.parametrize("name", MASK_LOSSES)
def test_emptied_images_have_no_gradient_and_the_others_have(name):
    logits, masks = _random()
    logits[1] = float("inf")  # what must not matter
    logits.requires_grad_()
    MASK_LOSSES[name](logits, masks, torch.tensor([True, False, True])).mean().backward()
    assert not logits.grad[1].any()
    assert logits.grad[[0, 2]].isfinite().all()
    assert (logits.grad[[0, 2]] != 0).all()


def test_cross_entropy_stays_exact_where_the_sigmoid_is_rounded():
    """A wrong pixel at a logit of 30 costs 30; from its rounded probability, 1, it would be 100."""
    logits, masks = torch.tensor([[[30.0]]]), torch.zeros(1, 1, 1, dtype=torch.uint8)
    assert MASK_LOSSES["bce"](logits, masks, KEPT).tolist() == pytest.approx([30])
    assert torch.nn.BCELoss()(torch.sigmoid(logits), masks.float()) == 100
    assert MASK_LOSSES["bce"](10 * logits, masks, KEPT).tolist() == [100]


def test_probabilities_are_zero_where_images_are_emptied():
    both = mask_probabilities(LOGITS.expand(2, -1, -1), torch.tensor([True, False]))
    torch.testing.assert_close(both[0], torch.tensor([[0.5, 0.75], [0.25, 0.5]]))
    assert not both[1].any()


def test_an_unknown_loss_is_refused():
    assert find_mask_loss("dice") is MASK_LOSSES["dice"]
    with pytest.raises(InputError, match="loss: found 'focal'; expected one of bce, mse, dice"):
        find_mask_loss("focal")


def test_overlap_is_counted_image_by_image():
    predicted = torch.tensor([[[1, 1, 0, 0]], [[0, 0, 0, 0]], [[0, 0, 0, 0]], [[1, 0, 0, 0]]]).bool()
    masks = torch.tensor([[[0, 1, 1, 0]], [[0, 0, 0, 0]], [[1, 1, 0, 0]], [[0, 0, 0, 0]]], dtype=torch.uint8)
    intersection, union = mask_overlap(predicted, masks)
    assert intersection.tolist() == [1, 0, 0, 0]
    assert union.tolist() == [3, 0, 2, 1]
    assert overlap_ratios(predicted, masks).tolist() == pytest.approx([1 / 3, 1, 0, 0])
