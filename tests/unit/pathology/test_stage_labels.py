import logging
from collections import Counter

import pytest

from medscale.errors import InputError
from medscale.pathology.agreement import quadratic_kappa
from medscale.pathology.stage_labels import read_stage_labels
from medscale.pathology.staging import CLASSES, STAGES, stage_patient

OLD = [
    "patient,stage",
    "patient_000.zip,pN0(i+)",
    "patient_000_node_0.tif,itc",
    "patient_000_node_1.tif,negative",
]
NEW = ["patient,stage,center", *(f"{row},0" for row in OLD[1:])]


def write(path, rows, end="\n"):
    path.write_bytes(end.join([*rows, ""]).encode())
    return path


@pytest.mark.parametrize("rows", [OLD, NEW])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_layouts_and_line_ends_give_the_same_tables(tmp_path, rows, end):
    slides, patients = read_stage_labels(write(tmp_path / "stages.csv", rows, end))
    assert slides.to_dict("list") == {
        "slide": ["patient_000_node_0", "patient_000_node_1"],
        "label": ["itc", "negative"],
    }
    assert patients.to_dict("list") == {"patient": ["patient_000"], "stage": ["pN0(i+)"]}


def test_capitals_and_a_byte_order_mark_do_not_matter(tmp_path):
    rows = ["\ufeffpatient,stage", "patient_000.zip,PN0(I+)", "patient_000_node_0.tif,ITC"]
    slides, patients = read_stage_labels(write(tmp_path / "stages.csv", rows))
    assert (slides["label"][0], patients["stage"][0]) == ("itc", "pN0(i+)")


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("patient_001_node_0.tif,tumour", "'tumour'"),
        ("patient_001.zip,pN3", "'pN3'"),
        ("patient_001.zip,macro", "'macro'"),
        ("patient_001_node_0.tif,pN1", "'pN1'"),
        ("patient_000_node_0.tif,itc", "patient_000_node_0 again"),
        ("patient_000.zip,pN0(i+)", "patient_000 again"),
        ("patient_001.zip", "1 cells"),
        ("patient_001.zip,pN0,0", "3 cells"),
        ("normal_001.tif,negative", "normal_001"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, found):
    path = write(tmp_path / "stage_labels.csv", [*OLD, row])
    with pytest.raises(InputError) as error:
        read_stage_labels(path)
    assert f"{path}, row 5" in str(error.value)
    assert found in str(error.value)


@pytest.mark.parametrize("content", [b"", b"slide,label\n", b"\xff\xfe\x00", b"stage,patient\n"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "other.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"other\.csv"):
        read_stage_labels(tmp_path / "other.csv")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"missing\.csv"):
        read_stage_labels(tmp_path / "missing.csv")


def test_a_stage_that_contradicts_its_slides_is_warned_of(tmp_path, caplog):
    rows = ["patient,stage", "patient_000.zip,pN2", "patient_000_node_0.tif,macro"]
    with caplog.at_level(logging.WARNING):
        read_stage_labels(write(tmp_path / "stages.csv", rows))
    assert "patient_000 is pN2, but its slides say pN1" in caplog.text


def stage_by_macro_only(nodes, carried):
    """pavlinakoutecka: micro nodes do not count towards pN2."""
    if nodes.count("macro"):
        return "pN1" if nodes.count("macro") < 4 else "pN2"
    return stage_patient(nodes)


def stage_without_pn1mi(nodes, carried):
    """DigitalHistoPath: a single macro node is pN2, and pN1mi does not exist."""
    if nodes.count("macro"):
        return "pN2"
    if nodes.count("micro"):
        return "pN1"
    return stage_patient(nodes)


def stage_by_exactly_two(nodes, carried):
    """22csnyder, counts reset: more than one macro for pN1 and pN2, exactly two positive nodes for pN1."""
    return stage_by_carried_counts(nodes, Counter())


def stage_by_carried_counts(nodes, carried):
    """22csnyder as it stands: the counts of one patient leak into the next."""
    carried.update(nodes)
    positive = carried["micro"] + carried["macro"]
    if carried["macro"] > 1:
        return "pN1" if positive == 2 else "pN2"
    if carried["micro"] and not carried["macro"]:
        return "pN1mi"
    return "pN0(i+)" if carried["itc"] or positive else "pN0"


def stage_counting_itc(nodes, carried):
    """Isolated tumour cells counted as positive nodes."""
    if nodes.count("macro"):
        return "pN1" if len(nodes) - nodes.count("negative") <= 3 else "pN2"
    return stage_patient(nodes)


MUTANTS = [
    stage_by_macro_only,
    stage_without_pn1mi,
    stage_by_exactly_two,
    stage_by_carried_counts,
    stage_counting_itc,
]


@pytest.fixture(scope="module")
def camelyon17(real_data):
    slides, patients = read_stage_labels(real_data / "camelyon" / "stage_labels.csv")
    nodes = slides.groupby(slides["slide"].str.slice(0, 11))["label"].agg(list)
    return nodes, patients.set_index("patient")["stage"]


def count_wrong(rule, camelyon17):
    """Return how many of the 100 patients a rule gets wrong, and its kappa."""
    nodes, stages = camelyon17
    carried = Counter()
    predicted = [rule(nodes[patient], carried) for patient in stages.index]
    wrong = sum(own != true for own, true in zip(predicted, stages, strict=True))
    return wrong, quadratic_kappa(list(stages), predicted)


def test_the_label_file_of_camelyon17_is_read_whole(camelyon17):
    nodes, stages = camelyon17
    labels = Counter(label for own in nodes for label in own)
    assert [labels[name] for name in CLASSES] == [313, 35, 64, 88]
    assert [Counter(stages)[name] for name in STAGES] == [24, 12, 20, 25, 19]
    assert {len(own) for own in nodes} == {5}


def test_the_rule_reproduces_all_100_patients(camelyon17):
    assert count_wrong(lambda nodes, carried: stage_patient(nodes), camelyon17) == (0, 1.0)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda rule: rule.__name__)
def test_the_wrong_rules_of_other_projects_fail_the_same_check(camelyon17, mutant):
    wrong, kappa = count_wrong(mutant, camelyon17)
    assert wrong > 0
    assert kappa < 1.0


def test_counting_macro_nodes_alone_is_as_wrong_as_the_reference_measured(camelyon17):
    assert count_wrong(stage_by_macro_only, camelyon17)[0] == 11
