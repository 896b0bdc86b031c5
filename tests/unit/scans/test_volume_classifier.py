"""Networks that are shown volumes, ages and sexes."""

import numpy as np
import pandas as pd
import pytest
import torch

from medscale.errors import InputError
from medscale.scans.subjects import COLUMNS
from medscale.scans.volume_classifier import VolumeSettings, classify_subjects, train_volume_classifier
from medscale.scans.volumes import write_prepared_volume
from medscale.training.models import load_model, save_model

CPU = torch.device("cpu")
CLASSES, SCORES = ["control", "patient"], ["age", "sex"]
SHAPE = (2, 8, 8, 8)
SETTINGS = {
    "network": {"name": "volume_cnn", "width": 4, "depth": 2, "hidden": 8},
    "batch_size": 8,
    "epochs": 2,
    "samples_per_epoch": None,
    "optimisation": {"optimiser": "adamw", "learning_rate": 0.01},
    "flip": True,
}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _split(number):
    return "train" if number < 24 else "validation" if number < 32 else "test"


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    """Forty-eight subjects: ages tell half of the patients, a bright second channel the other half."""
    folder, rows, prepared = tmp_path_factory.mktemp("volumes"), [], {}
    for number in range(48):
        subject, rng = f"s{number}", np.random.default_rng(number)
        patient, by_age = number % 2 == 1, number % 4 == 1
        volume = rng.normal(size=SHAPE).astype(np.float32)
        volume[1, 2:6, 2:6, 2:6] += 2.5 * (patient and not by_age)
        prepared[subject] = folder / f"{subject}.npy"
        write_prepared_volume(volume, prepared[subject])
        age = f"{rng.normal(60, 2) + 25 * (patient and by_age):.1f}" if number != 2 else ""
        label = CLASSES[patient]
        rows.append((subject, "", "", "", age, "FM"[number // 4 % 2], label, _split(number)))
    return prepared, pd.DataFrame(rows, columns=COLUMNS).set_index("subject", drop=False)


def _train(folder, subjects, inputs="both", seed=0, sheet=None, scores=SCORES, prepared=None, **changes):
    return train_volume_classifier(
        prepared or subjects[0],
        subjects[1] if sheet is None else sheet,
        CLASSES,
        scores,
        VolumeSettings(**(SETTINGS | changes)),
        inputs,
        seed=seed,
        device=CPU,
        checkpoints=folder / "checkpoints",
    )


def _bytes(folder, network, card):
    save_model(network, card, folder / "run.safetensors")
    return [(folder / f"run.{suffix}").read_bytes() for suffix in ("safetensors", "json")]


def test_the_same_seed_gives_the_same_bytes(tmp_path, subjects):
    first, again = (_bytes(tmp_path, *_train(tmp_path / name, subjects)) for name in ("a", "b"))
    assert first == again
    other = _bytes(tmp_path, *_train(tmp_path / "c", subjects, seed=1))
    assert all(one != two for one, two in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("inputs", "scores", "shape"),
    [("both", 3, list(SHAPE)), ("image", 0, list(SHAPE)), ("demographics", 3, None)],
)
def test_a_saved_network_says_the_same_and_its_card_how(tmp_path, subjects, inputs, scores, shape):
    prepared, sheet = subjects
    network, card = _train(tmp_path, subjects, inputs)
    trained = classify_subjects(network, card, prepared, sheet, CPU)
    save_model(network, card, tmp_path / "run.safetensors")
    network, card = load_model(tmp_path / "run.safetensors", CPU)
    pd.testing.assert_frame_equal(classify_subjects(network, card, prepared, sheet, CPU), trained)
    assert card.network["inputs"] == {"demographics": "scores"}.get(inputs, inputs)
    assert (card.network["scores"], card.network["outputs"]) == (scores, 2)
    assert (card.inputs["classes"], card.inputs["inputs"], card.inputs["shape"]) == (CLASSES, inputs, shape)
    assert card.inputs["score_scale"]["flagged"] == (["age"] if scores else [])
    assert (card.training["samples"], card.training["seed"], card.training["flip"]) == (24, 0, True)
    assert [record["epoch"] for record in card.history] == [1, 2]
    assert "validation_accuracy" in card.history[-1]


def test_predictions_are_a_table_of_all_subjects(tmp_path, subjects):
    prepared, sheet = subjects
    table = classify_subjects(*_train(tmp_path, subjects), prepared, sheet[::-1], CPU)
    assert list(table) == ["subject", "split", "class", "predicted", "p_control", "p_patient"]
    assert table["subject"].tolist() == sheet.index[::-1].tolist()
    assert table["split"].tolist() == sheet["split"][::-1].tolist()
    np.testing.assert_allclose(table["p_control"] + table["p_patient"], 1, atol=1e-6)
    assert (table["predicted"] == np.where(table["p_patient"] > 0.5, "patient", "control")).all()
    one = classify_subjects(*_train(tmp_path, subjects), prepared, sheet[5:6], CPU)
    np.testing.assert_allclose(one["p_patient"], table["p_patient"][len(sheet) - 6], atol=1e-5)


def test_each_part_tells_of_some_patients_and_both_of_all(tmp_path, subjects):
    prepared, sheet = subjects
    unseen, found = sheet[sheet["split"] != "train"], {}
    for inputs in ("image", "demographics", "both"):
        falling = {"optimiser": "adamw", "learning_rate": 0.02, "schedule": "cosine"}
        model = _train(tmp_path / inputs, subjects, inputs, epochs=25, optimisation=falling)
        said = classify_subjects(*model, prepared, unseen, CPU).set_index("subject")["p_patient"]
        numbers = said.index.str[1:].astype(int)
        # Those whom their age tells, those whom the image tells, and controls.
        found[inputs] = [said[numbers % 4 == 1].mean(), said[numbers % 4 == 3].mean(), said[::2].mean()]
    by_age, by_image, control = found["both"]
    assert min(by_age, by_image) > control + 0.6
    by_age, by_image, control = found["image"]
    assert by_image > max(by_age, control) + 0.3
    by_age, by_image, control = found["demographics"]
    assert by_age > max(by_image, control) + 0.3


def test_demographics_alone_open_no_volume_and_know_no_test_subject(tmp_path, subjects):
    _, sheet = subjects
    network, card = _train(tmp_path / "a", subjects, "demographics", prepared={"nobody": tmp_path})
    assert len(classify_subjects(network, card, {}, sheet, CPU)) == 48
    aged = sheet.assign(age=sheet["age"].where(sheet["split"] == "train", "99"))
    _, other = _train(tmp_path / "b", subjects, "demographics", sheet=aged)
    assert other.inputs["score_scale"] == card.inputs["score_scale"]
    train = sheet[(sheet["split"] == "train") & (sheet["age"] != "")]
    assert card.inputs["score_scale"]["means"]["age"] == pytest.approx(train["age"].astype(float).mean())


def test_without_validation_nothing_is_watched(tmp_path, subjects):
    sheet = subjects[1][subjects[1]["split"] != "validation"]
    _, card = _train(tmp_path, subjects, sheet=sheet)
    assert "validation_loss" not in card.history[-1]


def test_what_does_not_fit_is_refused(tmp_path, subjects):
    prepared, sheet = subjects
    with pytest.raises(InputError, match="'scores'; expected one of image, demographics, both"):
        _train(tmp_path, subjects, "scores")
    with pytest.raises(InputError, match="at least one to show both"):
        _train(tmp_path, subjects, scores=[])
    with pytest.raises(InputError, match="'unet'; expected one of volume_cnn"):
        _train(tmp_path, subjects, network={"name": "unet"})
    with pytest.raises(InputError, match="s5: found no prepared volume"):
        _train(tmp_path, subjects, prepared={name: path for name, path in prepared.items() if name != "s5"})
    with pytest.raises(InputError, match="1 subjects in train; expected two"):
        _train(tmp_path, subjects, sheet=sheet[20:24].assign(split=["train", "test", "test", "test"]))
    with pytest.raises(InputError, match="subject s3: found class other; expected one of control, patient"):
        _train(tmp_path, subjects, sheet=sheet.replace({"class": {"patient": "other"}})[2:])
    write_prepared_volume(np.ones((1, 8, 8, 8), np.float32), tmp_path / "s30.npy")
    with pytest.raises(
        InputError, match=r"s30\.npy: found channels and voxels \(1, 8, 8, 8\); expected \(2,"
    ):
        _train(tmp_path, subjects, prepared=prepared | {"s30": tmp_path / "s30.npy"})
    network, card = _train(tmp_path, subjects)
    with pytest.raises(InputError, match="as for the other subjects"):
        classify_subjects(network, card, {"s30": tmp_path / "s30.npy"}, sheet.loc[["s30"]], CPU)
