import re
from dataclasses import replace
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from realtime.config import ROOT
from train import registry
from train.datasets.annotation.sample import Sample
from train.datasets.folds import Fold, cases, composite
from train.evaluation import beside, charts, report
from train.evaluation.evaluate import EvaluationPlan, fold_folder
from train.evaluation.metrics import bootstrap, confusion, scores
from train.evaluation.predictions import Prediction, classes
from train.evaluation.published import BENCHMARKS, Benchmark, Figure

LABELS = ("negative", "positive", "sur<prise>")


@pytest.fixture(scope="module")
def plan():
    sets = {
        name: [
            Sample(f"{p}-{i}", f"{p}", LABELS[min((p + i) % 5, 2)], onset_s=0.0, apex_s=0.1, offset_s=0.2)
            for p in range(people)
            for i in range(5)
        ]
        for name, people in (("casme2", 6), ("samm", 4))
    }
    found = cases(sets)
    return EvaluationPlan(
        "toy & composite", 5, 1, LABELS, found, composite(found), (0.0,), {"rate": 0.5, "note": "<script>"}
    )


@pytest.fixture(scope="module")
def pooled(plan):
    """Answers that are right about two times in three."""
    rng = np.random.default_rng(1)
    by_id = {case.id: case for case in plan.cases}
    rows = []
    for case in (by_id[id] for fold in plan.folds for id in fold.test):
        said = LABELS.index(case.label) if rng.random() < 0.6 else int(rng.integers(3))
        shares = tuple(0.8 if i == said else 0.1 for i in range(3))
        rows.append(Prediction(case.id, 0.0, case.set, case.subject, case.label, shares))
    return rows


@pytest.fixture
def folder(plan, tmp_path):
    for i, fold in enumerate(plan.folds[:3]):
        fold_folder(tmp_path, fold).mkdir()
        curve = f"epoch,loss,valid_uf1\n1,{2 + i},0.1\n2,{1 + i},nan\n3,0.5,0.4\n"
        (fold_folder(tmp_path, fold) / "curve.csv").write_text(curve)
    return tmp_path


def drawings(text):
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def rows_of(text, heading):
    """The cells of the first table behind a heading."""
    table = text.split(f"<h2>{heading}", 1)[1].split("</table>")[0]
    return [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr")[2:]]


def test_the_same_run_gives_the_same_bytes(plan, pooled, folder):
    first = report.write(plan, pooled, folder, BENCHMARKS["megc-3"]).read_bytes()
    assert report.write(plan, pooled, folder, BENCHMARKS["megc-3"]).read_bytes() == first
    assert [path.name for path in folder.iterdir() if path.suffix == ".tmp"] == []


def test_scores_stand_beside_their_interval_and_the_commonest_class(plan, pooled, folder):
    truth, said = classes(pooled, LABELS)
    found = scores(truth, said, LABELS)
    people = [row.subject for row in pooled]
    intervals = bootstrap(truth, said, people, 3, draws=report.DRAWS, seed=plan.seed)
    always = scores(truth, np.full_like(truth, np.bincount(truth).argmax()), LABELS)
    wanted = [
        [
            title,
            f"{getattr(found, name):.4f}",
            f"{intervals[name].low:.4f} to {intervals[name].high:.4f}",
            f"{getattr(always, name):.4f}",
        ]
        for name, title in (("accuracy", "accuracy (WAR)"), ("uf1", "UF1"), ("uar", "UAR"))
    ]
    assert rows_of(report.page(plan, pooled, folder, None), "Scores") == wanted
    assert float(wanted[0][3]) == pytest.approx(found.majority, abs=1e-4)


def test_classes_sets_and_folds_are_counted(plan, pooled, folder):
    text = report.page(plan, pooled, folder, None)
    truth, said = classes(pooled, LABELS)
    assert [int(row[1]) for row in rows_of(text, "Classes")] == np.bincount(truth).tolist()
    assert [row[:2] for row in rows_of(text, "Data sets")] == [["casme2", "30"], ["samm", "20"]]
    folds = rows_of(text, "Folds")
    assert [row[0] for row in folds] == [fold.name for fold in plan.folds]
    assert [int(row[1]) for row in folds] == [plan.seed_of(fold) for fold in plan.folds]
    assert {(row[2], row[3]) for row in folds} == {("45", "5")}
    assert sum(int(row[4]) for row in folds) == int((truth == said).sum())


def test_all_but_one_table_is_of_the_first_rate(plan, pooled, folder):
    slow = [msgspec.structs.replace(row, rate_hz=30.0, probabilities=row.probabilities[::-1]) for row in pooled]
    both = replace(plan, rates_hz=(0.0, 30.0))
    alone, text = (
        report.page(p, rows, folder, BENCHMARKS["megc-3"]) for p, rows in ((plan, pooled), (both, pooled + slow))
    )
    wanted = [scores(*classes(rows, LABELS), LABELS) for rows in (pooled, slow)]
    assert rows_of(text, "By frame rate") == [
        [words, "50", *(f"{figure:.4f}" for figure in (found.accuracy, found.uf1, found.uar))]
        for words, found in zip(("its own rate", "30 Hz"), wanted, strict=True)
    ]
    assert "By frame rate" not in alone
    for heading in ("Scores", "Classes", "Data sets", "Published", "Folds"):
        without_seeds = [[row[:1] + row[2:] for row in rows_of(page, heading)] for page in (alone, text)]
        assert without_seeds[0] == without_seeds[1]
    reversed_plan = replace(plan, rates_hz=(30.0, 0.0))
    assert (
        rows_of(report.page(reversed_plan, slow + pooled, folder, None), "Scores")[0][1] == f"{wanted[1].accuracy:.4f}"
    )


def test_ink_and_paper_are_the_readers_on_light_and_on_dark(plan, pooled, folder):
    text = report.page(plan, pooled, folder, None)
    assert "color-scheme:light dark" in text
    (matrix, *_) = drawings(text)
    assert {node.get("fill") for node in matrix.iter() if node.tag.endswith("text")} == {"currentColor"}
    assert max(float(node.get("fill-opacity")) for node in matrix.iter() if node.get("fill-opacity")) <= charts.DEEPEST


def test_nothing_is_loaded_from_elsewhere_and_names_are_text(plan, pooled, folder):
    text = report.page(plan, pooled, folder, BENCHMARKS["megc-3"])
    assert re.findall(r"\b(?:src|href)=|@import|url\(", text) == []
    assert set(re.findall(r"https?://[^\s\"<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in text
    assert "sur<prise>" not in text
    assert "sur&lt;prise&gt;" in text
    assert "toy &amp; composite" in text
    assert '"rate": 0.5' in text.replace("&quot;", '"')


def test_the_confusion_matrix_is_drawn_cell_by_cell(plan, pooled, folder):
    table = confusion(*classes(pooled, LABELS), 3)
    (matrix, *_) = drawings(report.page(plan, pooled, folder, None))
    words = [text.text for text in matrix.iter() if text.tag.endswith("text")]
    assert [int(word) for word in words if word.isdigit()] == table.ravel().tolist()
    assert words.count("sur<prise>") == 2


def test_every_column_of_the_curves_is_drawn_with_a_line_for_each_fold_that_has_one(plan, pooled, folder):
    _, loss, valid = drawings(report.page(plan, pooled, folder, None))
    lines = [line for line in loss.iter() if line.tag.endswith("polyline")]
    assert [line[0].text for line in lines] == [fold.name for fold in plan.folds[:3]]
    assert len([line for line in valid.iter() if line.tag.endswith("polyline")]) == 6  # two stretches around the gap
    heights = [float(point.split(",")[1]) for point in lines[0].get("points").split()]
    assert heights == sorted(heights)  # a loss that falls goes down, and y points down
    places = [float(point.split(",")[0]) for point in lines[0].get("points").split()]
    assert np.diff(places).tolist() == pytest.approx([places[1] - places[0]] * 2)


def test_without_curves_and_benchmark_there_are_no_such_sections(plan, pooled, tmp_path):
    text = report.page(plan, pooled, tmp_path, None)
    assert "Curves" not in text
    assert "Published" not in text
    assert charts.curves("loss", {"a": [float("nan")]}) == ""


def test_curves_that_never_change_are_drawn_too():
    (drawing,) = drawings(charts.curves("loss", {"a": [1.0, 1.0], "b": [1.0]}))
    assert "nan" not in ElementTree.tostring(drawing).decode()


def test_published_figures_stand_below_this_run_with_their_source_and_caution(plan, pooled, folder):
    net = Figure("Net", "", 0.5, None, 0.25, "paper", "best epoch", (0.1, 0.2))
    old = Figure("Old", "samm", 0.4, 0.3, None, "note", "")
    benchmark = Benchmark("toy", "its own", 50, 10, 3, "a warning", (net, old))
    text = report.page(plan, pooled, folder, benchmark)
    own, *others = rows_of(text, "Published")
    assert own[0] == "this run"
    assert others == [
        ["Net", "", "0.5000", "", "0.2500", "paper", "best epoch", "0.1000 0.2000"],
        ["Old", "samm", "0.4000", "0.3000", "", "note", "", ""],
    ]
    assert "Clips, people and classes are as many as there. a warning." in text


def test_what_keeps_a_run_from_being_compared_is_counted(plan, pooled, folder):
    megc = BENCHMARKS["megc-3"]
    assert beside.differences(plan, pooled, megc) == ["50 clips, there 442", "10 people, there 68"]
    assert beside.differences(plan, pooled, replace(megc, clips=50, subjects=None, classes=5)) == ["3 classes, there 5"]
    assert "Not comparable: 50 clips, there 442; 10 people, there 68." in report.page(plan, pooled, folder, megc)


def made_up(plan):
    return replace(plan, configuration={**plan.configuration, "made_up": ["casme2"]})


def test_made_up_clips_are_told_in_large_letters_and_never_set_off_above_recorded_ones(plan, pooled, folder):
    megc = BENCHMARKS["megc-3"]
    true, text = (report.page(p, pooled, folder, megc) for p in (plan, made_up(plan)))
    loud = "Made-up clips, not casme2: nobody&#x27;s recordings."
    assert loud in text
    assert "font-size:2em" in text
    assert text.index(loud) < text.index("<h2>Scores")
    assert "Not comparable: made-up clips, there recorded ones; 50 clips, there 442" in text
    assert '<tr class="own">' in true
    assert '<tr class="own">' not in text
    assert "made-up clips; pooled over the folds" in rows_of(text, "Published")[0]
    assert "Made-up" not in true
    assert "font-size:2em" not in true


def test_the_mean_over_the_folds_stands_where_the_published_figures_are_such(plan, pooled, folder):
    benchmark = Benchmark("toy", "its own", 50, 10, 3, "", (Figure("Net", "", 0.5, None, 0.25, "paper", ""),))
    ids = [row.id for row in pooled]
    plan = replace(plan, folds=(Fold("small", (), tuple(ids[:7])), Fold("large", (), tuple(ids[7:]))))
    assert len(rows_of(report.page(plan, pooled, folder, benchmark), "Published")) == 2
    own, mean, _ = rows_of(report.page(plan, pooled, folder, replace(benchmark, mean_of_folds=True)), "Published")
    by_id, war, uar = {row.id: row for row in pooled}, [], []
    for fold in plan.folds:
        truth, said = classes([by_id[id] for id in fold.test], LABELS)
        war.append(np.mean(truth == said))
        uar.append(sum(np.mean(said[truth == i] == i) for i in range(3) if (truth == i).any()) / 3)
    shown = dict(zip(("war", "uf1", "uar"), mean[1:4], strict=True))
    assert shown == {"war": f"{np.mean(war):.4f}", "uf1": "", "uar": f"{np.mean(uar):.4f}"}
    assert (own[1], own[3]) != (mean[1], mean[3])


def test_every_setting_that_is_not_the_papers_is_told(plan, pooled, folder):
    files = [ROOT / "configs/methods/apexnet-recorded.toml", ROOT / "configs/data/casme2-5.toml"]
    ours = replace(plan, configuration=registry.load(files).shaping())
    rows = {row[0]: row[1:] for row in rows_of(report.page(ours, pooled, folder, None), "Settings beside")}
    assert rows["optimiser.kind"] == ["&quot;sgd&quot;", "&quot;adam&quot;"]
    assert rows["optimiser.batch"] == ["16", "2"]
    assert rows["apex"] == ["&quot;annotation&quot;", "&quot;quang&quot;"]
    assert not {"name", "runs", "epochs", "loss.gamma"} & set(rows)
    files[0] = ROOT / "configs/methods/paper-apexnet.toml"
    same = replace(plan, configuration=registry.load(files).shaping())
    assert "No setting differs." in report.page(same, pooled, folder, None)
    assert "beside the paper" not in report.page(plan, pooled, folder, None)  # a method without such a file


def test_it_is_said_when_no_two_clips_are_of_one_person(plan, pooled, folder):
    assert "by a model that has not seen its person" in report.page(plan, pooled, folder, None)
    nameless = [Prediction(row.id, 0.0, row.set, row.id, row.truth, row.probabilities) for row in pooled]
    assert "does not tell them apart" in report.page(plan, nameless, folder, None)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_published_figures_are_shares_with_a_source_and_no_two_alike(name):
    figures = BENCHMARKS[name].figures
    given = [share for f in figures for share in (f.accuracy, f.uf1, f.uar, *f.recall) if share is not None]
    assert all(0 <= share <= 1 for share in given)
    assert all(f.source and (f.accuracy or f.uf1) for f in figures)
    assert len({(f.method, f.part, f.source) for f in figures}) == len(figures)


def test_published_recalls_average_to_the_published_uar():
    whole = [f for f in BENCHMARKS["dfew-7"].figures if f.recall]
    assert len(whole) == 4
    for figure in whole:
        assert np.mean(figure.recall) == pytest.approx(figure.uar, abs=2e-4)


@pytest.mark.parametrize(
    ("name", "right", "clips"), [("casme2-5", 196, 248), ("samm-5", 105, 136), ("smic-3", 127, 163)]
)
def test_the_patents_accuracies_are_those_of_whole_clips(name, right, clips):
    figure = BENCHMARKS[name].figures[0]
    assert figure.accuracy == pytest.approx(right / clips, abs=5e-5)
    assert figure.caution.endswith(f"{right} of {clips}")
