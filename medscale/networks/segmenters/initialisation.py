"""How weights are drawn: by He where the thesis's code says so, by Keras's default elsewhere."""

from torch import nn

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose3d)


def he_normal(module: nn.Module) -> None:
    """Draw a convolution's weights from N(0, 2 / inputs), its bias is 0; for `nn.Module.apply`.

    Source: He et al., Delving Deep into Rectifiers, ICCV 2015. Keras cuts the tails at two standard
    deviations and widens the rest to the same variance; here they are whole.
    """
    if isinstance(module, CONVOLUTIONS):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        _clear_bias(module)


def glorot_uniform(module: nn.Module) -> None:
    """Draw a convolution's weights from U(-l, l), l² = 6 / (inputs + outputs); for `nn.Module.apply`.

    Source: Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks,
    AISTATS 2010; the default of Keras.
    """
    if isinstance(module, CONVOLUTIONS):
        nn.init.xavier_uniform_(module.weight)
        _clear_bias(module)


def _clear_bias(module: nn.Module) -> None:
    if module.bias is not None:
        nn.init.zeros_(module.bias)
