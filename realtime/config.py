"""configs/realtime.toml, strictly read: every key known, every value of its type, or one error that says which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from realtime.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "configs" / "realtime.toml"

Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


#: Stands between the names of engines that judge together.
TOGETHER = "+"
#: What runs engines: on a GPU, TensorRT or TensorRT for RTX.
GpuBackend = Literal["tensorrt", "tensorrt-rtx"]
Backend = Literal["openvino", "tensorrt", "tensorrt-rtx", "triton"]
#: What runs the networks of face landmarks.
LandmarkEngine = Literal["mediapipe", "openvino"]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: no defaults here, they stand in the file, where they can be read and changed."""


class SourceConfig(Section, frozen=True):
    queue_frames: Count
    format: Literal["auto", "mjpg", "raw"]
    width: Count
    height: Count
    rate_hz: Positive
    largest_px: Count
    scaled_px: Count
    late_s: NotNegative
    reopen_first_s: Positive
    reopen_most_s: Positive


class FacesConfig(Section, frozen=True):
    landmarks: LandmarkEngine


class TrackConfig(Section, frozen=True):
    max_faces: Count
    search_s: Positive
    retire_s: NotNegative
    gate: Positive
    detection_confidence: Share
    tracking_confidence: Share


class AlignConfig(Section, frozen=True):
    size_px: Annotated[int, msgspec.Meta(ge=32)]
    cutoff_hz: Positive
    speed_gain: NotNegative
    forget_s: Positive


class SpotterConfig(Section, frozen=True):
    open: Share
    close: Share
    sunk: Share
    early: Share
    micro: Share
    macro: Share
    fall: Share
    micro_max_s: Positive
    macro_max_s: Positive
    calibrate_s: Positive
    apex: Literal["network", "formula"]


class BudgetConfig(Section, frozen=True):
    enabled: bool
    most: Share
    least: Share
    settle_s: Positive
    return_s: Positive
    return_most_s: Positive

    def __post_init__(self) -> None:
        if self.least >= self.most:
            raise ValueError(f"least is {self.least:g}, most {self.most:g}; what is taken back must fit below most")


class WindowConfig(Section, frozen=True):
    seconds: Positive


class TritonConfig(Section, frozen=True):
    connect_s: Positive
    timeout_s: Positive
    retry_first_s: Positive
    retry_most_s: Positive
    give_up_s: NotNegative


class EnginesConfig(Section, frozen=True):
    folder: str
    encoder: str
    encoder_hz: Positive | Literal["auto"]
    spotter: Annotated[str, msgspec.Meta(min_length=1)]
    head: str
    dynamic: str
    units: str
    device: Annotated[str, msgspec.Meta(pattern=r"^(auto|cpu|cuda|triton://[^/\s]+:\d+)$")]
    fallback: bool
    precision: Literal["auto", "f32", "bf16"]
    threads: Count
    batch: Count
    cache: str
    triton: TritonConfig

    @property
    def packages(self) -> tuple[str, ...]:
        """The names of all that are at work, each once, the encoder first."""
        readers = (self.units,) if self.units else ()
        return tuple(dict.fromkeys((self.encoder, self.spotter, *readers, *self.macro, *split(self.head))))

    @property
    def macro(self) -> tuple[str, ...]:
        """What judges macro-expressions beside the encoder."""
        return split(self.dynamic) if self.dynamic else ()


def split(names: str) -> tuple[str, ...]:
    """The packages that an `engines.head` or `engines.dynamic` such as "motion+cmn" names."""
    return tuple(names.split(TOGETHER))


Begin = Annotated[float, msgspec.Meta(ge=-20.0, le=20.0)]


class ConfidenceConfig(Section, frozen=True):
    micro: tuple[Begin, Positive]
    macro: tuple[Begin, Positive]


class RecogniseConfig(Section, frozen=True):
    smooth_s: NotNegative
    half_strength: Positive
    reject: Share
    floor: Share
    sharpness: Positive
    look: NotNegative
    weights: dict[str, Positive]
    confidence: ConfidenceConfig


class LimitsConfig(Section, frozen=True):
    peers: Count
    handshake_s: Positive
    subscriptions_kb: Count
    unread_mb: Count
    silent_s: Positive


class PublishConfig(Section, frozen=True):
    camera: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}\Z")]
    host: str
    state_port: Port
    events_port: Port
    replay_port: Port
    frames_port: Port
    keys: str
    private: str
    kept_events: Count
    replay_s: Positive
    rate_hz: NotNegative
    landmarks: bool
    meta_s: Positive
    linger_s: NotNegative
    limits: LimitsConfig


class StreamsConfig(Section, frozen=True):
    visitors: Annotated[int, msgspec.Meta(ge=0)]
    queue_frames: Count
    silent_s: Positive
    leap_s: Positive
    longest_kb: Count
    largest_px: Count
    most_scans: Count
    kept_moments: Count
    exaggerate: Positive
    jpeg_quality: Annotated[int, msgspec.Meta(ge=1, le=100)]


class ConnectionsConfig(Section, frozen=True):
    most: Count
    of_one: Count
    request_s: Positive
    unread_s: Positive


class ViewConfig(Section, frozen=True):
    host: str
    port: Port
    origins: tuple[str, ...]
    proxies: tuple[str, ...]
    certificate: str
    private_key: str
    visitors: Count
    least_hz: NotNegative
    most_hz: Positive
    idle_s: Positive
    longest_recording_mb: Count
    connections: ConnectionsConfig


class Config(Section, frozen=True):
    source: SourceConfig
    faces: FacesConfig
    track: TrackConfig
    align: AlignConfig
    spotter: SpotterConfig
    window: WindowConfig
    budget: BudgetConfig
    engines: EnginesConfig
    recognise: RecogniseConfig
    publish: PublishConfig
    streams: StreamsConfig
    view: ViewConfig


C = TypeVar("C", bound=msgspec.Struct)


def load(path: Path | None = None, overrides: Iterable[str] | None = None) -> Config:
    """The default file, `path` over it, then overrides such as "spotter.open=0.6"; ConfigError names the culprit."""
    return convert(laid_over([DEFAULT, *([path] if path else [])], overrides or ()), Config, path or DEFAULT)


def laid_over(paths: Iterable[Path], overrides: Iterable[str]) -> dict[str, Any]:
    """The tables of `paths` and then `overrides` such as "a.b=1", each laid over those before."""
    tree: dict[str, Any] = {}
    for table in (*map(read_toml, paths), *map(parse_override, overrides)):
        tree = merge(tree, table)
    return tree


def convert(tree: Mapping[str, Any], kind: type[C], where: Path) -> C:
    """`tree` as the struct `kind`, strictly; the error names the file, the key and what was expected."""
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{where} (with what overrides it): {error}. See the comments in {DEFAULT.parent} for every key."
        ) from None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as nested dicts; ConfigError when it is missing or no TOML."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise ConfigError(f"no configuration file {path}; give an existing file with --config") from None
    except (msgspec.DecodeError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise ConfigError(f"{path} is not readable TOML: {error}") from None


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, table by table; those of an array by their place, as in {"data": {"0": ...}}."""
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _laid_over(merged.get(key), value)
    return merged


def _laid_over(old: Any, value: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(old, Mapping):
        return merge(old, value)
    if isinstance(value, Mapping) and isinstance(old, list):
        by_place = merge({str(place): each for place, each in enumerate(old)}, value)
        return list(by_place.values()) if len(by_place) == len(old) else value
    return value


def parse_override(text: str) -> dict[str, Any]:
    """ "a.b=1" -> {"a": {"b": 1}}; the value is TOML, and a bare word is a string."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"override {text!r} is not of the form section.key=value, such as spotter.open=0.6")
    tree: Any = _toml_value(value.strip())
    for part in reversed(key.strip().split(".")):
        tree = {part: tree}
    return dict(tree)


def _toml_value(text: str) -> Any:
    try:
        return msgspec.toml.decode(f"value = {text}", type=dict[str, Any])["value"]
    except msgspec.DecodeError:
        return text
