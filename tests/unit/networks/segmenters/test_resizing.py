import pytest
import torch
from torch import nn

from medscale.networks.segmenters.resizing import resize_bilinear


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize(("given", "wanted"), [((8, 8), (32, 32)), ((7, 12), (5, 48)), ((1, 3), (9, 9))])
def test_it_is_torchs_bilinear_interpolation(given, wanted, align_corners):
    drawn = torch.Generator().manual_seed(0)
    own, other = (torch.rand(2, 3, *given, generator=drawn).requires_grad_() for _ in range(2))
    other.data.copy_(own.data)
    expected = nn.functional.interpolate(other, wanted, mode="bilinear", align_corners=align_corners)
    resized = resize_bilinear(own, wanted, align_corners)
    torch.testing.assert_close(resized, expected)
    weights = torch.rand(resized.shape, generator=drawn)
    (resized * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(own.grad, other.grad)


def test_the_type_is_kept():
    assert resize_bilinear(torch.rand(1, 1, 4, 4, dtype=torch.bfloat16), (8, 8), True).dtype == torch.bfloat16
