"""Tokens as the papers count them: words and punctuation, with contractions split.

The limits of Gopher, C4 and FineWeb were published for tokens, not for runs between spaces. Their
reference implementation splits as treebanks do (Marcus et al. 1993). Here a *piece* is a run
between spaces. Marks are taken off its ends; the rest is a word, unless something inside separates
two. A Chinese or Japanese character is a token of its own, whatever stands beside it. Pieces repeat
often, so each is split once and then looked up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile
from string import punctuation
from unicodedata import category

from curate import scripts

_QUOTES = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧"
_MARKS = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪"
_MONEY = "$£€¥฿₽﷼₴₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₵₸₹₺₻₼₾₿"
_SIGNS = "\u00a6\u00a9\u00ae\u00b0\u0482\u2100-\u214f\u2190-\u23ff\u2400-\u27bf\u2900-\u2bff"
_SIGNS += "\u2e80-\u2fff\u3004\u3012\u3013\u3020\u3200-\u33ff\U0001f000-\U0001faff"
_UNITS = "km² km³ km m² m³ m dm² dm³ dm cm² cm³ cm mm² mm³ mm ha µm nm yd in ft kg g mg µg t lb oz"
_UNITS += " m/s km/h kmh mph hPa Pa mbar mb MB kb KB gb GB tb TB T G M K %"

_EDGE = frozenset(_MARKS + _QUOTES + "—–") | frozenset(
    re.findall(f"[{_SIGNS}]", "".join(map(chr, range(0x20000))))
)
_FRONT = _EDGE | frozenset("§%=" + _MONEY)
_FRONT_MARKS = _FRONT | {"+"}
_UNIT = re.compile(
    rf"(?<=[0-9])(?:\+|[{re.escape(_MONEY)}]|"
    + "|".join(re.escape(unit) for unit in sorted(_UNITS.split(), key=len, reverse=True))
    + ")$"
)
_DOTTED = _EDGE | frozenset("%²-+")
_LETTER = "[^\\W\\d_]"
_PARTING = re.compile(
    rf"(?=[.…{_SIGNS}+\-*^,–—~:<>=/])"  # no other character parts words
    rf"(\.\.+|…|[{_SIGNS}]|(?<=[0-9])[+\-*^](?=[0-9-])"
    rf"|(?<=[a-zß-öø-ÿ{re.escape(_QUOTES)}])\.(?=[A-ZÀ-ÖØ-Þ{re.escape(_QUOTES)}])"
    rf"|(?<={_LETTER}),(?={_LETTER})|(?<={_LETTER}|[0-9])(?:---|--|——|[-–—~])(?={_LETTER})"
    rf"|(?<={_LETTER}|[0-9])[:<>=/](?={_LETTER}))"
)
_REPEATED = re.compile(r"(.)\1+")
_ADDRESS = re.compile(
    r"(?:(?:https?|ftp|file)://|mailto:|[\w.+-]+@)?(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:[/?#]\S*)?$"
    r"|(?:https?|ftp|file)://\S+$"
)


def _contractions() -> Iterator[tuple[str, ...]]:
    pronouns = {
        **dict.fromkeys(("i",), "'m 'll 'd 've"),
        **dict.fromkeys(("you", "we", "they"), "'ll 'd 've 're"),
        **dict.fromkeys(("he", "she", "it"), "'ll 'd 's"),
        **dict.fromkeys(("that", "there", "what", "who", "how", "where"), "'s 'll 'd 're 've"),
        **dict.fromkeys(("when", "why"), "'s 'll 'd 're 've"),
        **dict.fromkeys(("this", "these", "those"), "'s 'll 'd"),
    }
    plain = {"ill", "hell", "shell", "shed", "well", "were", "its", "whore", "id"}  # other words
    for pronoun, clitics in pronouns.items():
        for clitic in clitics.split():
            yield pronoun, clitic
            yield pronoun, clitic.replace("'", "’")
            if pronoun + clitic[1:] not in plain and pronoun not in ("these", "those", "this"):
                yield pronoun, clitic[1:]
    verbs = "ai ca could do does did had may might must need ought sha should wo would are is"
    for verb in f"{verbs} was were has have would dare".split():
        yield from ((verb, "n't"), (verb, "n’t"))
        yield verb, "nt"
        if verb in ("could", "might", "must", "should", "would"):
            yield from ((verb, "'ve"), (verb, "n't", "'ve"))
    yield from (("can", "not"), ("gon", "na"), ("got", "ta"), ("let", "'s"), ("let", "’s"))
    yield from (("c'm", "on"), ("wan", "na"), ("y'", "all"), ("how", "'d", "y"))


_WHOLE = (
    "a.m. p.m. e.g. i.e. vs. v.s. Mr. Mrs. Ms. Dr. St. Jr. Sr. Prof. Rev. Gen. Gov. Sen. Rep. Sgt."
    " Lt. Inc. Ltd. Co. Corp. Bros. Mt. Ph.D. D.C. N.Y. Jan. Feb. Mar. Apr. Jun. Jul. Aug. Sep."
    " Sept. Oct. Nov. Dec. Adm. Messrs. and/or 'em 'nuff 'Cause 'cause 'til -- \\n \\t E.g. I.e."
    " Ala. Ariz. Ark. Calif. Colo. Conn. Del. Fla. Ga. Ia. Id. Ill. Ind. Kan. Kans. Ky. La. Mass."
    " Md. Mich. Minn. Miss. Mont. N.C. N.D. N.H. N.J. N.M. Neb. Nebr. Nev. Okla. Ore. Pa. S.C."
    " Tenn. Va. Wash. Wis. Dr. o'clock ma'am '' '"
    " :) :-) ;) ;-) :D :-D :P :-P :p :( :-( :/ :-/ :| :o :O :x :] :[ :} :3 (: ): (; =) =( =D =| =]"
    " :) :)) :)) :'( 8) 8D XD xD <3 </3 ^_^ -_- o_o O_O 0.0 o.o >.< 0_0"
)


def _special_cases() -> dict[str, tuple[str, ...]]:
    """The pieces that the general rules would split wrongly, each with its tokens."""
    cases: dict[str, tuple[str, ...]] = {}
    for parts in _contractions():
        head = parts[0]
        for first in {head, head.title() if "'" not in head else head}:
            cases["".join((first, *parts[1:]))] = (first, *parts[1:])
    for word in _WHOLE.split():
        cases[word] = (word,)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        cases[f"{letter}."] = (f"{letter}.",)
    return cases


_SPECIAL_CASES = _special_cases()
_LONGEST_CASE = max(map(len, _SPECIAL_CASES))
_JOINABLE = tuple(
    case for case, tokens in _SPECIAL_CASES.items() if tokens == (case,) and len(case) > 1
)
"""What `_joined` can join: a piece without any of these has nothing to join."""

TERMINAL = frozenset(
    "!.?։؝؞؟۔܀܁܂߹࠷࠹࠽࠾।॥၊။።፧፨᙮᜵᜶។៕᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼。꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？｡"
)
"""Marks that end a sentence, in any script (Unicode's property Sentence_Terminal, plane 0)."""

_SYMBOLS = TERMINAL | frozenset(punctuation + "«´»–—’“”„…∶━►、〈〉《》「」【】％（），１：；～")
_SYMBOLS |= frozenset(map(chr, (*range(9), *range(11, 32), *range(127, 160))))
"""A token of these characters alone is not a word."""

Piece = tuple[tuple[int, ...], int]
"""Token ids, and three counts packed into one number, so that pieces can be added: the words among
the tokens, the characters of these words, and the tokens with a letter (see `counts`)."""

LONG = 100
"""In a piece of more characters than this, the marks at its front are taken off together."""

LONGEST_KEPT = 100
"""The endings of longer runs of kinds are not kept in memory."""

_BITS = 40


def counts(total: int) -> tuple[int, int, int]:
    """Unpack a sum over pieces into words, their characters, and tokens with a letter."""
    low = (1 << _BITS) - 1
    return total & low, total >> _BITS & low, total >> 2 * _BITS


Ending = tuple[int, bool, int, bool]
"""The sentences that a piece begins, and whether one has ended after it: first if none had ended
before the piece, then if one had."""

PLAIN: Ending = (0, False, 1, False)
"""The ending of a piece of words alone."""


class Lexicon(dict[str, Piece]):
    """All pieces so far, split and counted. Looking up a new piece adds it.

    `lengths` has the number of characters of each token, by id. `endings` holds the pieces that are
    not `PLAIN`.
    """

    MOST = 1 << 17
    MOST_CHARACTERS = 1 << 24

    def __init__(self) -> None:
        self._characters = 0
        self.ids: dict[str, int] = {}
        self.lengths: list[int] = []
        self.endings: dict[str, Ending] = {}
        self._kinds: list[tuple[int, str]] = []

    def tidy(self) -> None:
        """Forget everything if too many pieces or characters are held. Ids become invalid."""
        if len(self) > self.MOST or self._characters > self.MOST_CHARACTERS:
            self._characters = 0
            for store in (self, self.ids, self.lengths, self.endings, self._kinds):
                store.clear()

    def pieces(self, text: str) -> list[str]:
        """Split a text into pieces, and add them to the lexicon."""
        pieces = text.split()
        for piece in pieces:
            self[piece]
        return pieces

    def __missing__(self, text: str) -> Piece:
        known_ids, kinds = self.ids, self._kinds
        self._characters += len(text)
        tokens = split(text)
        ids = tuple(
            [known_ids[token] if token in known_ids else self._add(token) for token in tokens]
        )
        if len(ids) > LONG:
            total, kind = self._many(ids)
        else:
            total, kind = kinds[ids[0]]
            for id in ids[1:]:
                token_counts, next_kind = kinds[id]
                total += token_counts
                if next_kind != kind[-1]:  # several in a row end or begin sentences as one does
                    kind += next_kind
        if kind != "w":
            is_short = len(kind) <= LONGEST_KEPT
            self.endings[text] = (_ending if is_short else _ending.__wrapped__)(kind)
        piece = self[text] = (ids, total)
        return piece

    def _many(self, ids: tuple[int, ...]) -> tuple[int, str]:
        """The counts of many tokens, and their kinds in order, without p."""
        kinds = self._kinds
        total = sum(kinds[id][0] * times for id, times in Counter(ids).items())
        runs = "".join([kinds[id][1] for id in ids]).replace("p", "")
        return total, _REPEATED.sub(r"\1", runs) or "p"

    def _add(self, token: str) -> int:
        """Give a new token its id."""
        id = self.ids[token] = len(self.lengths)
        size = len(token)
        self.lengths.append(size)
        if token.isalpha():
            self._kinds.append((1 + (size << _BITS) + (1 << 2 * _BITS), "w"))
            return id
        lettered = any(map(str.isalpha, token))
        word = lettered or not _SYMBOLS.issuperset(token)
        kind = "w"
        if token in TERMINAL:
            kind = "t"
        elif not lettered and all(category(char)[0] == "P" for char in token):
            kind = "p"
        self._kinds.append((word + (size * word << _BITS) + (lettered << 2 * _BITS), kind))
        return id


@lru_cache(maxsize=1 << 12)
def _ending(kinds: str) -> Ending:
    """The ending of a piece by its tokens' kinds: t ends a sentence, w begins one, p neither."""
    return (*_sentences(kinds, ended=False), *_sentences(kinds, ended=True))


def _sentences(kinds: str, *, ended: bool) -> tuple[int, bool]:
    begins = 0
    for kind in kinds:
        if kind == "t":
            ended = True
        elif kind == "w" and ended:
            begins += 1
            ended = False
    return begins, ended


def split(piece: str) -> tuple[str, ...]:
    """The tokens of a piece, which is a text without white space."""
    runs = scripts.parts(piece)
    if len(runs) > 1:
        return tuple([token for run in runs for token in _split(run)])
    return _split(piece)


def words_of(line: str) -> list[str]:
    """The words of a line as C4 counts them: the runs between spaces, marks included.

    Each ideograph is one, and what stands beside ideographs is one if it holds a letter or digit.
    """
    pieces = line.split()
    if not scripts.ideographs(line):
        return pieces
    words: list[str] = []
    for piece in pieces:
        runs = scripts.parts(piece)
        words += runs if len(runs) == 1 else [run for run in runs if any(map(str.isalnum, run))]
    return words


def _split(piece: str) -> tuple[str, ...]:
    """The tokens of a piece without ideographs, or of one ideograph."""
    if piece in _SPECIAL_CASES:
        return _SPECIAL_CASES[piece]
    if piece.isalpha():
        return (piece,)
    before: list[str] = []
    after: list[str] = []
    low, high = 0, len(piece)
    if high > LONG:  # marks at the front all at once, then those at the back
        marks = len(list(takewhile(_FRONT_MARKS.__contains__, piece)))
        low = min(high - _LONGEST_CASE, marks - 1)
        before += piece[: max(low, 0)]
        low = max(low, 0)
        while size := _mark_at_back(piece, high) if high > low + 2 * _LONGEST_CASE else 0:
            after.append(piece[high - size : high])
            high -= size
    while low < high and not _is_case(piece, low, high):
        start = low + _front(piece, low, high)
        if start > low and _is_case(piece, start, high):
            before.append(piece[low:start])
            low = start
            break
        end = high - _back(piece, low, high, high - start)
        if start == low and end == high:
            break
        if start > low:
            before.append(piece[low:start])
        if end < high:
            after.append(piece[end:high])
        low, high = start, end
    tokens = (*before, *_inside(piece[low:high]), *reversed(after))
    if len(tokens) < 2 or (len(tokens) > LONG and not any(mark in piece for mark in _JOINABLE)):
        return tokens
    return _joined(tokens)


def _is_case(piece: str, low: int, high: int) -> bool:
    """Whether a part of a piece is a special case."""
    return high - low <= _LONGEST_CASE and piece[low:high] in _SPECIAL_CASES


def _front(piece: str, low: int, high: int) -> int:
    """The number of characters at the front of `piece[low:high]` that are a token of their own."""
    first, second = piece[low], piece[low + 1 : min(low + 2, high)]
    if first in _FRONT:
        return 1
    if first == "." and second == ".":
        return _dots(piece, range(low, high))
    return int(first == "+" and not second.isdigit())


def _back(piece: str, low: int, high: int, room: int) -> int:
    """The number of characters at the end of `piece[low:high]` that are a token of their own.

    They are at most `room`.
    """
    if not room:
        return 0
    last, before = piece[high - 1], piece[max(low, high - 2) : high - 1]
    if last in _EDGE:
        return 1
    if last == ".":
        if before == ".":
            return _dots(piece, range(high - 1, high - room - 1, -1))
        if before in _DOTTED or (before.isalnum() and not before.isupper()):
            return int(bool(before))
        return int(before.isupper() and piece[max(low, high - 3) : high - 2].isupper())
    if last in "sS" and before and before in "'’":
        return 2 if room > 1 else 0
    if last.isalpha() and piece[max(low, high - 5) : high].isalpha():
        return 0
    unit = _UNIT.search(piece, max(high - room, high - 4), high)
    return high - unit.start() if unit else 0


def _mark_at_back(piece: str, high: int) -> int:
    """The size of a mark or an 's before `high`, as `_back` finds it; 0 for anything else."""
    if piece[high - 1] in _EDGE:
        return 1
    return 2 * (piece[high - 1] in "sS" and piece[high - 2] in "'’")


def _dots(piece: str, places: range) -> int:
    """The number of dots at these places of a piece, up to the first other character."""
    return sum(1 for _ in takewhile(lambda place: piece[place] == ".", places))


def _joined(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Join marks again that are one token together: smileys, empty quotes."""
    joined: list[str] = []
    for token in tokens:
        if (
            joined
            and len(token) == 1
            and _SPECIAL_CASES.get(joined[-1] + token) == (joined[-1] + token,)
        ):
            joined[-1] += token
        else:
            joined.append(token)
    return tuple(joined)


def _inside(piece: str) -> tuple[str, ...]:
    """The tokens of a piece that has no marks at its ends."""
    if not piece:
        return ()
    if piece in _SPECIAL_CASES:
        return _SPECIAL_CASES[piece]
    if piece.isalnum():
        return (piece,)
    parts = _PARTING.split(piece)  # what parts words stands between them
    if len(parts) == 1 or ("." in piece and _ADDRESS.match(piece)):
        return (piece,)
    return tuple([part for part in parts if part])
