import numpy as np
import pytest

from train.clips.prepare import save_array
from train.storage.atomic import move, writing


def folder_of(path, text):
    path.mkdir(parents=True)
    (path / "file").write_text(text)
    return path


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    target = tmp_path / "folder" / "a.b.npy"
    with pytest.raises(TypeError), writing(target) as file:
        file.writelines([b"half", None])
    assert list(target.parent.iterdir()) == []
    save_array(target, np.arange(3))
    assert [path.name for path in target.parent.iterdir()] == ["a.b.npy"]
    assert np.load(target).tolist() == [0, 1, 2]


def test_a_file_that_fails_leaves_the_older_one(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(TypeError), writing(target) as file:
        file.writelines([b"half", None])
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_folder_takes_the_place_of_another_or_of_none(tmp_path):
    place = tmp_path / "place"
    move(folder_of(tmp_path / "first", "1"), place, tmp_path / "aside")
    assert (place / "file").read_text() == "1"
    move(folder_of(tmp_path / "second", "2"), place, tmp_path / "aside")
    assert (place / "file").read_text() == "2"
    assert (tmp_path / "aside" / "file").read_text() == "1"


def test_a_folder_that_cannot_be_moved_leaves_the_older_one(tmp_path):
    place = folder_of(tmp_path / "place", "old")
    with pytest.raises(FileNotFoundError):
        move(tmp_path / "never made", place, tmp_path / "aside")
    assert (place / "file").read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]
