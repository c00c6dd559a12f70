"""What is private is found by form and arithmetic, and masked; what only looks like it is not."""

import random
import string
from datetime import date
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import tables
from curate.clean.edits import Batch
from curate.clean.instruments.privacy import instrument, numbers
from curate.text import apply_edits

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
BLOCK = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY-----"


def kinds(text):
    return [each.kind for each in instrument.find(text)]


def masked(text):
    return apply_edits(text, instrument.masks(instrument.find(text), instrument.KINDS))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("write to jane.doe+news@mail.example.org.", "write to [email]."),
        ("邮箱abc@qq.com，电话13800138000。", "邮箱[email]，电话[phone]。"),
        ("<mailto:x_y@sub.host.co.uk>", "<mailto:[email]>"),
        ("ann@bücher.de, ann@mail.bücher.de.", "[email], [email]."),
        ("ann@почта.рф и ann@xn--80a1acny.xn--p1ai", "[email] и [email]"),
        ("ann@ταχυδρομείο.ελ", "[email]"),
        ("E-mail: ivan@mail.ruТелефон: +7 900", "E-mail: [email]Телефон: +7 900"),
        ("Contact: info@site.frÉcrivez-nous", "Contact: [email]Écrivez-nous"),
        ("a@b.co.ukпривет, c@d.ovhÄndern", "[email]привет, [email]Ändern"),
        ("ann@xn--80a1acny.xn--p1aiТел", "[email]Тел"),
        ("info@почта.РФ, ИНФО info@театр.москва; info@мир.ДЕТИ", "[email], ИНФО [email]; [email]"),
        ("info@игра.онлайн, info@ТЕΣΤ.ΕΛ", "[email], [email]"),
        ("ann@почта.рфТелефон 5, ann@мир.РФТелефон", "[email]Телефон 5, [email]Телефон"),
        ("ann@почта.рфTel, ann@ταχυ.ελΤηλ. 5", "[email]Tel, [email]Τηλ. 5"),
        ("ann@почта.рфтелефон, ann@мир.комитет", "ann@почта.рфтелефон, ann@мир.комитет"),
        ("写信到ann@例子.中国联系我们，或ann@公司.com。", "写信到[email]联系我们，或[email]。"),
        ("ann@mail.例え.jpです ann@메일.한국으로", "[email]です [email]으로"),
        ("اكتب إلى ann@مثال.مصر أو ann@موقع.قطر،", "اكتب إلى [email] أو [email]،"),
        ("ann@उदाहरण.भारत। ann@דוגמה.ישראל", "[email]। [email]"),
        ("问ann@小王。中国很大 ann@مثال.مصريون", "问ann@小王。中国很大 ann@مثال.مصريون"),
        ("ann@site.com.été.js", "[email].été.js"),
        ("abc@qq.com是我的邮箱", "[email]是我的邮箱"),
        ("@анна сказала ann@почта.да", "@анна сказала ann@почта.да"),
        ("ring +44 20 7946 0958 today", "ring [phone] today"),
        ("+1 (212) 555-0123 24 hours", "[phone] 24 hours"),
        ("+49 (0) 30 520 05 69-43", "[phone]"),
        ("0086-138-0013-8000", "[phone]"),
        ("138 0013 8000 / 139-1234-5678", "[phone] / [phone]"),
        ("总机 010-62345678，(0755) 82345678", "总机 [phone]，[phone]"),
        ("(212) 555-0123 or 212-555-0123", "[phone] or [phone]"),
        ("Tel.: 030 123456 78", "Tel.: [phone]"),
        ("Tél : 01 42 68 53 00", "Tél : [phone]"),
        ("Tél.\u202f: 01\u00a042\u00a068\u00a053\u00a000", "Tél.\u202f: [phone]"),
        ("4012\t8888\t8888\t1881 and 110105\t19491231\t002X", "[card] and [id]"),
        ("4012\u20288888\u20288888\u20281881", "[card]"),
        ("手机：13812345678", "手机：[phone]"),
        ("93.184.216.34 answered, see 8.8.4.4", "[ip] answered, see 8.8.4.4"),
        ("the server 8.8.4.4", "the server [ip]"),
        ("2606:2800:220:1:248:1893:25c8:1946.", "[ip]."),
        ("card 4012888888881881, thanks", "card [card], thanks"),
        ("5555 5555 5555 4444 and 3782 822463 10005", "[card] and [card]"),
        ("卡号6200000000000005。", "卡号[card]。"),
        ("身份证11010519491231002X。", "身份证[id]。"),
        ("AKIAIOSFODNN7EXAMPLE", "[key]"),
        (f"token ghp_{'a1B2' * 9}", "token [key]"),
        (f"Bearer {JWT}", "Bearer [key]"),
        (f"a\n{BLOCK}\nb", "a\n[key]\nb"),
        ("postgres://me:s3cr3t@db.host.org/x", "postgres://me:[key]@db.host.org/x"),
        ("api_key = 'Zx81kQpL02mNvB73'", "api_key = '[key]'"),
        ('{"client_secret": "q8Zt0Lw2mB5xY7nC4vD1"}', '{"client_secret": "[key]"}'),
        ("Authorization: Bearer q8Zt0Lw2mB5xY7nC4vD1", "Authorization: Bearer [key]"),
        (
            "redis://:s3cr3t@db:6379 AccountKey=q8Zt0Lw2mB5xY7==",
            "redis://:[key]@db:6379 AccountKey=[key]",
        ),
        ("手机１３８００１３８０００，ａ@qq.com", "手机[phone]，ａ@qq.com"),
        ("手机 13800138000/13900139000", "手机 [phone]/[phone]"),
        ("86-13800138000, call me at 07700 900123", "[phone], call me at [phone]"),
        ("Phone: +1.4806242599", "Phone: [phone]"),
        ("110105 19491231 002X, 110105-19491231-002x", "[id], [id]"),
        ("client_ip=93.184.216.34&card=4012888888881881", "client_ip=[ip]&card=[card]"),
    ],
)
def test_what_is_private_is_masked(text, wanted):
    assert masked(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "on 2024-11-24 at 10:33:12, 24.11.2024, 11/24/2024, 20241124, 2024-11-24T10:33:12+00:00",
        "ISBN 978-0-306-40615-7, ISBN 0-306-40615-2, ISSN 0317-8471, EAN 4006381333931",
        "version 1.2.3.4, v10.44.55.66, Chrome/119.0.45.87, 3.6.13.104, section 3.2.1.4",
        "1.3.6.1.4.1.311.21.20, localhost 127.0.0.1, 192.168.1.20, 10.0.0.5, 0.0.0.0",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8, 123e4567-e89b-12d3-a456-426614174000",
        "$1,299.99, 1.299.000 VND, 12 345 678 people, €4012888888881881, +100000000 views",
        "40.712776, -74.005974; 51°30'26\"N; 3.14159265358979; 0.4012888888881881; 1e+10",
        "1609459200 and 1609459200000 and 13 800 138 000",
        "order 13800138000 was shipped; /4012888888881881/ and id=4012888888881881",
        "4012888888881882 fails Luhn; 4444444444444444 is all one digit",
        "110105194912310021 has a wrong check digit, 11010519491331002X no such month",
        "10.1038/s41586-020-2649-2 arXiv:2112.11446 RFC 2606",
        "icon@2x.png, @property, user@host, foo@bar.js, me@localhost, git@github.com:me/x.git",
        "std::vector<int>, 12:34:56, 00:1A:2B:3C:4D:5E, dead::beef, 2001:db8::1, 2001:",
        "token: your_token_goes_here1, password=hunter2, secret_key=os.environ['SECRET_KEY_1']",
        "api_key: xxxxxxxxxxxxxxxxxxxx, tokens = tokenizer.encode_batch(texts)",
        "sk-estimator-doc-link-container-and-more, task-1234567890",
        "the phone 2019-2023, fax: 2024-01-02, mobile 1.299.000, call 911",
        "key = lambda row: row.name, primary_key=True, Secret = 0123456789",
        "100-200-3000, 555-1234, part 123-456-7890, 2010-2011, pages 1234-5678",
        "    return seen\n@pytest.mark.slow\n@functools.cache",
        "EAN 4006381333908, GTIN 4902505163181",
        "DFARS 252.227-7013; Cell 163 (2015) 1011-1025; Telefontider: 09.00-15.00",
        "[-3.14159 +70.19616341 +22.19277664j]",
        "url?id=13800138000, numpy=12.34.56.78, numpy==12.34.56.78, 110105 19491231-002X",
        "postgres://user:password@host/x http://me:${PASSWORD}@host/ s3://{key}:{secret}@bucket/",
        "tokenizer = M2M100Tokenizer.from_pretrained(name), embed_tokens = Gemma3nEmbedding2d(c)",
    ],
)
def test_what_only_looks_private_stays(text):
    assert kinds(text) == []


SEPARATORS = {
    "no-break": "\u00a0",
    "figure": "\u2007",
    "thin": "\u2009",
    "narrow no-break": "\u202f",
    "ideographic": "\u3000",
    "hyphen": "\u2010",
    "no-break hyphen": "\u2011",
    "en dash": "\u2013",
    "minus": "\u2212",
    "full-width hyphen": "\uff0d",
    "soft hyphen": "\u00ad",
    "zero width": "\u200b",
    "joiner": "\u200d",
    "word joiner": "\u2060",
}


@pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS)
@pytest.mark.parametrize(
    ("before", "parts", "kind"),
    [
        ("paid by card ", ("5555", "5555", "5555", "4444"), "card"),
        ("ring ", ("+49", "30", "5200", "5690"), "phone"),
        ("mobile ", ("138", "0013", "8000"), "phone"),
        ("身份证", ("110105", "19491231", "002X"), "id"),
    ],
)
def test_any_separator_of_unicode_separates(before, parts, kind, separator):
    assert masked(f"{before}{separator.join(parts)}, he said") == f"{before}[{kind}], he said"


@pytest.mark.parametrize("zero", ["٠", "۰", "०", "০", "０", "𝟎"])
def test_digits_of_any_script_are_digits(zero):
    number = "".join(chr(ord(zero) + int(digit)) for digit in "4012888888881881")
    assert masked(f"card {number} here") == "card [card] here"
    spaced = " ".join(number[at : at + 4] for at in range(0, 16, 4))
    assert masked(f"card {spaced} here") == "card [card] here"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://x.org/?to=jo.doe%40mail.org&a=1", "https://x.org/?to=[email]&a=1"),
        ("?to=jo%2Bx%40mail.org", "?to=[email]"),
        ("twice jo%2540mail.org", "twice [email]"),
        ("mailto:jo%40mail.org?subject=x", "mailto:[email]?subject=x"),
        ("&#106;&#111;&#64;mail&#46;org, and jo&commat;mail.org", "[email], and [email]"),
        (r'{"to": "jo\u0040mail.org"}', '{"to": "[email]"}'),
        ("jos%C3%A9.x@mail.org jos%E9.x%40mail.org", "[email] [email]"),
        ("jo\u200b@mail\u00ad.org", "[email]"),
        ("ｊｏ＠ｍａｉｌ．ｏｒｇ", "[email]"),
        ("tel:%2B49%2030%205200%205690", "tel:[phone]"),
        ("card 4012&nbsp;8888&nbsp;8888&nbsp;1881", "card [card]"),
        ("+49%C2%A030%E2%80%915200%205690", "[phone]"),
        ("card #4012888888881881, Visa #5555-5555-5555-4444", "card #[card], Visa #[card]"),
        ("phone #: 030 123456 78", "phone #: [phone]"),
        ("\u202a+49 30 5200 5690\u202c", "\u202a[phone]\u202c"),
        ("电话——13812345678", "电话——[phone]"),
    ],
)
def test_what_is_written_in_code_is_read(text, wanted):
    assert masked(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "ticket #4012888888881881, row # 12",
        "pages 1990–1999 and 123–456–7890",
        "12 345 678 people, 1 609 459 200",
        "ISBN 978–0–306–40615–7, 24‑11‑2024",
        "100%25 of 50%20 and %40mail.org, %20%40mail",
    ],
)
def test_what_only_looks_private_stays_with_any_separator(text):
    assert kinds(text) == []


@given(st.text("a1.@%40-+ \u00a0\u200b\u00ad٤&#64;\\u0040é\u0301", max_size=60))
def test_ranges_are_those_of_the_text_as_it_is(text):
    spans = instrument.find(text)
    assert all(0 <= start < end <= len(text) for start, end, _ in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))


def test_the_surer_kind_wins_where_two_overlap():
    # The password ends as an address would begin.
    text = "see https://anna:Secret99@mail.example.org/"
    assert masked(text) == "see https://anna:[key]@mail.example.org/"


def measured(texts, fields=None, template=None, **actions):
    settings = instrument.PrivacySpec(**actions)
    columns = {"fields": fields or [None] * len(texts), "template": [template] * len(texts)}
    types = tables.schema("pool", *columns)
    arrays = {name: pa.array(values, types.field(name).type) for name, values in columns.items()}
    batch = Batch(pa.table({"text": texts, **arrays}))
    table = pa.table(dict(instrument.Privacy().measure(batch, settings.kinds("mask"))))
    return table, batch.edited, instrument.Privacy().fails(table, settings).tolist()


def test_signals_count_each_kind():
    table, texts, failed = measured(["a@b.org c@d.org 13800138000 by phone", "nothing"])
    assert table.column_names == list(instrument.SIGNALS)
    assert table["privacy:email"].to_pylist() == [2, 0]
    assert table["privacy:phone"].to_pylist() == [1, 0]
    assert texts == ["a@b.org c@d.org 13800138000 by phone", "nothing"]
    assert failed == [False, False]


def test_each_kind_has_its_action():
    given = ["a@b.org, call 13800138000"]
    assert measured(given, phone="mask")[1] == ["a@b.org, call [phone]"]
    assert measured(given, email="drop")[2] == [True]
    assert measured(given, email="mask", card="drop")[1:] == (
        ["[email], call 13800138000"],
        [False],
    )
    assert instrument.PrivacySpec.model_validate("mask").kinds("mask") == instrument.KINDS


def test_what_a_text_does_not_show_cannot_be_masked_and_goes():
    fields = [{"name": "prompt", "text": "Hello"}, {"name": "user", "text": "a@b.org"}]
    table, _, failed = measured(["Hello"], [fields], "{prompt}", email="mask")
    assert failed == [True]
    assert table["privacy:unshown"].to_pylist() == table["privacy:email"].to_pylist() == [1]
    assert measured(["Hello"], [fields], "{prompt}", email="flag")[2] == [False]
    assert measured(["Hello\n\na@b.org"], [fields], email="mask")[2] == [False]


# ── by property


def luhn_number(prefix, length, rng):
    body = prefix + "".join(rng.choice(string.digits) for _ in range(length - len(prefix) - 1))
    return next(body + d for d in string.digits if numbers.luhn(body + d))


@given(
    st.sampled_from([("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("6011", 16)]), st.randoms()
)
def test_a_card_is_found_and_any_other_check_digit_is_not(issuer, rng):
    number = luhn_number(*issuer, rng)
    assert kinds(f"pay with {number} now") == ["card"]
    other = number[:-1] + str((int(number[-1]) + rng.randint(1, 9)) % 10)
    assert "card" not in kinds(f"pay with {other} now")


@given(st.dates(min_value=date(1900, 1, 1)), st.integers(0, 999))
def test_an_identity_number_is_found_and_any_other_check_digit_is_not(born, serial):
    if born.year > 2099:
        born = born.replace(year=2000, day=1)
    body = f"440301{born:%Y%m%d}{serial:03}"
    check = [d for d in "0123456789X" if numbers.chinese_id(body + d)]
    assert len(check) == 1
    assert kinds(f"证件{body}{check[0]}") == ["id"]
    wrong = "1" if check[0] != "1" else "2"
    assert "id" not in kinds(f"证件{body}{wrong}")


PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            *("a@b.org", "13800138000", "+44 20 7946 0958", "4012888888881881", "93.184.216.34"),
            *("11010519491231002X", "AKIAIOSFODNN7EXAMPLE", JWT, "电话", "tel: 030 1234567", " "),
            *(
                "2606:2800:220:1:248:1893:25c8:1946",
                "://u:pass12@h.org",
                "１３８００１３８０００",
                "٣.٣.٣.٣",
            ),
        ]
    ),
)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_places_are_in_order_and_what_was_masked_is_not_found_again(text):
    found = instrument.find(text)
    for one, two in pairwise(found):
        assert one.end <= two.start
    assert all(0 <= start < end <= len(text) for start, end, _ in found)
    again = instrument.find(masked(text))
    assert len(again) <= len(found)
    values = {text[start:end] for start, end, _ in found}
    assert not {masked(text)[start:end] for start, end, _ in again} & values


def test_random_digits_are_rarely_private():
    rng = random.Random(5)
    texts = [
        f"row {''.join(rng.choice(string.digits) for _ in range(rng.randint(5, 20)))} of the table"
        for _ in range(5000)
    ]
    # One in ten passes Luhn, and few of those begin as a card or an identity number does.
    assert sum(bool(kinds(text)) for text in texts) < 25
