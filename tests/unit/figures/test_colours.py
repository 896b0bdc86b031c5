from medscale.figures.colours import COLOURS, style_of


def test_looks_differ_even_where_colours_begin_anew():
    names = [f"network {number}" for number in range(2 * len(COLOURS) + 1)]
    looks = style_of(names)
    assert len({tuple(look.values()) for look in looks.values()}) == len(names)
    assert looks["network 0"]["color"] == looks[f"network {len(COLOURS)}"]["color"]
    assert looks["network 0"]["linestyle"] != looks[f"network {len(COLOURS)}"]["linestyle"]
