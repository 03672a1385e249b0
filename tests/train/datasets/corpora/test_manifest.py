import cv2
import pytest

from train.datasets.corpora.manifest import read

HEAD = "subject,path,fps,onset,apex,offset,label\n"


@pytest.fixture
def write(tmp_path, pictures, draw):
    pictures("ben/frown", range(46, 87))
    pictures("stills", [1], "cara{}.png")
    writer = cv2.VideoWriter(str(tmp_path / "anna.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (64, 48))
    for number in range(11):
        writer.write(cv2.resize(draw(number), (64, 48)))
    writer.release()

    def go(*lines):
        (tmp_path / "manifest.csv").write_text(HEAD + "".join(f"{line}\n" for line in lines), "utf-8")
        return tmp_path

    return go


def test_videos_folders_and_stills_are_read(write):
    root = write("anna,anna.avi,,,,,Happy", "ben,ben\\frown,60,46,59,86,negative", "cara,stills/cara1.png,,,,,fear")
    reading = read(root, None)
    assert reading.problems == ()
    video, folder, still = reading.samples
    assert (video.recording.fps, video.recording.last, video.offset_s) == (25.0, 10, pytest.approx(0.4))
    assert video.estimated == ("onset", "apex", "offset")
    assert (folder.apex_s, folder.recording.path.name, folder.kind) == (pytest.approx(13 / 60), "frown", None)
    assert (still.recording.last, still.offset_s) == (0, 0.0)
    assert len({sample.id for sample in reading.samples}) == 3


def test_one_video_may_hold_several_events_at_a_rate_that_the_table_overrules(write):
    root = write("anna,anna.avi,50,1,3,5,a", "anna,anna.avi,50,6,8,10,b")
    first, second = read(root.parent, root / "manifest.csv").samples
    assert (first.apex_s, second.apex_s) == pytest.approx((0.06, 0.16))


def test_paths_may_be_absolute(write, tmp_path):
    assert read(write(f"ben,{tmp_path}/ben/frown,60,46,59,86,a"), None).problems == ()


@pytest.mark.promise(
    "a table of clips that names files outside its folder",
    "refused by its row, unless they are below the --root that was given",
    "4 spellings of 4; read before",
)
def test_a_path_outside_the_tables_folder_and_the_root_is_refused(write, tmp_path, pictures):
    pictures("ben/secret", range(46, 87))
    root = write("ben,ben/frown,60,46,59,86,a")
    apart = tmp_path / "theirs"
    apart.mkdir()
    names = ("../ben/secret", "x/../../ben/secret", "..\\ben\\secret", f"{tmp_path}/ben/secret")
    rows = "".join(f"ben,{name},60,46,59,86,a\n" for name in names)
    (apart / "manifest.csv").write_text(HEAD + rows, "utf-8")
    reading = read(apart, None)
    assert reading.samples == ()
    assert len(reading.problems) == 4
    assert all("lies outside of" in problem and "--root" in problem for problem in reading.problems)
    assert not any("lies outside" in problem for problem in read(root, apart / "manifest.csv").problems)


def test_all_rows_that_are_wrong_are_listed(write, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    root = write(
        ",anna.avi,,,,,",
        "ben,ben/frown,,46,59,86,a",
        "ben,nowhere.mp4,25,,,,a",
        "cara,broken.mp4,25,,,,a",
        "anna,anna.avi,,2,4,11,a",
        "anna,anna.avi,,,,,a",
    )
    reading = read(root, None)
    wanted = [
        "no subject and no label",
        "'' is no frame rate",
        "nowhere.mp4",
        "cannot be decoded",
        "offset 11 is outside",
    ]
    assert len(reading.samples) == 1
    for row, (problem, part) in enumerate(zip(reading.problems, wanted, strict=True), 2):
        assert problem.startswith(f"manifest.csv row {row}: ")
        assert part in problem
