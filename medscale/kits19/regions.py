"""The regions of a kidney tumour case that are scored, and how far their surfaces may lie apart."""

# Names of regions and the labels that belong to them. KiTS19 ranks by the first and the last; the
# kidney alone is what is left of it beside the tumour.
REGIONS = {"kidney_and_tumour": (1, 2), "kidney": (1,), "tumour": (2,)}

# Distances that KiTS23 forgives, from how far its annotators differ: `HEC_SD_TOLERANCES_MM` of kidney and
# mass, and of tumour (neheller/kits23, kits23/configuration/labels.py). It has none for the kidney alone,
# which takes that of kidney and mass.
TOLERANCES_MM = {
    "kidney_and_tumour": 1.0330772532390826,
    "kidney": 1.0330772532390826,
    "tumour": 1.1498198361434828,
}
