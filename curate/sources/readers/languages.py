"""The programming language of a file: by its name, its first line, or what it holds.

Some suffixes belong to several languages. Each of these has lines that the others do not write: the
language with the most of them is taken, and the first named where none has any.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath

HEAD = 1 << 16
"""So many characters of a file are looked at."""

NEVER = r"(?!)"
"""No line tells the language: it is the one where no line tells another."""

SIGNS: dict[str, tuple[tuple[str, str], ...]] = {
    ".pl": (
        (
            "Perl",
            r"^\s*(?:use\s+(?:strict|warnings|utf8|v?5|[A-Z]\w*)|my\s*[$@%(]|our\s*[$@%]"
            r"|sub\s+\w+|package\s+[\w:]+;|(?:if|while|foreach|for|unless)\s*\(|print\s"
            r"|\$\w+\s*=|=\w+\s*$)",
        ),
        (
            "Prolog",
            r"^\s*:-|^[a-z]\w*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*(?::-|-->)|^\s*\?-"
            r"|^[a-z]\w*\([^$;{]*\)\.\s*(?:%.*)?$",
        ),
        (
            "Raku",
            r"^\s*(?:use\s+v6|my\s+\w+\s+\$|multi\s+sub|grammar\s+\w+|class\s+\w+\s+(?:is"
            r"|does))",
        ),
    ),
    ".r": (
        (
            "R",
            r"<-|^\s*(?:library|require|source|setwd|print|cat)\(|\bfunction\s*\(|^\s*#'"
            r"|\w+\$\w+|\bc\(|%>%|\|>",
        ),
        (
            "Rebol",
            r"^\s*rebol\s*\[|^\s*[\w-]+:\s+(?:func|does|make|context)\b",
        ),
        (
            "Rexx",
            r"""^\s*/\*.*rexx|^\s*(?:parse\s+arg|say\s+['\"]|address\s+\w+)""",
        ),
    ),
    ".m": (
        (
            "Objective-C",
            r"^\s*(?:#import|#include|@(?:interface|implementation|end|property|protocol"
            r"|class|import)\b|[-+]\s*\(\w[\w\s*]*\)\s*\w+)|\[\[?\w+\s+\w+|@\"|//",
        ),
        (
            "Matlab",
            r"^\s*(?:function\b(?!\s*\()|%|end\s*;?\s*$|for\s+\w+\s*=\s*\S+:|disp\("
            r"|fprintf\(|clear\b|close\s+all|hold\s+on)|\.[*/^]|\w+\s*=\s*\[[^;]*(?:;|\])"
            r"|\.\.\.\s*$|zeros\(|ones\(",
        ),
        (
            "Octave",
            r"^\s*(?:##|endfunction|endif|endfor|endwhile|printf\s*\(|pkg\s+load"
            r"|unwind_protect)|\bend_try_catch\b",
        ),
        (
            "Mathematica",
            r"\(\*.*|^\s*\w+\[[^\]]*_[^\]]*\]\s*:=|\bModule\[|\bBeginPackage\[|//\s*\w+@"
            r"|:>\s|->\s*\w+\[",
        ),
        (
            "Mercury",
            r"^\s*:-\s*(?:module|interface|implementation|import_module|pred|func|mode)\b",
        ),
    ),
    ".t": (
        (
            "Perl",
            r"^\s*(?:use\s+(?:strict|warnings|Test::|lib\b|v?5|[A-Z]\w*)|my\s*[$@%(]"
            r"|ok\s*\(|is(?:_deeply)?\s*\(|plan\s|done_testing|sub\s+\w+)",
        ),
        (
            "Raku",
            r"^\s*(?:use\s+(?:v6|Test\s*;)|plan\s+\d+\s*;|my\s+\w+\s+\$|is-deeply|dies-ok"
            r"""|lives-ok|subtest\s+['\"])""",
        ),
        (
            "Turing",
            r"^\s*(?:put\s|get\s|var\s+\w+\s*:\s*\w+|procedure\s|end\s+(?:for|if|loop)"
            r"|import\s+\w+\s*$)",
        ),
        (
            "Terra",
            r"^\s*(?:terra\s+\w+|local\s+\w+\s*=|terralib)",
        ),
    ),
    ".fs": (
        (
            "F#",
            r"^\s*(?:let\s+(?:rec\s+|mutable\s+|inline\s+)?[\w(]|open\s+[A-Z]"
            r"|module\s+[A-Z]|namespace\s+\w|type\s+\w+|member\s|\|\s*\w+.*->|\[<)|\|>"
            r"|\bfun\s+\w+\s*->",
        ),
        (
            "Forth",
            r"^\s*:\s+\S+|^\s*\\\s|^\s*\(\s|\s;\s*$|\b(?i:dup|swap|drop|over|rot|emit"
            r"|constant|variable|loop)\b(?!\s*[(=])",
        ),
        (
            "GLSL",
            r"^\s*(?:#version|precision\s|uniform\s|varying\s|in\s+vec|out\s+vec"
            r"|layout\s*\(|void\s+main\s*\()|\bgl_\w+|\bvec[234]\b",
        ),
        (
            "Filterscript",
            r"#pragma\s+(?:version|rs)|__attribute__\(\(kernel\)\)",
        ),
    ),
    ".inc": (
        (
            "PHP",
            r"<\?(?:php|=)|^\s*\$\w+\s*=|\bfunction\s+\w+\s*\(.*\$|\$this->",
        ),
        (
            "C++",
            r"^\s*(?:template\s*<|class\s+\w+|namespace\s+\w+|using\s+namespace|public:"
            r"|private:)|\bstd::",
        ),
        (
            "C",
            r"^\s*(?:#\s*(?:define|include|if|ifdef|ifndef|endif|pragma)\b|static\s"
            r"|struct\s+\w+|typedef\s|extern\s|(?:int|void|char|unsigned"
            r"|double)\s+\w+.*[;{(]|\{\s*\S.*\},?\s*$|/\*)",
        ),
        (
            "Pawn",
            r"^\s*(?:native\s|forward\s|stock\s|#pragma\s+(?:library|tabsize|semicolon)"
            r"|public\s+\w+\s*\()",
        ),
        (
            "NASM",
            r"^\s*%(?:macro|define|include|ifdef|endmacro|ifndef)\b|^\s*(?:mov|push|pop"
            r"|jmp|call|xor|lea|section|global|equ|db|dw|dd)\s+[\w\[]|^\s*;",
        ),
        (
            "Pascal",
            r"^\s*(?:\{\$\w+|procedure\s+\w+|unit\s+\w+|uses\s|begin\s*$|end;)|:=",
        ),
        (
            "SQL",
            r"^\s*(?:select|insert\s+into|create\s+(?:table|function|view)|drop\s+table"
            r"|--)\b",
        ),
        (
            "HTML",
            r"^\s*<(?:div|p|html|table|script|!--|span|ul|head|body)\b",
        ),
        (
            "BitBake",
            r"^\s*(?:SRC_URI|DEPENDS|LICENSE|inherit|do_\w+\s*\()",
        ),
    ),
    ".h": (
        (
            "C",
            NEVER,
        ),
        (
            "C++",
            r"^\s*(?:template\s*<|class\s+\w+\s*(?:[:{]|$)|namespace\s+\w+|using\s+(?:namespace\s|\w+\s*=|[\w:]+::)"
            r"|public:|private:|protected:|virtual\s)|\bstd::",
        ),
        (
            "Objective-C",
            r"^\s*(?:@(?:interface|protocol|property|class|end|import)\b|#import)",
        ),
    ),
    ".v": (
        (
            "Verilog",
            r"^\s*(?:module\s+\w+|endmodule|always\s*@|assign\s|wire\s|reg\s|input\s"
            r"|output\s|`timescale)",
        ),
        (
            "Coq",
            r"^\s*(?:Require|Theorem|Lemma|Proof\.|Qed\.|Definition|Inductive|Fixpoint"
            r"|Import)\b",
        ),
        (
            "V",
            r"^\s*(?:module\s+\w+\s*$|fn\s+(?:\(.*\)\s*)?\w+\(|import\s+\w+\s*$|pub\s+fn"
            r"|mut\s)|:=",
        ),
    ),
    ".ts": (
        (
            "TypeScript",
            NEVER,
        ),
        (
            "XML",
            r"^\s*<(?:\?xml|!DOCTYPE\s+TS|TS\b|context>|message>|translation)",
        ),
    ),
    ".pro": (
        (
            "Prolog",
            r"^\s*:-|^[a-z]\w*\(.*\)\s*(?::-|\.)",
        ),
        (
            "QMake",
            r"^\s*(?:TEMPLATE|TARGET|QT|SOURCES|HEADERS|CONFIG|LIBS|INCLUDEPATH)\s*[+*-]?=",
        ),
        (
            "IDL",
            r"^\s*(?:pro\s+\w+|compile_opt|endfor|endif|;)",
        ),
    ),
    ".d": (
        (
            "D",
            r"^\s*(?:import\s+[\w.]+\s*[;:,=]|module\s+[\w.]+;|unittest\b)",
        ),
        (
            "DTrace",
            r"^\s*(?:#pragma\s+D\b|\w*:[\w$*]*:[\w$*]*:\w*|BEGIN\s*$|profile:|self->)",
        ),
        (
            "Makefile",
            r"^[^\s:;()]+\.(?:o|d|lo|obj|rlib|rmeta)\b[^;(){}]*:(?:\s|$)",
        ),
    ),
    ".cls": (
        (
            "OpenEdge ABL",
            NEVER,
        ),
        (
            "TeX",
            r"^\s*(?:\\\w+|%)",
        ),
        (
            "Apex",
            r"^\s*(?:@\w+\s*(?:\(|$)|(?:public|private|global|protected)\s+.*[({]|trigger\s)|[\[(]\s*select\s",
        ),
        (
            "VBA",
            r"^\s*(?:version\s+\d|attribute\s+vb_|option\s+explicit|dim\s|(?:public|private)\s+"
            r"(?:sub|function|property)\b|end\s+(?:sub|function|property))",
        ),
        (
            "ObjectScript",
            r"^\s*(?:class\s+[\w.%]+\s+extends\s|(?:class)?method\s+\w+\(|parameter\s+\w+\s*=)",
        ),
    ),
    ".cl": (
        (
            "Common Lisp",
            r"^\s*\(|^\s*;",
        ),
        (
            "OpenCL",
            r"\b(?:__kernel|kernel\s+void|__global|__local|get_global_id)\b|^\s*(?:#|//|typedef\s)",
        ),
    ),
}
"""The languages of suffixes that several have, and the lines that tell each of them."""

_ANY_CASE = (".r", ".inc", ".cls")
"""Suffixes whose signs may be in capitals."""

NAMES = {"S": "R", "Perl6": "Raku"}
"""Languages that `pygments` calls otherwise than everybody."""

WHOLE_NAMES = {
    "CMakeLists.txt": "CMake",
    "Jenkinsfile": "Groovy",
    "meson.build": "Meson",
    **dict.fromkeys(("BUILD.bazel", "WORKSPACE.bazel", "MODULE.bazel"), "Python"),
}
"""Files whose suffix does not tell their language."""

INTERPRETERS = {
    **dict.fromkeys(("node", "nodejs", "bun"), "javascript"),
    **dict.fromkeys(("deno", "ts-node", "tsx"), "typescript"),
    **dict.fromkeys(("ash", "dash", "ksh", "mksh", "bats"), "bash"),
    **dict.fromkeys(("gawk", "mawk", "nawk"), "awk"),
    **dict.fromkeys(("wish", "expect", "tclsh"), "tcl"),
    **dict.fromkeys(("pypy", "ipython", "jython", "uv"), "python"),
    **dict.fromkeys(("jruby", "rbx", "macruby"), "ruby"),
    **dict.fromkeys(("rscript", "ir"), "r"),
    "perl6": "raku",
    "runhaskell": "haskell",
    "swipl": "prolog",
    "luajit": "lua",
    "escript": "erlang",
}
"""Interpreters whose name is not that of the language."""

_SHEBANG = re.compile(r"#![ \t]*(?P<path>\S+)(?P<words>[^\n]*)")


def language_of(name: str) -> str | None:
    """The programming language of a file by its name, or None."""
    suffix = PurePosixPath(name).suffix
    return WHOLE_NAMES.get(name) or _by_suffix(f"x{suffix}" if suffix else name)


@lru_cache(maxsize=4096)
def _by_suffix(name: str) -> str | None:
    from pygments.lexers import find_lexer_class_for_filename

    lexer = find_lexer_class_for_filename(name)
    return None if lexer is None else NAMES.get(lexer.name, str(lexer.name))


def language_of_text(name: str, text: str) -> str | None:
    """The programming language of a file by its name and what it holds, or None."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in SIGNS:
        return _by_shebang(text) or _by_signs(suffix, text[:HEAD])
    return language_of(name) or _by_shebang(text)


@lru_cache(maxsize=64)
def _signs(suffix: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    flags = re.MULTILINE | (re.IGNORECASE if suffix in _ANY_CASE else re.NOFLAG)
    return tuple((language, re.compile(signs, flags)) for language, signs in SIGNS[suffix])


def _by_signs(suffix: str, text: str) -> str:
    """The language with the most lines that tell it; the first where none has any."""
    lines = text.split("\n")
    counts = {
        language: sum(bool(signs.search(line[:LONGEST_LINE])) for line in lines)
        for language, signs in _signs(suffix)
    }
    return max(counts, key=counts.__getitem__)


LONGEST_LINE = 500
"""A line is looked at up to here."""


def _by_shebang(text: str) -> str | None:
    """The language of the interpreter that a script names in its first line."""
    match = _SHEBANG.match(text[:1000].removeprefix("\ufeff"))
    if match is None:
        return None
    words = [match["path"].rsplit("/", 1)[-1], *match["words"].split()]
    if words[0] == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    name = re.sub(r"[\d.]+$", "", words[0].rsplit("/", 1)[-1].lower()) if words else ""
    return _by_alias(INTERPRETERS.get(name, name)) if name else None


@lru_cache(maxsize=1024)
def _by_alias(alias: str) -> str | None:
    """The language that goes by an alias, such as `python` or `ipython3`."""
    from pygments.lexers import find_lexer_class_by_name
    from pygments.util import ClassNotFound

    try:
        name = str(find_lexer_class_by_name(alias).name)
    except ClassNotFound:
        return None
    return NAMES.get(name, name)


def language_called(name: str) -> str | None:
    """The programming language of that name, as notebooks write it; None for an unknown one."""
    plain = re.sub(r"[\d.-]+$", "", name.strip().lower())
    return _by_alias(INTERPRETERS.get(plain, plain)) if plain else None
