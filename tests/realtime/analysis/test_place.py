"""Folders of results: called after their files, whole or not there, and nobody else's is replaced."""

from pathlib import Path

import pytest

from realtime.analysis import place
from realtime.errors import ConfigError


def test_a_folder_is_called_after_its_file_and_numbered_where_two_have_one_name(tmp_path):
    files = [Path(name) for name in ("a/clip.mp4", "b/clip.mov", "CLIP.avi", "Besuch im Café.mp4", "clip-2.mp4")]
    found = [folder.name for folder in place.folders(files, tmp_path, overwrite=False)]
    assert found == ["clip", "clip-2", "CLIP-3", "Besuch im Café", "clip-2-2"]
    assert place.folders(files[::-1], tmp_path, overwrite=False)[-1].parent == tmp_path


@pytest.mark.promise("results lie where new ones would go", "refused with what to do, before anything begins", "1 of 1")
def test_what_is_there_is_refused_unless_it_may_be_replaced(tmp_path):
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / place.REPORT).write_text("old")
    with pytest.raises(ConfigError, match=r"clip: there already; give --overwrite .* or another --out"):
        place.folders([Path("clip.mp4")], tmp_path, overwrite=False)
    assert place.folders([Path("clip.mp4")], tmp_path, overwrite=True) == [tmp_path / "clip"]


@pytest.mark.promise("--overwrite of a folder of the user's own", "refused: it holds more than results", "2 of 2")
def test_a_folder_of_the_users_own_is_never_replaced(tmp_path):
    (tmp_path / "Documents").mkdir()
    (tmp_path / "Documents" / "thesis.odt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    for name in ("Documents.mp4", "link.mp4"):
        with pytest.raises(ConfigError, match="holds more than results, and is not overwritten"):
            place.folders([Path(name)], tmp_path, overwrite=True)


def test_earlier_results_give_way_to_whole_new_ones(tmp_path):
    folder = tmp_path / "clip"
    for text in ("old", "new"):
        made = place.partial(folder)
        made.mkdir()
        (made / place.REPORT).write_text(text)
        place.placed(made, folder)
    assert (folder / place.REPORT).read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]
