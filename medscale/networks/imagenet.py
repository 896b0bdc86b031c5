"""How images are standardised for torchvision's networks."""

import torch
from torch import Tensor

# Mean and spread of the colours of ImageNet's images, whose values lie in [0, 1].
MEAN = (0.485, 0.456, 0.406)
SPREAD = (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """Standardise RGB images (n, 3, height, width) in [0, 1] as torchvision's networks expect."""
    mean = torch.tensor(MEAN, device=images.device)[:, None, None]
    spread = torch.tensor(SPREAD, device=images.device)[:, None, None]
    return (images - mean) / spread
