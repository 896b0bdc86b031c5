"""Tables 5.1 and 5.2 of the thesis: its networks and what they reached on ten test patients.

Source: Detko, Tumor detection in CT images using neural networks, CTU Prague 2020, section 5.5; numbers of
parameters from section 5.2. The thesis prints no other score, no spread, and neither training nor inference
times.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ThesisNetwork:
    """One row of the tables.

    Attributes
    ----------
    title : str
        As the thesis calls it.
    table : str
        5.1 is about smaller networks, 5.2 about bigger ones.
    weighted_jaccard : float
        On the test patients, as Keras averages it over batches of softmax outputs.
    parameters : int
        With three channels of input. For both DenseUnets the thesis prints those of the PSPNets; the
        numbers here are those of its code.
    """

    title: str
    table: str
    weighted_jaccard: float
    parameters: int


# By the names of `medscale.networks.registry`. DenseUnet_s was measured as it was built, with a block that
# leads nowhere, and Deeplabv3+ without a decoder.
THESIS = {
    "unet2d": ThesisNetwork("Unet2D", "5.1", 0.8633, 2_465_619),
    "pspnet_small": ThesisNetwork("PSPNet_s", "5.1", 0.8566, 1_651_331),
    "denseunet_small_as_built": ThesisNetwork("DenseUnet_s", "5.1", 0.8522, 1_636_627),
    "deeplabv3plus": ThesisNetwork("Deeplabv3+", "5.1", 0.8281, 2_142_019),
    "pspnet_big": ThesisNetwork("PSPNet_b", "5.2", 0.8654, 46_765_763),
    "unet3d": ThesisNetwork("Unet3D", "5.2", 0.9113, 15_296_451),
    "denseunet_big": ThesisNetwork("DenseUnet_b", "5.2", 0.8639, 43_024_099),
}
