"""What networks with auxiliary heads return while they train, and the loss of it.

Source: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, section 5: heads halfway up bring
gradients to the lower layers; their losses are added with a weight, and in use they are left out.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class Outputs(NamedTuple):
    """Logits of a network in training mode that has auxiliary heads.

    Attributes
    ----------
    logits : Tensor (N, outputs)
        Of the last layer, those that eval mode returns alone.
    auxiliary : tuple of Tensor (N, outputs)
        Of the auxiliary heads, the lowest first.
    weight : float
        By how much the loss of each auxiliary head counts: 0.3 in GoogLeNet, 0.4 in Inception v3.
    """

    logits: Tensor
    auxiliary: tuple[Tensor, ...]
    weight: float


def combine_losses(outputs: Tensor | Outputs, loss: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the loss of the logits, plus the weighted losses of the auxiliary heads if there are any.

    Parameters
    ----------
    outputs : Tensor or Outputs
        What a network returned, with or without auxiliary heads, in either mode.
    loss : callable
        Logits (N, outputs) to a scalar.
    """
    if not isinstance(outputs, Outputs):
        return loss(outputs)
    return loss(outputs.logits) + outputs.weight * sum(loss(logits) for logits in outputs.auxiliary)
