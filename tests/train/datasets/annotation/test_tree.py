import pytest

from realtime.errors import DataError
from train.datasets.annotation.tree import Tree


@pytest.mark.parametrize("spelling", ["s1", "s01", "S01", "s001"])
def test_a_folder_is_found_in_any_spelling(tmp_path, spelling):
    (tmp_path / "s01" / "clip").mkdir(parents=True)
    assert Tree(tmp_path).locate(f"{spelling}/clip") == tmp_path / "s01" / "clip"


def test_the_exact_spelling_wins_and_a_tie_is_no_answer(tmp_path):
    for name in ("EP01_2", "EP01_02"):
        (tmp_path / name).mkdir()
    tree = Tree(tmp_path)
    assert tree.locate("EP01_02").name == "EP01_02"
    assert tree.find(tmp_path, "EP1_2") is None


def test_the_first_place_that_is_there_is_taken(tmp_path):
    (tmp_path / "b").mkdir()
    assert Tree(tmp_path).locate("a", "b").name == "b"
    with pytest.raises(DataError, match=r"no .*a or .*c; unpack"):
        Tree(tmp_path).locate("a", "c")


def test_the_root_may_be_the_archive_or_what_is_in_it(tmp_path):
    (tmp_path / "SMIC" / "HS").mkdir(parents=True)
    assert Tree(tmp_path, "Other", "SMIC/HS").base == tmp_path / "SMIC" / "HS"
    assert Tree(tmp_path / "SMIC" / "HS", "SMIC/HS").base == tmp_path / "SMIC" / "HS"


def test_pictures_are_ordered_by_number_and_other_files_are_passed_over(pictures):
    folder = pictures("clip", [10, 9, 100], "reg_img{}.png")
    for name in ("Thumbs.db", "notes.txt", "cover.png", "._img3.png"):
        (folder / name).touch()
    assert list(Tree(folder).pictures(folder)) == [9, 10, 100]


def test_two_pictures_of_one_number_are_refused(pictures):
    folder = pictures("clip", [7], "a{}.png")
    pictures("clip", [7], "b0{}.png")
    with pytest.raises(DataError, match=r"a7\.png and b07\.png"):
        Tree(folder).pictures(folder)


def test_a_root_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="--root"):
        Tree(tmp_path / "nowhere")
