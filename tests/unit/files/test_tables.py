import math

import pandas as pd
import pytest

from medscale.files.tables import read_json, read_table, write_json, write_table


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_come_back_and_their_bytes_repeat(tmp_path, ending):
    table = pd.DataFrame({"slide": ["NA", "b"], "share": [0.1, math.nan], "count": [1, 2]})
    paths = [tmp_path / f"{name}.{ending}" for name in ("one", "two")]
    for path in paths:
        write_table(table, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    pd.testing.assert_frame_equal(read_table(paths[0]), table, check_dtype=False)


def test_json_is_sorted_and_refuses_what_is_no_json(tmp_path):
    write_json({"b": 1, "a": "µm"}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": "µm",\n  "b": 1\n}\n'
    assert read_json(tmp_path / "a.json") == {"a": "µm", "b": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"kappa": math.nan}, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()
