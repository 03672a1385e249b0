"""FER+ packed from trees and tables of the public layout, and read again by its own loader."""

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from realtime.errors import DataError
from realtime.labels import FERPLUS
from train.__main__ import app
from train.datasets import ferplus
from train.datasets.corpora import ferplus_images
from train.datasets.corpora.ferplus_images import FOLDERS, USAGES, VOTES
from train.datasets.packing.ferplus import pack

REAL = Path(__file__).resolve().parents[4] / "../shared/data/ferplus.npz"
USAGE = {split: usage for usage, split in USAGES.items()}


def votes(**by_name):
    return [by_name.get(name, 0) for name in VOTES]


ROWS = [  # usage, name, votes; a picture's grey levels are seeded by its row
    ("Training", "fer0000000.png", votes(happiness=9, surprise=1)),
    ("Training", "", votes(NF=10)),
    ("Training", "fer0000002.png", votes(neutral=6, sadness=4)),
    ("Training", "fer0000003.png", votes(fear=10)),
    ("Training", "fer0000003.png", votes(fear=10)),  # twice the same: once
    ("Training", "fer0000004.png", votes(unknown=6, sadness=4)),
    ("PublicTest", "fer0028638.png", votes(anger=5, disgust=5)),
    ("PrivateTest", "fer0032220.png", votes(contempt=9)),
    ("PrivateTest", "fer0033000.png", votes(neutral=6, sadness=4)),
    ("PrivateTest", "fer0033000.png", votes(neutral=4, sadness=6)),  # which of them? left out
    ("PrivateTest", "fer0033120.png", votes(neutral=10)),  # known to be unclear
]
KEPT = [0, 2, 4, 5, 6, 7]  # rows whose votes and pictures are packed; of a repeated name, the last picture was written


def face(row):
    return np.random.default_rng(row).integers(0, 256, (48, 48), dtype=np.uint8)


def write_votes(folder, rows=ROWS):
    path = folder / "fer2013new.csv"
    lines = [",".join([usage, name, *map(str, counts)]) for usage, name, counts in rows]
    path.write_text("\n".join([",".join(["Usage", "Image name", *VOTES]), *lines]) + "\n", "utf-8")
    return path


def write_lists(folder, rows, box='"(0, 0, 48, 48)",'):
    for split, name in FOLDERS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        lines = [f"{row[1]},{box}{','.join(map(str, row[2]))}\n" for row in rows if USAGES[row[0]] == split]
        (folder / name / "label.csv").write_text("".join(lines), "utf-8")
    return folder


def write_tree(folder, rows=ROWS):
    for number, (usage, name, _) in enumerate(rows):
        if name:
            path = folder / FOLDERS[USAGES[usage]] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), face(number))
    return folder


def write_pixels(folder, rows=ROWS, name="fer2013.csv"):
    header = "emotion,pixels,Usage" if name == "fer2013.csv" else "emotion, Usage, pixels"
    lines = [header]
    for number, (usage, *_) in enumerate(rows):
        text = " ".join(map(str, face(number).ravel()))
        lines.append(f"0,{text},{usage}" if name == "fer2013.csv" else f"0,{usage},{text}")
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    return folder / name


@pytest.fixture(params=["tree", "below images/", "fer2013.csv", "icml_face_data.csv"])
def images(request, tmp_path):
    if request.param.endswith(".csv"):
        return write_pixels(tmp_path, name=request.param)
    write_tree(tmp_path / ("FER" if request.param == "tree" else "FER/images"))
    return tmp_path / "FER"


def test_what_is_packed_is_read_again_with_its_pictures_and_shares(images, tmp_path):
    packed = pack(images, write_votes(tmp_path), tmp_path / "out/ferplus.npz")
    assert packed.pictures == {"train": 4, "valid": 1, "test": 1}
    assert packed.left_out == ("fer0033000.png", "fer0033120.png")
    train = ferplus.load(tmp_path / "out/ferplus.npz", "train")
    assert [FERPLUS[best] for best in train.targets.argmax(1)] == ["happiness", "neutral", "fear"]  # one is "unknown"
    assert train.targets[1].tolist() == pytest.approx([0.6, 0, 0, 0.4, 0, 0, 0, 0])
    for index, row in enumerate([0, 2, 4]):
        assert np.array_equal(train.image(index), np.repeat(face(row)[:, :, None], 3, axis=2))


def test_the_arrays_are_those_of_the_format(images, tmp_path):
    pack(images, write_votes(tmp_path), tmp_path / "ferplus.npz")
    coded = [cv2.imencode(".webp", face(row), [cv2.IMWRITE_WEBP_QUALITY, 101])[1].ravel() for row in KEPT]
    wanted = {
        "webp": np.concatenate(coded),
        "offsets": np.cumsum([0, *map(len, coded)]),
        "votes": np.array([ROWS[row][2] for row in KEPT], np.uint8),
        "usage": np.array([0, 0, 0, 0, 1, 2], np.uint8),
        "names": np.array([ROWS[row][1].removesuffix(".png") for row in KEPT]),
        "usage_names": np.array(["train", "valid", "test"]),
        "vote_names": np.array(VOTES),
    }
    with np.load(tmp_path / "ferplus.npz", allow_pickle=False) as file:
        assert file.files == list(wanted)
        for name, array in wanted.items():
            assert file[name].dtype == array.dtype, name
            assert np.array_equal(file[name], array), name


def test_rows_may_come_in_any_order(tmp_path):
    tree, table = write_tree(tmp_path / "FER"), write_votes(tmp_path)
    pack(tree, table, tmp_path / "one.npz")
    pack(tree, write_votes(tmp_path, ROWS[::-1]), tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


@pytest.fixture
def checkout(tmp_path):
    """Of FERPlus: its table has votes of its own, and the lists have each name once."""
    (tmp_path / "FERPlus").mkdir()
    write_votes(tmp_path / "FERPlus")
    once = {row[1]: (row[0], row[1], votes(surprise=10)) for row in ROWS if row[1]}
    write_lists(tmp_path / "FERPlus/data", list(once.values()))
    return tmp_path / "FERPlus"


@pytest.mark.parametrize("below", ["", "data"])
def test_of_a_checkout_the_lists_have_the_votes_and_the_table_the_names(images, checkout, tmp_path, below):
    packed = pack(images, checkout / below, tmp_path / "ferplus.npz")
    assert packed.left_out == ("fer0033120.png",)
    assert packed.pictures == {"train": 4, "valid": 1, "test": 2}
    train = ferplus.load(tmp_path / "ferplus.npz", "train")
    assert [FERPLUS[best] for best in train.targets.argmax(1)] == ["surprise"] * 4
    for index, row in enumerate([0, 2, 4, 5]):
        assert np.array_equal(train.image(index)[:, :, 0], face(row))


def test_lists_that_a_script_has_written_over_are_refused(checkout, tmp_path):
    write_lists(checkout / "data", [row for row in ROWS if row[1]], box="")
    error = refused(write_tree(tmp_path / "FER"), checkout, tmp_path / "ferplus.npz")
    assert "11 columns" in str(error)
    assert "git checkout" in str(error)


def test_a_checkout_that_lacks_tables_is_refused(checkout, tmp_path):
    tree, pixels = write_tree(tmp_path / "FER"), write_pixels(tmp_path)
    (checkout / "fer2013new.csv").unlink()
    assert "names the rows" in str(refused(pixels, checkout, tmp_path / "ferplus.npz"))
    (checkout / "data/FER2013Valid/label.csv").unlink()
    error = refused(tree, checkout, tmp_path / "ferplus.npz")
    assert error.problems == (f"no {checkout / 'data/FER2013Valid/label.csv'}",)


def test_names_with_votes_that_the_table_lacks_are_listed(checkout, tmp_path):
    write_votes(checkout, ROWS[:-4])
    error = refused(write_pixels(tmp_path, ROWS[:-4]), checkout, tmp_path / "ferplus.npz")
    assert error.problems == ("fer0032220.png", "fer0033000.png")


def refused(images, table, target):
    with pytest.raises(DataError) as found:
        pack(images, table, target)
    assert not target.exists()
    assert not list(target.parent.glob("*.tmp"))
    return found.value


def test_pictures_that_are_not_there_are_counted_and_the_first_are_named(tmp_path):
    rows = [("Training", f"fer{number:07}.png", votes(fear=10)) for number in range(20)]
    tree, table = write_tree(tmp_path / "FER", rows[:2]), write_votes(tmp_path, rows)
    error = refused(tree, table, tmp_path / "ferplus.npz")
    assert str(error).startswith("18 pictures with votes are not in")
    assert "fer0000002.png" in error.problems[0]
    assert error.problems[-1] == "and 10 more"


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (np.zeros((64, 48), np.uint8), "is 48 x 64 pixels"),
        (np.arange(48 * 48 * 3, dtype=np.uint8).reshape(48, 48, 3), "is coloured"),
        (None, "cannot be read as a picture"),
    ],
)
def test_pictures_of_another_kind_are_named(tmp_path, picture, said):
    tree = write_tree(tmp_path / "FER")
    wrong = tree / "FER2013Valid/fer0028638.png"
    wrong.write_bytes(b"none" if picture is None else cv2.imencode(".png", picture)[1].tobytes())
    error = refused(tree, write_votes(tmp_path), tmp_path / "ferplus.npz")
    assert "1 pictures are not FER-2013's, wanted 48 x 48 grey pixels" in str(error)
    (problem,) = error.problems
    assert str(wrong) in problem
    assert said in problem


def test_a_row_of_pixels_that_is_no_picture_is_named(tmp_path):
    table = write_pixels(tmp_path)
    lines = table.read_text().splitlines()
    lines[3] = "0,1 2 300,Training"
    lines[4] = "0,1 2 x,Training"
    lines[2] = "0,none,Training"  # its row has no face: nobody reads it
    table.write_text("\n".join(lines))
    error = refused(table, write_votes(tmp_path), tmp_path / "ferplus.npz")
    assert [problem.partition(":")[0] for problem in error.problems] == ["fer2013.csv row 4", "fer2013.csv row 5"]


def test_tables_that_do_not_go_together_are_refused(tmp_path):
    table, target = write_votes(tmp_path), tmp_path / "ferplus.npz"
    assert f"but {table} has more" in str(refused(write_pixels(tmp_path, ROWS[:-1]), table, target))
    longer = write_pixels(tmp_path, [*ROWS, ROWS[0]])
    assert f"but {longer} has more" in str(refused(longer, table, target))
    said = str(refused(write_pixels(tmp_path, ROWS[::-1]), table, target))
    assert "fer2013new.csv row 2 is Training, but fer2013.csv row 2 is 'PrivateTest'" in said


def test_all_votes_that_are_wrong_are_listed(tmp_path):
    rows = [("Holiday", "a.png", votes(fear=10)), ROWS[0], ("Training", "b.png", votes(fear=11))]
    error = refused(write_tree(tmp_path / "FER"), write_votes(tmp_path, rows), tmp_path / "ferplus.npz")
    assert [problem.partition(":")[0] for problem in error.problems] == ["fer2013new.csv row 2", "fer2013new.csv row 4"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "wanted usage and pixels"),
        ("", "wanted usage and pixels"),
        ("emotion,pixels,Usage\n0,1 2\n", "row 2 has 2 cells, wanted 3"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_table_of_another_kind_is_no_fer2013(tmp_path, content, said):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert said in str(refused(path, write_votes(tmp_path), tmp_path / "ferplus.npz"))


def call(*words):
    return CliRunner().invoke(app, ["pack", "ferplus", *map(str, words)])


def test_the_command_tells_what_it_packed(tmp_path):
    given = ["--images", write_tree(tmp_path / "FER"), "--votes", write_votes(tmp_path)]
    found = call(*given, "--out", tmp_path / "ferplus.npz", "--json")
    assert found.exit_code == 0, found.output
    assert msgspec.json.decode(found.stdout) == {
        "file": str(tmp_path / "ferplus.npz"),
        "train": 4,
        "valid": 1,
        "test": 1,
        "left out": ["fer0033000.png", "fer0033120.png"],
    }


def test_a_file_that_is_there_is_kept_unless_force_is_given(tmp_path):
    target = tmp_path / "ferplus.npz"
    target.write_text("mine")
    given = ["--images", write_tree(tmp_path / "FER"), "--votes", write_votes(tmp_path), "--out", target]
    found = call(*given)
    assert found.exit_code == 2
    assert "is there already" in found.stderr
    assert target.read_text() == "mine"
    assert call(*given, "--force").exit_code == 0
    assert len(ferplus.load(target, "valid")) == 1


def test_files_that_are_not_there_are_named_with_their_option(tmp_path):
    table = write_votes(tmp_path)
    for given, option in (((tmp_path / "no", table), "--images"), ((tmp_path, tmp_path / "no.csv"), "--votes")):
        found = call("--images", given[0], "--votes", given[1], "--out", tmp_path / "ferplus.npz")
        assert found.exit_code == 2
        assert found.stderr.startswith("error: no ")
        assert option in found.stderr


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    given = ["--images", write_tree(tmp_path / "FER"), "--votes", write_votes(tmp_path)]
    found = call(*given, "--out", tmp_path / "file/ferplus.npz")
    assert found.exit_code == 2
    assert "was not written" in found.stderr


def test_a_missing_pack_names_the_command(tmp_path):
    with pytest.raises(DataError, match=r"python -m train pack ferplus.*The two files that recipes need"):
        ferplus.load(tmp_path / "ferplus.npz", "train")


@pytest.mark.skipif(not REAL.is_file(), reason="the packed FER+ file is not there (shared/data/ferplus.npz)")
def test_the_real_file_is_unpacked_and_packed_again_bit_for_bit(tmp_path):
    lines = []
    with np.load(REAL) as file:
        arrays = {name: file[name] for name in file.files}
    rows = np.arange(0, len(arrays["names"]), 151)
    parts = []
    for row in rows:
        parts.append(arrays["webp"][slice(*arrays["offsets"][row : row + 2])])
        split, name = str(arrays["usage_names"][arrays["usage"][row]]), f"{arrays['names'][row]}.png"
        path = tmp_path / "FER" / FOLDERS[split] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), cv2.imdecode(parts[-1], cv2.IMREAD_GRAYSCALE))
        lines.append((USAGE[split], name, arrays["votes"][row].tolist()))
    pack(tmp_path / "FER", write_votes(tmp_path, lines), tmp_path / "ferplus.npz")
    wanted = arrays | {name: arrays[name][rows] for name in ("votes", "usage", "names")}
    wanted |= {"webp": np.concatenate(parts), "offsets": np.cumsum([0, *map(len, parts)])}
    with np.load(tmp_path / "ferplus.npz") as file:
        assert {name: file[name].tobytes() for name in file.files} == {k: v.tobytes() for k, v in wanted.items()}
    told = ferplus_images.read(tmp_path / "FER", tmp_path / "fer2013new.csv").samples
    packed = [ferplus.load(tmp_path / "ferplus.npz", split).targets.argmax(1) for split in ferplus.SPLITS]
    assert sorted(sample.label for sample in told) == sorted(FERPLUS[best] for best in np.concatenate(packed))
