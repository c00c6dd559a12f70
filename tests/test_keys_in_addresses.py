"""Keys in addresses that look like anything else, and what looks like a key and is none."""

import random
import string
from time import process_time

import pytest

from curate.sources.drawn import holds_drawn
from curate.sources.keys import without_key

SHORT = "Wd8Qx3Lp"
DRAWN = "q7GmZ2xKd9VtB4nYc8RjW3"
JOINED = "bN4_tR7-qWz2KfX9-mLp0VcD3hJ8sYgE6aTu1oIr5"
MD5 = "9f8a7c3b5d1e20f46a7788c9d0e1f2a3"
SHA1 = "7d1c0f9b2e3a4d5c6b7a8f9e0d1c2b3a4f5e6d7c"
SHA256 = "3b1f0e9d8c7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c"
UUID = "3f2b8c1d-7a6e-4c5b-9d0f-1e2a3b4c5d6e"

NAMES = (
    *("p", "k", "hash", "pat", "psk", "psw", "pswd", "tkn", "code", "login_hash", "apiKey"),
    *("x_auth", "SharedKey", "magic_code", "accesscode", "senha", "kennwort", "contraseña"),
    *("密码", "令牌", "my-sig", "hmac256", "%E5%AF%86%E7%A0%81"),
)
HOSTILE = (
    *(f"https://h.net/a.csv?{name}={SHORT}" for name in NAMES),
    *(f"https://h.net/a.csv?{name}={DRAWN}" for name in ("hash", "sha256", "md5", "id", "v")),
    *(f"https://h.net/{place}/file.csv" for place in (f"x/{DRAWN}", f"x/{JOINED}", f"s!A{DRAWN}")),
    *(
        f"https://h.net/{place}.csv"
        for place in (DRAWN, f"({DRAWN})", f"a%20{DRAWN}", MD5 + "a1" * 8)
    ),
    *(f"ftp://h.net/{DRAWN}/a.csv", f"https://h.net/services/T02AB3CD4/B05EF6GH7/{DRAWN}"),
    *(
        f"https://h.net/a.csv{end}"
        for end in (f"?{DRAWN}", f"?{JOINED}", f"#{DRAWN}", f"#/{DRAWN}")
    ),
    *(f"https://h.net/a.csv?{end}" for end in (f"dl=1&{DRAWN}", f"{DRAWN}=", f"x={MD5}")),
    *(f"https://h.net/a.csv?{end}" for end in (f"token:{SHORT}", f"a=1,token={SHORT}")),
    *(f"https://h.net/a.csv?{end}" for end in (f"q=a|token={SHORT}", f"m=[token:{SHORT}]")),
    *(
        f"https://h.net/a.csv?{end}"
        for end in (f"hdnts=exp=17~hmac={SHORT}", f"login=anna:{SHORT}")
    ),
    *(
        f"https://h.net/{way}/a.csv"
        for way in (f"token/{SHORT}", f"api_key/{MD5}", f"token={SHORT}")
    ),
    f"https://h.net/a.csv?next=%25252Fx%25253Ftoken%25253D{SHORT}",
    f"https://{DRAWN}:@h.net/a.csv",
    f"https://:{SHORT}@h.net/a.csv",
    f"https://h.net/a.csv?x=sk_live_{DRAWN}",
    f"https://h.net/a.csv?x=dapi{MD5}",
    f"https://h.net/u/shpat_{MD5}/a.csv",
    f"https://h.net/ya29.{JOINED}/a.csv",
    f"s3://bucket/npm_{DRAWN}abcdefghijklmn/a.csv",
    f"jdbc:oracle:thin:anna/{SHORT}@db.net:1521:xe",
    f"jdbc:oracle:thin:anna/{SHORT}@//db.net:1521/svc",
    f"JDBC:oracle:oci:anna/{SHORT}@orcl",
    f"jdbc:oracle:thin:anna/{SHORT}@(DESCRIPTION=(HOST=h))",
    f"jdbc:db2://h.net:50000/db:user=anna;x=1:password={SHORT};",
    f"anna/{SHORT}@//db.net/svc",
    f"anna/{SHORT}@db.net:1521/svc",
)
HARMLESS = (
    *(f"https://h.net/a.csv?{name}={SHA256}" for name in ("hash", "sha256", "rev", "etag", "v")),
    *(f"https://h.net/a.csv?{end}" for end in (f"md5={MD5}", f"commit={SHA1}", "hash=7d1c0f9")),
    *(f"https://h.net/a.csv?{name}={UUID}" for name in ("id", "dataset", "hash")),
    f"https://h.net/a.csv?hash=sha256-{SHA256}",
    f"https://h.net/a.csv?checksum=sha256:{SHA256}",
    f"https://h.net/resolve/{SHA1}/a.csv",
    f"https://h.net/objects/{SHA256[:2]}/{SHA256[2:]}",
    f"https://h.net/packages/{SHA256[:2]}/{SHA256[2:4]}/{SHA256[4:]}/x-1.0-py3-none-any.whl",
    f"https://h.net/files/{UUID}/a.csv",
    f"https://h.net/part-00000-{UUID}-c000.snappy.parquet",
    "https://h.net/train-00000-of-00041-a09b74b3ef9c3b56.parquet",
    "https://h.net/a.csv?p=2",
    "https://h.net/?p=news&k=5&h=100&pat=2024-01-01",
    "https://h.net/a.csv?p=s01e02&code=USD&currency_code=eur&zip_code=12345",
    "https://h.net/a.csv?token",
    "https://h.net/a.csv?dl=1&raw",
    "https://h.net/a.csv?versionId=3HL4kqtJlcpXroDTDmJrmSpXd3dIbrHYMTRCxf3v",
    "https://h.net/a.csv?dataset=common-voice-corpus-13-0-2023-03-09",
    "https://h.net/a.csv?file=wikipedia-20200101-pages-articles&model=Meta-Llama-3.1-8B-Q4_K_M",
    "https://h.net/a.csv?q=site:example.org+token&sort=key:asc,token:desc",
    "https://h.net/a.csv?start=2024-01-01T00:00:00Z&bbox=12.5,41.8&columns=text,label",
    "https://h.net/crawl-data/CC-MAIN-2023-50/segments/1700679099281.67/warc/"
    "CC-MAIN-20231128083443-20231128113443-00000.warc.gz",
    "https://h.net/models/Llama3Instruct70BQ4KM/Qwen2VL7BInstructGPTQInt4/x.jsonl",
    "https://h.net/FineWebEdu10BTokensSample/OpenSubtitles2018ParallelCorpusEnZh.tmx",
    "https://h.net/record/10.5281/zenodo.1234567/files/MultiUN_v1.0_en-zh.tar.gz",
    "https://h.net/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/export?format=csv",
    "https://h.net/uc?id=1a2B3c4D5e6F7g8H9i0JkLmNoPqRsTuVw&export=download",
    "https://h.net/channel/UCJosFjYm0ZYVUARxuOZqnnw/videos?v=dQw4w9WgXcQ",
    "https://h.net/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG/a.csv",
    "https://h.net/ipfs/bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
    "https://h.net/01ARZ3NDEKTSV4RRFFQ69G5FAV/507f1f77bcf86cd799439011.json",
    "https://h.net/token=2/lang=en/keys/words/auth/v2/part-0.parquet",
    "https://h.net/token/gpt2-tokenizer-v2.json?session=spring2024",
    "https://h.net/token/${TOKEN}/a.csv?p=${PAGE}",
    "https://h.net/GSE123456_RAW_matrix_barcodes_v2.tsv.gz",
    "https://h.net/S2A_MSIL2A_20230101T105441_N0509_R051_T31UDQ_20230101T150255.SAFE",
    "https://h.net/wiki/Taumatawhakatangihangakoauauotamatea.html",
    "https://h.net/%E6%96%B0%E9%97%BB/2024%E5%B9%B4%20(final)%20v2.csv",
    f"s3://bucket/{DRAWN}/part.parquet",
    f"data/{DRAWN}/a.csv",
    "data/scott/tiger@home/a.csv",
    "news/2024@final/part.jsonl",
    "jdbc/drivers/a.jsonl",
    "jdbc:oracle:thin:anna/${PASSWORD}@db.net:1521:xe",
)


@pytest.mark.parametrize("address", HOSTILE)
def test_a_key_that_looks_like_something_else_is_refused_unseen(address):
    with pytest.raises(ValueError, match="an address holds a key") as caught:
        without_key(address)
    assert not [key for key in (SHORT, DRAWN, JOINED, MD5) if key in str(caught.value)]


@pytest.mark.parametrize("address", HARMLESS)
def test_what_looks_like_a_key_and_is_none_passes(address):
    assert without_key(address) == address


@pytest.mark.parametrize(
    ("letters", "length", "share"),
    [
        (string.ascii_letters + string.digits, 20, 0.93),
        (string.ascii_letters + string.digits, 32, 0.97),
        (string.ascii_letters + string.digits + "-_", 43, 0.88),
        (string.ascii_lowercase + string.digits, 32, 0.8),
    ],
)
def test_most_drawn_parts_of_a_path_are_told(letters, length, share):
    chance = random.Random(7)
    parts = ["".join(chance.choices(letters, k=length)) for _ in range(2000)]
    assert sum(holds_drawn(f"x/{part}/a.csv") for part in parts) > share * len(parts)


def test_hexadecimal_parts_pass_at_the_length_of_a_digest_alone():
    chance = random.Random(7)
    passed = {
        length
        for length in range(20, 140)
        if not holds_drawn("a" + "".join(chance.choices("0123456789abcdef", k=length - 1)))
    }
    assert passed == {*range(20, 42), *range(56, 65), *range(92, 97), *range(124, 129)}


@pytest.mark.parametrize(
    "rest", ["/token" * 4000, ",a=" * 7000, "?a=1:2" * 3000, "aB3-" * 5000, "[a:" * 7000]
)
def test_a_long_address_of_any_parts_is_read_in_linear_time(rest):
    began = process_time()
    for address in (f"https://h/{rest}", f"jdbc:{rest}"):
        assert without_key(address) == address
    assert process_time() - began < 1
