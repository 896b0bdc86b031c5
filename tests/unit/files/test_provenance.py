import math

from medscale.files import provenance
from medscale.files.provenance import Origin, digest, digest_together, read_seconds, write_sidecars
from medscale.files.tables import read_json, write_json


def test_the_sidecar_names_inputs_settings_and_versions(tmp_path):
    (tmp_path / "in.csv").write_text("1")
    (tmp_path / "out.csv").write_text("2")
    origin = Origin("count", [str(tmp_path / "in.csv")], [], {"cfg": {"seed": 1}}, {"seconds": 0.1})
    write_sidecars([tmp_path / "out.csv"], origin)
    sidecar = read_json(tmp_path / "out.csv.provenance.json")
    assert sidecar["config"] == {"cfg": {"seed": 1}}
    assert sidecar["inputs"] == {str(tmp_path / "in.csv"): digest(tmp_path / "in.csv")}
    assert sidecar["digest"] == digest(tmp_path / "out.csv")
    assert sidecar["versions"]["torch"].startswith("2.13")


def test_the_digest_of_a_large_file_sees_its_size_and_its_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "WHOLE_FILE_BYTES", 1000)
    content = bytearray(100_000_000 // 4)
    path = tmp_path / "slide.tif"
    path.write_bytes(content)
    first = digest(path)
    assert first.startswith("sampled-sha256:")
    path.write_bytes(content + b"\0")
    assert digest(path) != first
    content[-1] = 1
    path.write_bytes(content)
    assert digest(path) != first


def test_digests_of_several_files_depend_on_content_order_and_settings(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("1")
    b.write_text("2")
    seen = {digest_together([a, b], {}), digest_together([b, a], {}), digest_together([a, b], {"seed": 1})}
    assert len(seen) == 3


def test_the_seconds_of_a_job_stand_in_its_sidecar(tmp_path):
    assert math.isnan(read_seconds(tmp_path / "a.safetensors"))
    write_json({"run": {"seconds": 12.5}}, tmp_path / "a.safetensors.provenance.json")
    assert read_seconds(tmp_path / "a.safetensors") == 12.5
