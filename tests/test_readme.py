"""The READMEs say nothing twice and name only what is there: commands, options, keys, files, headings."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer

import realtime.config
from realtime.__main__ import app as realtime_app
from realtime.errors import ConfigError
from realtime.pipeline.summary import DISTRIBUTION
from train import registry
from train.__main__ import app as train_app
from train.tuning import config as tuning

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("", "realtime", "realtime/clients", "train", "engines", "tests/benchmarks")
READMES = [ROOT / room / "README.md" for room in ROOMS]
CONFIGS = sorted((ROOT / "configs").rglob("*.toml"))
CODE = [path for room in ("realtime", "train", "tests", "configs") for path in sorted((ROOT / room).rglob("*.*"))]

COMMANDS = {
    "realtime": typer.main.get_command(realtime_app).commands,
    "train": typer.main.get_command(train_app).commands,
}
USAGE = typer.BadParameter.__base__  #: what is wrong with a call; its own name depends on typer's version


def parameters(command):
    """Its own and those of the commands in it, but for what is there for old scripts alone."""
    for below in getattr(command, "commands", {}).values():
        yield from parameters(below)
    yield from (parameter for parameter in command.params if not getattr(parameter, "hidden", False))


OPTIONS = {
    option
    for commands in COMMANDS.values()
    for command in commands.values()
    for parameter in parameters(command)
    for option in (*parameter.opts, "--help")
} | {
    option  # of programs that are to be copied
    for program in (ROOT / "realtime" / "clients").glob("*.py")
    for option in re.findall(r'"(--[a-z-]+)"', program.read_text("utf-8"))
}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.M))
VARIABLES = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.M))

FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)
INDENTED = re.compile(r"(?:^\n)((?:^    .*\n+)+)", re.M)
INLINE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INSIDE = re.compile(r"(?<![\w./~-])(?:configs|engines|realtime|train|tests)/[\w./*-]*[\w*/]")
PLACEHOLDER = re.compile(r"=[A-Z]+$|<\w+>")
POINTER = re.compile(r"\bsee ([\w+ ,-]+?) in ((?:\w+/)*README\.md)")


def named(path):
    return path.relative_to(ROOT).as_posix()


def prose(text):
    """`text` without its code blocks."""
    return INDENTED.sub("\n", FENCED.sub("", text))


def blocks(text):
    """The lines of all code blocks, those that end in a backslash joined with the next."""
    found = [*FENCED.findall(text), *INDENTED.findall(FENCED.sub("", text))]
    return [line.strip() for block in found for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def inline(text):
    """All inline code, on one line each."""
    return [" ".join(code.split()) for code in INLINE.findall(prose(text))]


def headings(text):
    return re.findall(r"^#+ (.+)$", prose(text), re.M)


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def wrong_command(line):
    """What is wrong with a line of a shell, if it calls one of our command lines or make; nothing otherwise."""
    if not re.search(r"-m (realtime|train)\b|^make\b", line):
        return
    words = shlex.split(line, comments=True)
    words = words[: words.index(">")] if ">" in words else words
    if words[:1] == ["make"]:
        yield from wrong_make(words[1:])
    elif "-m" in words:
        half, *words = words[words.index("-m") + 1 :]
        yield from wrong_call(half, words) if words else ()


def wrong_make(words):
    for word in words:
        variable, assigns, value = word.partition("=")
        if assigns and variable not in VARIABLES:
            yield f"make knows no {variable}"
        elif variable == "RECIPES":
            yield from wrong_recipes(value.split())
        if not assigns and word not in TARGETS:
            yield f"make has no target {word}"


def wrong_recipes(words):
    """What is wrong with METHOD:DATA, as make takes them: a file that is not there, or two that do not fit."""
    for word in words:
        method, _, data = word.partition(":")
        files = (f"configs/methods/{method}.toml", f"configs/data/{data}.toml")
        yield from wrong_settings(registry.load, [ROOT / file for file in files], ())


def wrong_call(half, words):
    """An unknown command, option or value; an argument too many; an override or a configuration that is not there."""
    name, *words = words
    if name not in COMMANDS[half]:
        yield f"{half} has no command {name}"
        return
    command, called = COMMANDS[half][name], name
    while words and hasattr(command, "commands"):  # a command of commands
        called, *words = words
        if called not in command.commands:
            yield f"{name} has no command {called}"
            return
        command = command.commands[called]
    try:
        context = command.make_context(called, list(words))
    except USAGE as error:
        if type(error).__name__ != "MissingParameter":  # a command that is named in a sentence
            yield error.format_message()
        return
    old = {option for parameter in command.params if getattr(parameter, "hidden", False) for option in parameter.opts}
    yield from (f"{option} of {name} is for old scripts" for option in words if option in old)
    read, files = reader(half, name), context.params.get("config") or ()
    files = [files] if isinstance(files, Path) else list(files)
    if all(file.parts[0] == "configs" for file in files) and (files or read is live):  # others are the reader's own
        yield from wrong_settings(read, [ROOT / file for file in files], context.params.get("override") or ())


def reader(half, name):
    """Takes the files and overrides of a command as the command itself does."""
    if half == "realtime" or name in {"chain", "real"}:
        return live
    return {"tune": searched, "videos": registry.filmed}.get(name, registry.load)


def live(paths, overrides):
    realtime.config.load(*paths or (None,), overrides)


def searched(paths, overrides):
    tuning.load(*paths, overrides)


def wrong_settings(read, paths, overrides):
    try:
        read(paths, overrides)
    except ConfigError as error:
        if "unknown field" in str(error) or not any(map(PLACEHOLDER.search, overrides)):
            yield str(error)


def wrong_code(code, folder):
    """What is wrong with a piece of code of a README in `folder`: commands, options and paths that are not there."""
    yield from wrong_command(code)
    if code.startswith("--"):
        option = code.split()[0].partition("=")[0]
        yield from [] if option in OPTIONS else [f"no command has an option {option}"]
    if "<" not in code:
        for path in INSIDE.findall(code):
            if not any(ROOT.glob(path.rstrip("/"))) and not any(folder.glob(path.rstrip("/"))):
                yield f"there is no {path}"
    if re.fullmatch(r"[\w*-]+\.toml", code) and not any((ROOT / "configs").rglob(code)):
        yield f"configs has no {code}"


def wrong_links(text, folder):
    for link in LINK.findall(prose(text)):
        if link.startswith("https://"):
            continue
        place, _, wanted = link.partition("#")
        target = (folder / place).resolve() if place else folder / "README.md"
        if not target.exists():
            yield f"{link} leads nowhere"
        elif wanted and wanted not in map(anchor, headings(target.read_text("utf-8"))):
            yield f"{link} leads to no heading of {named(target)}"


def wrong_pointers(text):
    """Words such as "see Protocols in train/README.md" whose heading is not there, and those that name none."""
    for heading, readme in POINTER.findall(text):
        if not (ROOT / readme).exists() or heading not in headings((ROOT / readme).read_text("utf-8")):
            yield f"{readme} has no heading {heading!r}"
    for vague in re.findall(r"\bsee\b[^.;)`\n]{0,40}README", POINTER.sub("", text)):
        yield f"{vague!r} names no heading; wanted such as see Protocols in train/README.md"


def sentences(text):
    """Sentences and rows of tables of ten words or more, in small letters."""
    for part in re.split(r"(?<=[.:;])\s+|\n\n|\n(?=[|-])", prose(text)):
        words = re.findall(r"\w+", LINK.sub("", part).lower())
        if len(words) >= 10:
            yield " ".join(words)


def test_the_front_page_is_one_page_with_a_small_picture():
    text = READMES[0].read_bytes()
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text.decode())
    assert len(text) <= 8192
    assert len(pictures) == 1
    assert (ROOT / pictures[0]).stat().st_size <= 80_000


@pytest.mark.parametrize("readme", READMES, ids=named)
def test_code_in_a_readme_names_what_is_there(readme):
    text = readme.read_text("utf-8")
    assert [wrong for code in (*blocks(text), *inline(text)) for wrong in wrong_code(code, readme.parent)] == []


@pytest.mark.parametrize("readme", READMES, ids=named)
def test_links_lead_somewhere(readme):
    assert list(wrong_links(readme.read_text("utf-8"), readme.parent)) == []


@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_commands_in_comments_of_configurations_work(config):
    comments = [line.partition("#")[2] for line in config.read_text("utf-8").splitlines() if "#" in line]
    written = [line.strip() for line in comments if line.startswith("   python")]
    quoted = [code for line in comments for code in INLINE.findall(line)]
    assert [wrong for code in (*written, *quoted) for wrong in wrong_command(code)] == []


def test_code_points_to_headings_that_exist():
    wrong = {named(path): list(wrong_pointers(path.read_text("utf-8"))) for path in CODE if is_text(path)}
    assert {path: found for path, found in wrong.items() if found} == {}


def is_text(path):
    return path.suffix in {".py", ".toml", ".js", ".mjs", ".md", ".html"} and path != Path(__file__).resolve()


def test_nothing_is_said_twice():
    said = [(sentence, named(readme)) for readme in READMES for sentence in sentences(readme.read_text("utf-8"))]
    where = {sentence: {place for again, place in said if again == sentence} for sentence, _ in said}
    assert {sentence: places for sentence, places in where.items() if len(places) > 1} == {}
    assert len(said) > 200  # they were found at all


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("python -m realtime vieww", "has no command vieww"),
        ("python -m realtime run --sorce 0", "--sorce"),
        ("python -m realtime run 0", "0"),
        ("python -m realtime run --set source.wide=1", "wide"),
        ("python -m train rebuild --config configs/methods/spoter.toml --config configs/data/films.toml", "spoter"),
        ("python -m train rebuild --config configs/methods/spotter.toml", "a second --config"),
        ("python -m train fit --config configs/methods/cmn.toml --config configs/data/films.toml", "another file"),
        (
            "python -m train fit --config configs/methods/cmn.toml --config configs/data/smic-3.toml --set epoch=1",
            "epoch",
        ),
        ("python -m train videos --config configs/data/films.toml --root x --set clips.size=1", "size"),
        ("python -m train tune --config configs/tune.toml --set trails=1", "trails"),
        ("python -m train export --precision int9", "int9"),
        ("python -m train pack ferpluss", "ferpluss"),
        ("python -m train pack facekit --rot x", "--rot"),
        ("a && python -m train chain --data x --set spotter.macr=1", "macr"),
        ("python -m train evaluate --chain --data x", "--chain of evaluate is for old scripts"),
        ("make tests", "target tests"),
        ("make RECIPES=cmn engines", "configs/data/.toml"),
        ("make RECIPES=cmn:films engines", "another file"),
        ("make SAUCE=0 live", "SAUCE"),
        ("--sorce", "--sorce"),
        ("realtime/streem", "realtime/streem"),
        ("spoter.toml", "spoter.toml"),
    ],
)
def test_a_slip_in_code_is_seen(code, wrong):
    assert wrong in " ".join(wrong_code(code, ROOT))


def test_code_is_found_in_blocks_and_in_sentences():
    text = "One.\n\n    make \\\n        tests  # all\n    other\n\n```python\nimport zmq\n```\nAnd `make\ndemo`.\n"
    assert blocks(text) == ["import zmq", "make          tests  # all", "other"]
    assert inline(text) == ["make demo"]
    found = [
        code for readme in READMES for text in [readme.read_text("utf-8")] for code in (*blocks(text), *inline(text))
    ]
    assert sum(" -m realtime" in code for code in found) > 30
    assert sum(" -m train" in code for code in found) > 30


def test_a_wrong_link_and_a_wrong_pointer_are_seen():
    text = "[here](nowhere.md), [there](README.md#no-such), [well](README.md#two-commands)"
    assert len(list(wrong_links(text, ROOT))) == 2
    assert list(wrong_pointers("(see Two commands in README.md), see Protocols in train/README.md")) == []
    assert len(list(wrong_pointers("see Three commands in README.md; and see the README, Data"))) == 2


def test_ctrl_c_ends_what_runs_until_then_without_an_error_of_make():
    recipes = dict(re.findall(r"^(demo|live):.*\n\t(.+)", MAKEFILE, re.M))
    assert len(recipes) == 2
    for recipe in recipes.values():
        ended = recipe.partition("||")[2].partition("#")[0].replace("$$", "$")
        for code, wanted in ((130, 0), (2, 1)):
            assert subprocess.run(["sh", "-c", f"(exit {code}) || {ended}"], check=False).returncode == wanted


def test_no_hint_installs_what_a_stranger_called_glimpse():
    named = re.search(r'^name = "([\w-]+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)[1]
    assert named == DISTRIBUTION
    for folder in ("realtime", "train"):
        for path in (ROOT / folder).rglob("*.py"):
            hints = re.findall(r"""install ['"]?(glimpse\b[^\s'"]*)""", path.read_text("utf-8"))
            assert hints == [], path
    assert "pip install glimpse" not in (ROOT / "README.md").read_text("utf-8")
