import pytest

from train.datasets.corpora.ferplus_images import VOTES, read


def votes(**by_name):
    return [by_name.get(name, 0) for name in VOTES]


ROWS = [
    ("Training", "fer0000000.png", votes(happiness=9, surprise=1)),
    ("Training", "", votes(NF=10)),
    ("Training", "fer0000002.png", votes(neutral=6, sadness=4)),
    ("Training", "fer0000002.png", votes(fear=10)),
    ("Training", "fer0000003.png", votes(unknown=6, sadness=3)),
    ("PublicTest", "fer0028638.png", votes(anger=5, disgust=4)),
    ("PrivateTest", "fer0032220.png", votes(contempt=10)),
]
FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}


def write_table(folder, rows):
    lines = [",".join([usage, name, *map(str, counts)]) for usage, name, counts in rows]
    (folder / "fer2013new.csv").write_text("\n".join([",".join(["Usage", "Image name", *VOTES]), *lines]), "utf-8")


def write_labels(folder, rows):
    for usage, name in FOLDERS.items():
        lines = [f'{row[1]},"(0, 0, 48, 48)",{",".join(map(str, row[2]))}\n' for row in rows if row[0] == usage]
        (folder / name / "label.csv").write_text("".join(lines), "utf-8")


@pytest.fixture
def root(tmp_path, pictures):
    for usage, name, _ in ROWS:
        if name:
            pictures(f"images/{FOLDERS[usage]}", [int(name[3:-4])], "fer{:07d}.png")
    return tmp_path


@pytest.fixture(params=["one table", "a table a folder"])
def whole(request, root):
    if request.param == "one table":
        write_table(root, ROWS)
    else:
        write_labels(root / "images", [row for row in ROWS if row[1]])
    return root


def test_pictures_are_clips_of_one_frame_and_repeated_names_are_said(whole):
    reading = read(whole, None)
    assert reading.problems == ()
    assert [(s.id, s.raw_label) for s in reading.samples] == [
        ("train-fer0000000", "happiness"),
        ("train-fer0000002", "neutral"),
        ("valid-fer0028638", "anger"),
        ("test-fer0032220", "contempt"),
    ]
    assert len({s.subject for s in reading.samples}) == 4
    (repeated,) = reading.corrections
    assert "fer0000002.png occurs a second time" in repeated


def test_all_rows_that_are_wrong_are_listed(root):
    wrong = [
        ("Training", "fer0000009.png", votes(fear=10)),
        ("Holiday", "fer0000000.png", votes(fear=10)),
        ("Training", "", votes(fear=10)),
        ("Training", "fer0000000.png", votes(fear=11)),
        ("Training", "fer0000000.png", [*votes(fear=10)[:-1], "x"]),
    ]
    write_table(root, [ROWS[0], *wrong])
    problems = read(root, None).problems
    assert [problem.partition(":")[0] for problem in problems] == [f"fer2013new.csv row {n}" for n in range(3, 8)]
    assert "no picture" in problems[0]
