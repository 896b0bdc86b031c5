"""One look for each network in all figures of a study."""

from collections.abc import Sequence

# Okabe and Ito's colours, which colour-blind readers can tell apart; after them, dashes begin anew.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES, MARKERS = ("-", "--", ":"), ("o", "s", "^")


def style_of(networks: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return colour, dash and marker of each network, by its place."""
    return {
        network: {
            "color": COLOURS[place % len(COLOURS)],
            "linestyle": DASHES[place // len(COLOURS) % len(DASHES)],
            "marker": MARKERS[place // len(COLOURS) % len(MARKERS)],
        }
        for place, network in enumerate(networks)
    }
