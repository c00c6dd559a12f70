"""Near-duplicates of sounds and films: variants that are found, and unlike ones that are not.

    python -m tests.benchmarks.near_recordings

200 tunes and 60 films are made by chance (`tests/pictures_made.py`); no two are alike. Of each a
variant is planted, a kind at a time: sounds re-encoded (MP3, 32 kbit/s), at 8 kHz for 16
kHz, louder, cut by 3 % at both ends, with noise; films re-encoded at fewer bits, scaled to
half, at half the frames a second, cut by a frame at both ends, brighter. Recall is the share of
variants for which `clean: {near_media: 0.93}` drops one of the two; false pairs are those between
recordings of another number.
"""

import io
import shutil
import sys

import numpy as np
from PIL import Image

from curate.engine import Local
from curate.workspace import Workspace
from tests.benchmarks import setting
from tests.pictures_made import film, moving, tune, wav

SOUNDS, FILMS, RATE, THRESHOLD = 200, 60, 16_000, 0.93


def main():
    figures = {}
    for ending, number, make, kinds in (
        ("wav", SOUNDS, lambda n: tune(n, 4.0), OF_SOUNDS),
        ("mp4", FILMS, lambda n: moving(n, 24), OF_FILMS),
    ):
        own, plain = {}, OF_SOUNDS["as it is"] if ending == "wav" else OF_FILMS["as it is"]
        originals = {n: plain(make(n))[1] for n in range(number)}
        for kind, vary in kinds.items():
            if kind == "as it is":
                continue
            found = pairs(originals, {n: vary(make(n)) for n in range(number)}, ending)
            hits = {one for one, other in found if one == other}
            wrong = sum(one != other for one, other in found)
            own[kind] = {"recall": round(len(hits) / number, 4), "false pairs": wrong}
            sys.stderr.write(f"{ending} {kind}: {own[kind]}\n")
        figures["sounds" if ending == "wav" else "films"] = {"number": number, **own}
    setting.write("near_recordings", {"near_media": THRESHOLD, **figures}, range(1))


def pairs(originals, variants, ending):
    """The numbers of the two recordings of every pair of which `clean` drops one."""
    root = setting.RUNS / "near-recordings"
    shutil.rmtree(root, ignore_errors=True)
    folder = root / "data"
    folder.mkdir(parents=True)
    for number, data in originals.items():
        (folder / f"{number:04}-a.{ending}").write_bytes(data)
    for number, (suffix, data) in variants.items():
        (folder / f"{number:04}-b.{suffix}").write_bytes(data)
    where = Workspace(root, engine=Local(1))
    where.init("near")
    setting.stage(where, "pool", sources=[{"name": "made", "paths": ["data"]}])
    setting.stage(where, "clean", rules=[], near_duplicates=None, near_media=THRESHOLD)
    origins = where.tables.read("pool", ["id", "origin"]).to_pylist()
    number_of = {row["id"]: int(row["origin"].split("/")[-1][:4]) for row in origins}
    rows = where.tables.read("clean", ["id", "duplicate_of"]).to_pylist()
    shutil.rmtree(root)
    return [
        (number_of[row["id"]], number_of[row["duplicate_of"]])
        for row in rows
        if row["duplicate_of"]
    ]


def as_mp3(samples):
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as out:
        stream = out.add_stream("mp3", rate=RATE, layout="mono")
        stream.bit_rate = 32_000
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = RATE
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return "mp3", file.getvalue()


def noisy(samples):
    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    return "wav", wav(samples + 0.01 * noise)


def cut(samples):
    part = round(0.03 * len(samples))
    return "wav", wav(samples[part:-part])


def brighter(frames):
    return "mp4", film([frame.point(lambda value: min(255, value + 30)) for frame in frames])


def smaller(frames):
    return "mp4", film([frame.resize((160, 120), Image.Resampling.BICUBIC) for frame in frames])


OF_SOUNDS = {
    "as it is": lambda samples: ("wav", wav(samples)),
    "re-encoded": as_mp3,
    "another rate": lambda samples: ("wav", wav(samples[::2], RATE // 2)),
    "louder": lambda samples: ("wav", wav(samples * np.float32(1.2))),
    "cut by 3 % at both ends": cut,
    "with noise": noisy,
}

OF_FILMS = {
    "as it is": lambda frames: ("mp4", film(frames)),
    "re-encoded": lambda frames: ("mp4", film(frames, bits=60_000)),
    "scaled to half": smaller,
    "half the frames a second": lambda frames: ("mp4", film(frames[::2], fps=4)),
    "cut by a frame at both ends": lambda frames: ("mp4", film(frames[1:-1])),
    "brighter": brighter,
}


if __name__ == "__main__":
    main()
