"""Tokens as the rules of the literature count them: words and punctuation, contractions apart.

The numbers of Gopher, C4 and FineWeb were published for tokens, not for runs between spaces: their
reference implementation splits as treebanks do (Marcus et al. 1993). What stands between spaces is
a *piece*; marks are taken off its ends, and what is left is a word unless something inside it parts
two. Pieces come again and again, so each is split once and looked up from then on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import punctuation
from unicodedata import category

_QUOTES = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧"
_MARKS = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪"
_MONEY = "$£€¥฿₽﷼₴₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₵₸₹₺₻₼₾₿"
_SIGNS = "\u00a6\u00a9\u00ae\u00b0\u0482\u2100-\u214f\u2190-\u23ff\u2400-\u27bf\u2900-\u2bff"
_SIGNS += "\u2e80-\u2fff\u3004\u3012\u3013\u3020\u3200-\u33ff\U0001f000-\U0001faff"
_UNITS = "km² km³ km m² m³ m dm² dm³ dm cm² cm³ cm mm² mm³ mm ha µm nm yd in ft kg g mg µg t lb oz"
_UNITS += " m/s km/h kmh mph hPa Pa mbar mb MB kb KB gb GB tb TB T G M K %"

_END = re.escape(_MARKS + _QUOTES)
_OPENING = re.compile(rf"\.\.+|……|\+(?![0-9])|[§%=—–{_END}{re.escape(_MONEY)}{_SIGNS}]")
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS.split(), key=len, reverse=True))
_CLOSING = re.compile(
    rf"(?:\.\.+|……|[—–{_END}{_SIGNS}]|['’][sS]|(?<=[0-9])(?:\+|[{re.escape(_MONEY)}]|{_UNIT})"
    rf"|(?<=[^\W_A-ZÀ-ÖØ-Þ]|[%²+\-{_END}])\.|(?<=[A-ZÀ-ÖØ-Þ]{{2}})\.)$"
)
_LETTER = "[^\\W\\d_]"
_MARKED = frozenset(".,:;!?)")
_PARTING = re.compile(
    rf"\.\.+|…|[{_SIGNS}]|(?<=[0-9])[+\-*^](?=[0-9-])"
    rf"|(?<=[a-zß-öø-ÿ{re.escape(_QUOTES)}])\.(?=[A-ZÀ-ÖØ-Þ{re.escape(_QUOTES)}])"
    rf"|(?<={_LETTER}),(?={_LETTER})|(?<={_LETTER}|[0-9])(?:---|--|——|[-–—~])(?={_LETTER})"
    rf"|(?<={_LETTER}|[0-9])[:<>=/](?={_LETTER})"
)
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
    plain = {"ill", "hell", "shell", "shed", "well", "were", "its", "whore", "id"}  # words
    for pronoun, clitics in pronouns.items():
        for clitic in clitics.split():
            yield pronoun, clitic
            yield pronoun, clitic.replace("'", "’")
            if pronoun + clitic[1:] not in plain and pronoun not in ("these", "those", "this"):
                yield pronoun, clitic[1:]
    negated = "ai ca could do does did had may might must need ought sha should wo would are is"
    for verb in f"{negated} was were has have would dare".split():
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


def _known() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for parts in _contractions():
        head = parts[0]
        for first in {head, head.title() if "'" not in head else head}:
            found["".join((first, *parts[1:]))] = (first, *parts[1:])
    for word in _WHOLE.split():
        found[word] = (word,)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        found[f"{letter}."] = (f"{letter}.",)
    return found


_KNOWN = _known()

TERMINAL = frozenset(
    "!.?։؝؞؟۔܀܁܂߹࠷࠹࠽࠾।॥၊။።፧፨᙮᜵᜶។៕᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼。꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？｡"
)
"""Marks that end a sentence, of any script (Unicode's property Sentence_Terminal, plane 0)."""

_SYMBOLS = TERMINAL | frozenset(punctuation + "«´»–—’“”„…∶━►、〈〉《》「」【】％（），１：；～")
_SYMBOLS |= frozenset(map(chr, (*range(9), *range(11, 32), *range(127, 160))))
"""A token that holds nothing else is no word."""

Piece = tuple[tuple[int, ...], int, int, int, tuple[int, bool, int, bool]]
"""Token ids; how many are words; the words' characters; how many tokens hold a letter; and the
sentences begun and whether one has ended, without and with an end before."""


class Lexicon(dict[str, Piece]):
    """Every piece met so far, split and counted: looked up, or made on the spot."""

    MOST = 1 << 18

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.lengths: list[int] = []

    def tidy(self) -> None:
        """Forget everything once it is much; ids hold within one text only."""
        if len(self) > self.MOST:
            self.clear()
            self.ids.clear()
            self.lengths.clear()

    def id(self, token: str) -> int:
        """Return the number of a token."""
        known = self.ids.setdefault(token, len(self.lengths))
        if known == len(self.lengths):
            self.lengths.append(len(token))
        return known

    def __missing__(self, text: str) -> Piece:
        tokens = split(text)
        words = [
            token for token in tokens if token[0] not in _SYMBOLS or not _SYMBOLS.issuperset(token)
        ]
        lettered = sum(token.isalpha() or any(map(str.isalpha, token)) for token in words)
        ends = not TERMINAL.isdisjoint(tokens)
        made = (
            tuple(map(self.id, tokens)),
            len(words),
            sum(map(len, words)),
            lettered,
            (*_sentences(tokens, ended=False), *_sentences(tokens, ended=True))
            if ends or len(words) < len(tokens)
            else _NO_END,
        )
        self[text] = made
        return made


_NO_END = (0, False, 1, False)


def _sentences(tokens: tuple[str, ...], *, ended: bool) -> tuple[int, bool]:
    """Return how many sentences begin in the tokens of a piece, and whether one has ended."""
    begun = 0
    for token in tokens:
        if token in TERMINAL:
            ended = True
        elif ended and not all(category(char)[0] == "P" for char in token):
            begun += 1
            ended = False
    return begun, ended


def split(piece: str) -> tuple[str, ...]:
    """Return the tokens of a piece: a text without white space."""
    if piece.isalpha() and piece not in _KNOWN:
        return (piece,)
    if piece[:-1].isalpha() and piece[-1] in _MARKED and piece not in _KNOWN:
        head = piece[:-1]  # by far the commonest: a word and a comma
        if piece[-1] != "." or not head[-1:].isupper():
            return (*_KNOWN.get(head, (head,)), piece[-1])
    before: list[str] = []
    after: list[str] = []
    while piece and piece not in _KNOWN:
        opening = _OPENING.match(piece) if not piece[0].isalnum() else None
        start = opening.end() if opening else 0
        if start and piece[start:] in _KNOWN:
            before.append(piece[:start])
            piece = piece[start:]
            break
        closing = None if piece.isalpha() else _CLOSING.search(piece, max(start, len(piece) - 8))
        end = closing.start() if closing and closing.start() >= start else len(piece)
        if start == 0 and end == len(piece):
            break
        if start:
            before.append(piece[:start])
        if end < len(piece):
            after.append(piece[end:])
        piece = piece[start:end]
    tokens = (*before, *_inside(piece), *reversed(after))
    return tokens if len(tokens) < 2 else _joined(tokens)


def _joined(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Put marks together again that mean something as one: smileys, empty quotes."""
    found: list[str] = []
    for token in tokens:
        if found and len(token) == 1 and _KNOWN.get(found[-1] + token) == (found[-1] + token,):
            found[-1] += token
        else:
            found.append(token)
    return tuple(found)


def _inside(piece: str) -> tuple[str, ...]:
    if not piece:
        return ()
    if piece in _KNOWN:
        return _KNOWN[piece]
    if piece.isalnum() or _ADDRESS.match(piece):
        return (piece,)
    parts: list[str] = []
    at = 0
    for parting in _PARTING.finditer(piece):
        if parting.start() > at:
            parts.append(piece[at : parting.start()])
        parts.append(parting[0])
        at = parting.end()
    return (*parts, piece[at:]) if at < len(piece) else tuple(parts)
