"""The balancing study: the Jaccard index under three ways to balance the patches, beside Table 2.4."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from medscale.errors import InputError

STRATEGIES = ("unbalanced", "class_balanced", "slide_balanced")
PROPOSED = "slide_balanced"
LEVEL = 0.95
ALL_SLIDES = "mean of slides"
SPLIT_TITLES = {
    "train_network": "This project, slides of the training",
    "train_staging": "This project, slides of the forest's patients",
    "test": "This project, slides of test patients",
}
COLOURS = {
    "unbalanced": "#999999",
    "class_balanced": "#56b4e9",
    "slide_balanced": "#d55e00",
    "before": "#999999",
    "after": "#d55e00",
}
INPUT_COLUMNS = (
    "strategy",
    "repetition",
    "slide",
    "split",
    "tumour_area_mm2",
    "jaccard",
    "jaccard_best_threshold",
    "jaccard_floor",
)
COLUMNS = [
    "source",
    "split",
    "slide",
    "tumour_area_mm2",
    "tumour_patches",
    "strategy",
    "n",
    "jaccard_mean",
    "jaccard_sd",
    "jaccard_floor",
    "jaccard_best_threshold_mean",
    "jaccard_best_threshold_sd",
    "gain_n",
    "gain_mean",
    "gain_low",
    "gain_high",
    "gain_ratio",
]
# Table 2.1, row Before, and Table 2.4 of the thesis, WSI01 to WSI04.
THESIS_PATCHES = (1123, 209, 1823, 84)
THESIS_BEFORE = (0.2869, 0.0100, 0.2664, 0.0227)
THESIS_AFTER = (0.3978, 0.1759, 0.5627, 0.0380)


def compare_balancing(rows: pd.DataFrame) -> pd.DataFrame:
    """Compare the three strategies slide by slide, with the thesis's own numbers below.

    The gain of `slide_balanced` stands in the row of the strategy it is compared with. It is the mean over
    repetitions of the difference of two networks with the same seed, and its interval is Student's for
    paired differences: it covers the chance of training, not that of another choice of slides. The ratio is
    that of the two means, as in Table 2.4. The rows `mean of slides` average the slides of a split within
    each repetition first, over the runs that measured all of them.

    Parameters
    ----------
    rows : DataFrame
        One row a strategy, repetition and slide: `strategy` (one of `STRATEGIES`), `repetition`, `slide`,
        `split`, `tumour_area_mm2`, `jaccard`, `jaccard_best_threshold`, `jaccard_floor`; further columns
        are ignored. An empty Jaccard index is left out.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `source` is `ours` or `thesis`; the thesis has the strategies `before` and
        `after`, one run each, and does not say whether `before` already matches normal to tumour patches.
        Standard deviations are those of a sample (n - 1). What there is not is missing.

    Raises
    ------
    InputError
        If a column is missing, a strategy is unknown or a run comes twice.
    """
    _check_rows(rows)
    rows = rows.astype(
        {"jaccard": "float64", "jaccard_best_threshold": "float64", "jaccard_floor": "float64"}
    )
    table = []
    order = ["split", "tumour_area_mm2", "slide"]
    for split, members in rows.sort_values(order, kind="stable").groupby("split", sort=True):
        for slide, own in members.groupby("slide", sort=False):
            table += _compare_slide(own, {"source": "ours", "split": split, "slide": slide})
        if members["slide"].nunique() > 1:
            mean = _average_slides(members)
            table += _compare_slide(mean, {"source": "ours", "split": split, "slide": ALL_SLIDES})
    counts = {"n": "Int64", "gain_n": "Int64", "tumour_patches": "Int64"}
    return pd.DataFrame(table + _list_thesis(), columns=COLUMNS).astype(counts)


def draw_study(table: pd.DataFrame) -> Figure:
    """Draw the table of `compare_balancing`: a panel for each of our splits, the last one the thesis's.

    Bars on ours are one standard deviation over repetitions; a dash is the floor of calling all tissue
    tumour. Slides stand in order of their tumour's size.
    """
    ours = table[(table["source"] == "ours") & (table["slide"] != ALL_SLIDES)]
    ours = ours.sort_values(["tumour_area_mm2", "slide"], kind="stable")
    thesis = table[table["source"] == "thesis"].sort_values("tumour_patches", kind="stable")
    splits = [split for split in SPLIT_TITLES if (ours["split"] == split).any()]
    figure = Figure(figsize=(5.2 * (len(splits) + 1), 4.8), layout="constrained")
    panels = figure.subplots(1, len(splits) + 1, sharey=True)
    for axes, split in zip(panels, splits, strict=False):
        own = ours[ours["split"] == split]
        _draw_panel(axes, own, STRATEGIES, "tumour_area_mm2", "mm²", SPLIT_TITLES[split])
    title = "Thesis, Table 2.4"
    _draw_panel(panels[-1], thesis, ("before", "after"), "tumour_patches", "patches", title)
    panels[0].set_ylabel("Jaccard index")
    panels[0].set_ylim(bottom=0)
    return figure


def _check_rows(rows: pd.DataFrame) -> None:
    missing = [name for name in INPUT_COLUMNS if name not in rows.columns]
    unknown = sorted(set(rows.get("strategy", ())) - set(STRATEGIES))
    repeated = not missing and rows.duplicated(["strategy", "repetition", "slide"]).any()
    if not (missing or unknown or repeated):
        return
    found = (
        f"no column {missing[0]}"
        if missing
        else f"the strategy {unknown[0]!r}"
        if unknown
        else "the same strategy, repetition and slide twice"
    )
    raise InputError(
        "balancing runs",
        found,
        f"one row a run and slide; strategies {', '.join(STRATEGIES)}",
        "Measure the runs again.",
    )


def _compare_slide(own: pd.DataFrame, head: dict[str, str]) -> list[dict]:
    """Return one row for each strategy that was run."""
    scores = own.pivot(index="repetition", columns="strategy", values="jaccard")
    best = own.pivot(index="repetition", columns="strategy", values="jaccard_best_threshold")
    return [
        {
            **head,
            "tumour_area_mm2": own["tumour_area_mm2"].iloc[0],
            "strategy": strategy,
            "n": scores[strategy].count(),
            "jaccard_mean": scores[strategy].mean(),
            "jaccard_sd": scores[strategy].std(),
            "jaccard_floor": own["jaccard_floor"].mean(),
            "jaccard_best_threshold_mean": best[strategy].mean(),
            "jaccard_best_threshold_sd": best[strategy].std(),
            **_measure_gain(scores, strategy),
        }
        for strategy in STRATEGIES
        if strategy in scores
    ]


def _measure_gain(scores: pd.DataFrame, baseline: str) -> dict[str, float]:
    """Return what `slide_balanced` gains over `baseline` in repetitions that have both."""
    if baseline == PROPOSED or PROPOSED not in scores:
        return {}
    pairs = scores[[PROPOSED, baseline]].dropna()
    differences = pairs[PROPOSED] - pairs[baseline]
    mean, n, base = differences.mean(), len(pairs), pairs[baseline].mean()
    half = np.nan
    if n > 1:
        half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * differences.std() / np.sqrt(n)
    ratio = pairs[PROPOSED].mean() / base if base > 0 else np.nan
    return {
        "gain_n": n,
        "gain_mean": mean,
        "gain_low": mean - half,
        "gain_high": mean + half,
        "gain_ratio": ratio,
    }


def _average_slides(members: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over slides of each run; missing where a slide that others measured is missing."""
    measures = ["jaccard", "jaccard_best_threshold", "jaccard_floor"]
    groups = members.groupby(["strategy", "repetition"])
    measured = members.loc[members["jaccard"].notna(), "slide"].nunique()
    means = groups[measures].mean().where(groups["jaccard"].count() == measured)
    return means.reset_index().assign(tumour_area_mm2=np.nan)


def _list_thesis() -> list[dict]:
    table = []
    numbers = zip(THESIS_PATCHES, THESIS_BEFORE, THESIS_AFTER, strict=True)
    for place, (patches, before, after) in enumerate(numbers, start=1):
        head = {"source": "thesis", "slide": f"WSI{place:02d}", "tumour_patches": patches, "n": 1}
        gain = {"gain_n": 1, "gain_mean": after - before, "gain_ratio": after / before}
        table.append({**head, "strategy": "before", "jaccard_mean": before, **gain})
        table.append({**head, "strategy": "after", "jaccard_mean": after})
    return table


def _draw_panel(
    axes: Axes, table: pd.DataFrame, strategies: tuple[str, ...], size: str, unit: str, title: str
) -> None:
    slides = list(dict.fromkeys(table["slide"]))
    width = 0.8 / len(strategies)
    for place, strategy in enumerate(strategies):
        own = table[table["strategy"] == strategy].set_index("slide").reindex(slides)
        left = np.arange(len(slides)) + (place - (len(strategies) - 1) / 2) * width
        spread = own["jaccard_sd"].astype("float64")
        axes.bar(
            left,
            own["jaccard_mean"].astype("float64"),
            width,
            yerr=spread,
            capsize=3,
            label=strategy,
            color=COLOURS[strategy],
        )
    first = table.drop_duplicates("slide").set_index("slide").reindex(slides)
    floors = first["jaccard_floor"].astype("float64")
    if floors.notna().any():
        centres = np.arange(len(slides))
        axes.hlines(
            floors, centres - 0.45, centres + 0.45, "black", "dashed", label="all tissue called tumour"
        )
    two_lines = [slide.replace("_node", "\nnode") for slide in slides]
    sizes = [f"{_round(first[size][slide])} {unit}" for slide in slides]
    axes.set_xticks(
        range(len(slides)),
        [f"{name}\n{text}" for name, text in zip(two_lines, sizes, strict=True)],
        fontsize=9,
    )
    axes.set_title(title)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, frameon=False)


def _round(size: float) -> str:
    return f"{size:.0f}" if size >= 100 else f"{size:.3g}"
