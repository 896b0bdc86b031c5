from pathlib import Path

from medscale.files.code import imported_files


def _write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_imports_are_followed_through_files_and_into_functions(tmp_path):
    _write(
        tmp_path,
        {
            "script.py": "from package.a import thing\nimport numpy",
            "package/__init__.py": "",
            "package/a.py": "def thing():\n    from package import b",
            "package/b.py": "import package.a",
            "package/unused.py": "",
        },
    )
    found = imported_files(tmp_path / "script.py", tmp_path)
    names = ["package/__init__.py", "package/a.py", "package/b.py"]
    assert found == [str(tmp_path / name) for name in names]


def test_every_script_of_the_project_names_what_it_imports(root):
    for script in (root / "workflow_scripts").glob("*/*.py"):
        found = imported_files(script, root)
        assert str(root / "workflow_scripts/job.py") in found, script
        assert all(Path(path).is_file() for path in found)


def test_a_change_in_the_lesion_features_does_not_concern_the_training(root):
    found = imported_files(root / "workflow_scripts/pathology/train_classifier.py", root)
    assert str(root / "medscale/networks/classifiers/resnet.py") in found
    assert str(root / "medscale/pathology/lesions.py") not in found
