"""ICT-FaceKit packed from a checkout of the public layout, and read again by its own loader."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from realtime.errors import DataError
from train.__main__ import app
from train.synthesis.face import facekit
from train.synthesis.face.facekit_pack import BESIDE, Size, pack, read
from train.synthesis.face.wavefront import read_mesh

EXPRESSIONS = ["jawOpen", "browDown_L", "browDown_R"]
SORTED = ["PupilDilate_L", "PupilDilate_R", "browDown_L", "browDown_R", "cheekRaiser_L", "cheekRaiser_R", "jawOpen"]
SIZE = Size(vertices=7, polygons=3, identities=2)
VERTICES = np.random.default_rng(1).uniform(-12, 12, (7, 3)).astype(np.float32)
LANDMARKS = [number % 7 for number in range(68)]
FACES = """vt 0 0
vt 0.5 1
vt 6.25 0.125
vt 1 1
# skin
g face
usemtl M_Teeth
f 1/1 2/2 3/3
s off
usemtl M_Face
f 4/4/1 3/3/1 2/2/1 1/1/1
vn 0 0 1
usemtl M_Teeth
f 7/1 6/2 5/3 4/4
"""


def lines(vertices):
    """As text that float32 reads back unchanged."""
    return "".join("v {} {} {}\n".format(*map(str, vertex)) for vertex in vertices)


def moved(name):
    seed = [*SORTED, "identity000", "identity001"].index(name) + 2
    return (VERTICES + np.random.default_rng(seed).normal(0, 1, VERTICES.shape)).astype(np.float32)


def write_model(folder, vertices=VERTICES, faces=FACES, meshes=None, table=None):
    folder.mkdir(parents=True)
    (folder / "generic_neutral_mesh.obj").write_text("# a head\nmtllib some.mtl\n" + lines(vertices) + faces)
    meshes = {name: moved(name) for name in (*SORTED, "identity000", "identity001")} if meshes is None else meshes
    for name, mesh in meshes.items():
        (folder / f"{name}.obj").write_text("# a head\n" + lines(mesh))
    (folder / "other.obj").write_text("nobody reads this")
    given = {"expressions": EXPRESSIONS, "idx_to_landmark_verts": LANDMARKS, "incompatibilities": []}
    (folder / "vertex_indices.json").write_text(json.dumps(given if table is None else table))
    return folder


@pytest.fixture
def root(tmp_path):
    write_model(tmp_path / "ICT-FaceKit/FaceXModel")
    return tmp_path / "ICT-FaceKit"


def test_the_arrays_are_those_of_the_format(root):
    found = read(root, SIZE)
    wanted = {
        "neutral": VERTICES,
        "expressions": np.stack([moved(name) - VERTICES for name in SORTED]).astype(np.float16),
        "expression_names": np.array(SORTED),
        "identities": np.stack([moved(f"identity00{i}") - VERTICES for i in range(2)]).astype(np.float16),
        "identity_names": np.array(["identity000", "identity001"]),
        "quads": np.array([[0, 1, 2, 2], [3, 2, 1, 0], [6, 5, 4, 3]], np.int32),
        "uv": np.array([[0, 0], [0.5, 1], [6.25, 0.125], [1, 1]], np.float32),
        "uv_quads": np.array([[0, 1, 2, 2], [3, 2, 1, 0], [0, 1, 2, 3]], np.int32),
        "material": np.array([1, 0, 1], np.uint8),
        "material_names": np.array(["M_Face", "M_Teeth"]),
        "landmarks68": np.array(LANDMARKS, np.int32),
    }
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        assert np.array_equal(found[name], array), name


def test_what_is_packed_is_the_head_that_training_reads(root, tmp_path):
    counts = pack(root, tmp_path / "out/ict_facekit.npz", SIZE)
    assert counts == {"neutral": 7, "quads": 3, "expressions": 7, "identities": 2}
    head = facekit.load(str(tmp_path / "out/ict_facekit.npz"))
    axes = np.array([1, -1, -1])
    assert np.array_equal(head.neutral, VERTICES * axes)
    assert list(head.shapes) == SORTED
    assert np.allclose(head.shapes["jawOpen"], (moved("jawOpen") - VERTICES) * axes, atol=2e-3)
    person = head.shaped(np.array([1.0, 0.0], np.float32))
    assert np.allclose(person, moved("identity000") * axes, atol=2e-3)
    assert [head.materials[number] for number in head.material] == ["M_Teeth", "M_Face", "M_Teeth"]
    assert head.landmarks.tolist() == LANDMARKS


def test_the_folder_of_the_meshes_may_be_given_itself(root):
    below, itself = read(root, SIZE), read(root / "FaceXModel", SIZE)
    assert all(np.array_equal(below[name], itself[name]) for name in below)


def refused(root, target, size=SIZE):
    with pytest.raises(DataError) as found:
        pack(root, target, size)
    assert not list(target.parent.glob("*.npz*"))
    return found.value


def test_files_that_are_missing_are_counted_and_the_first_are_named(root, tmp_path):
    for name in ("cheekRaiser_R", "identity001"):
        (root / f"FaceXModel/{name}.obj").unlink()
    error = refused(root, tmp_path / "ict_facekit.npz")
    assert "2 files of the light model are not in" in str(error)
    assert error.problems == ("no cheekRaiser_R.obj", "no identity001.obj")
    many = refused(root, tmp_path / "ict_facekit.npz", Size(7, 3, 100))
    assert len(many.problems) == 9
    assert many.problems[-1] == "and 92 more"


def test_an_empty_folder_lacks_the_neutral_mesh_and_the_table(tmp_path):
    error = refused(tmp_path, tmp_path / "ict_facekit.npz")
    assert error.problems == ("no generic_neutral_mesh.obj", "no vertex_indices.json")


def test_another_model_is_refused(root, tmp_path):
    said = str(refused(root, tmp_path / "ict_facekit.npz", Size(26_719, 26_384, 2)))
    assert "has 7 vertices and 3 polygons, wanted 26719 and 26384" in said


def test_meshes_that_are_cut_off_are_named(tmp_path):
    meshes = {name: moved(name) for name in (*SORTED, "identity000", "identity001")}
    meshes |= {"jawOpen": moved("jawOpen")[:5], "identity000": VERTICES[:0]}
    root = write_model(tmp_path / "model", meshes=meshes)
    error = refused(root, tmp_path / "ict_facekit.npz")
    assert "wanted 7, as generic_neutral_mesh.obj has" in str(error)
    assert error.problems == ("jawOpen.obj has 5 vertices", "identity000.obj has 0 vertices")


@pytest.mark.parametrize("line", ["v 1 2", "v 1 2 x", "v 1 2 nan", "v 1e99 inf 3", "v 1 2 3 4 5"])
def test_a_damaged_vertex_is_named_with_its_line(root, tmp_path, line):
    with (root / "FaceXModel/jawOpen.obj").open("a") as file:
        file.write(line + "\n")
    said = str(refused(root, tmp_path / "ict_facekit.npz"))
    assert "jawOpen.obj line 9: " in said
    assert repr(line) in said


@pytest.mark.parametrize("line", ["f 1/1 2/2 8/3", "f 1/1 2/2 0/3", "f 1 2 3", "f 1//1 2//2 3//3", "f 1/1 2/2", "f"])
def test_a_damaged_polygon_is_named_with_its_line(tmp_path, line):
    root = write_model(tmp_path / "model", faces=f"{FACES}{line}\n")
    said = str(refused(root, tmp_path / "ict_facekit.npz"))
    assert f"generic_neutral_mesh.obj line {9 + FACES.count(chr(10)) + 1}: {line!r}, wanted three or four" in said


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"expressions": EXPRESSIONS}, "idx_to_landmark_verts"),
        ({"expressions": [1], "idx_to_landmark_verts": LANDMARKS}, "cannot be read"),
        ({"expressions": EXPRESSIONS, "idx_to_landmark_verts": LANDMARKS[:5]}, "has 5 idx_to_landmark_verts"),
        ({"expressions": EXPRESSIONS, "idx_to_landmark_verts": [7] * 68}, "wanted 68 below 7"),
    ],
)
def test_a_table_without_landmarks_of_this_mesh_is_refused(tmp_path, table, said):
    root = write_model(tmp_path / "model", table=table)
    assert said in str(refused(root, tmp_path / "ict_facekit.npz"))


def test_a_file_that_is_no_text_is_refused(root, tmp_path):
    (root / "FaceXModel/identity001.obj").write_bytes(b"\xff\xfe\x00\x01")
    assert "identity001.obj cannot be read" in str(refused(root, tmp_path / "ict_facekit.npz"))


def test_polygons_without_a_material_are_refused(tmp_path):
    root = write_model(tmp_path / "model", faces=FACES.replace("usemtl M_Teeth\nf 1", "f 1"))
    assert "before its first usemtl" in str(refused(root, tmp_path / "ict_facekit.npz"))


def test_line_ends_of_windows_make_no_difference(root):
    path = root / "FaceXModel/generic_neutral_mesh.obj"
    before = read_mesh(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert np.array_equal(read_mesh(path).vertices, before.vertices)
    assert read_mesh(path).materials == before.materials


def test_the_command_refuses_what_is_no_checkout_and_what_is_there(root, tmp_path):
    target = tmp_path / "ict_facekit.npz"
    given = ["pack", "facekit", "--root", str(root), "--out", str(target)]
    found = CliRunner().invoke(app, given)
    assert found.exit_code == 2
    assert "98 files of the light model are not in" in found.stderr
    target.write_text("mine")
    found = CliRunner().invoke(app, given)
    assert found.exit_code == 2
    assert "is there already" in found.stderr
    assert target.read_text() == "mine"


def six_digits(numbers):
    """Rounded to six significant digits, as the public meshes are written."""
    powers = 10.0 ** (5 - np.floor(np.log10(np.where(numbers == 0, 1, np.abs(numbers)))))
    return (np.rint(numbers * powers) / powers).astype(np.float32)


def target_mesh(neutral, displacement):
    """A mesh in float32 that is as far from `neutral` as was packed, to the bit, and to the sign of zero."""
    written = six_digits(neutral.astype(np.float64) + displacement)
    wanted = displacement.tobytes()
    for other in (neutral + displacement.astype(np.float32), np.nextafter(neutral, np.float32(-np.inf))):
        wrong = (written - neutral).astype(np.float16).view(np.uint16) != displacement.view(np.uint16)
        written = np.where(wrong, other, written)
    assert (written - neutral).astype(np.float16).tobytes() == wanted
    return written


def test_the_real_head_is_unpacked_and_packed_again_bit_for_bit(facekit_path, tmp_path):
    with np.load(facekit_path) as file:
        real = {name: file[name] for name in file.files}
    names = real["expression_names"].tolist()
    chosen = [names.index(name) for name in (*BESIDE[:2], "browDown_L", *BESIDE[2:], "jawOpen", "mouthSmile_R")]
    meshes = {names[row]: target_mesh(real["neutral"], real["expressions"][row]) for row in chosen}
    meshes |= {f"identity00{row}": target_mesh(real["neutral"], real["identities"][row]) for row in range(2)}
    uv = "".join(f"vt {u} {v}\n" for u, v in real["uv"])
    faces, before = [], None
    for quad, corners, material in zip(real["quads"], real["uv_quads"], real["material"], strict=True):
        faces += [f"usemtl {real['material_names'][material]}"] if material != before else []
        before, count = material, 3 if quad[2] == quad[3] else 4
        faces.append("f " + " ".join(f"{a + 1}/{b + 1}" for a, b in zip(quad[:count], corners[:count], strict=True)))
    table = {"expressions": [names[row] for row in chosen], "idx_to_landmark_verts": real["landmarks68"].tolist()}
    root = write_model(tmp_path / "model", real["neutral"], uv + "\n".join(faces) + "\n", meshes, table)
    found = read(root, Size(26_719, 26_384, 2))
    wanted = real | {
        "expressions": real["expressions"][chosen],
        "expression_names": np.array([names[row] for row in chosen]),
        "identities": real["identities"][:2],
        "identity_names": real["identity_names"][:2],
    }
    assert list(found) == list(wanted)
    different = [name for name in wanted if found[name].tobytes() != wanted[name].tobytes()]
    assert different == []
