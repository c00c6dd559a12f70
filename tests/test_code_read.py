"""Source code: notebooks, scripts that name what runs them, suffixes of several languages."""

import gzip
import json

import pytest

from curate.sources.readers.languages import SIGNS, language_of_text
from tests.test_sources import everything, meta, put, rows, texts

SAMPLES = {
    ("boat.pl", "Perl"): (
        "use warnings;\nmy %boats = (red => 1);\nforeach my $b (keys %boats) { sail($b) }\n"
    ),
    ("sea.pl", "Prolog"): (
        "boat(red).\nboat(blue).\nfloats(X) :- boat(X), \\+ holed(X).\n?- floats(red).\n"
    ),
    ("new.pl", "Raku"): "use v6;\nmy Int $boats = 3;\nclass Boat is Thing {}\n",
    ("a.r", "R"): "# boats\nsails <- read.csv('boats.csv')\nplot(sails$wind)\n",
    ("b.R", "R"): "library(ggplot2)\nf <- function(x) x + 1\n",
    ("c.r", "Rebol"): 'REBOL [Title: "Boats"]\nsail: func [boat] [print boat]\n',
    ("a.m", "Objective-C"): (
        "#import <UIKit/UIKit.h>\n@interface Boat : NSObject\n- (void)sail;\n@end\n"
    ),
    ("b.m", "Matlab"): ("function w = wind(x)\n% the wind\nfor k = 1:10\n  w(k) = x.^k;\nend\n"),
    ("c.m", "Octave"): ('## the wind\nfunction w = wind (x)\n  printf ("%d", x);\nendfunction\n'),
    ("d.m", "Mathematica"): "(* boats *)\nwind[x_, y_] := Module[{z}, z = x y; z]\n",
    ("a.t", "Perl"): ("use strict;\nuse Test::More;\nis(sail(), 1, 'it sails');\ndone_testing;\n"),
    ("b.t", "Raku"): "use v6;\nuse Test;\nplan 2;\nis-deeply sail(), [1];\n",
    ("c.t", "Turing"): 'var boats : int\nput "How many?"\nget boats\nend if\n',
    ("a.fs", "F#"): (
        "namespace Boats\n"
        "open System\n"
        "type Boat = { Name: string }\n"
        'let sail b = b |> printfn "%A"\n'
    ),
    ("b.fs", "Forth"): "\\ boats\n: SAIL ( n -- ) DUP . CR ;\nVARIABLE wind\n5 SAIL\n",
    ("c.fs", "GLSL"): (
        "#version 150\n"
        "uniform sampler2D sea;\n"
        "in vec2 at;\n"
        "void main() { gl_FragColor = texture(sea, at); }\n"
    ),
    ("a.inc", "PHP"): "<?php\nfunction sail($boat) {\n  return $boat->name;\n}\n",
    ("b.inc", "C"): "#ifndef BOATS\n#define BOATS 3\nextern int boats;\n#endif\n",
    ("c.inc", "NASM"): "%macro sail 1\n  mov eax, %1\n  call wind\n%endmacro\n",
    ("d.inc", "Pascal"): "{$IFDEF BOATS}\nprocedure Sail;\nbegin\n  Wind := 3;\nend;\n",
    ("a.h", "C"): "int sail(struct boat *b);\n",
    ("b.h", "C++"): (
        "#pragma once\nnamespace boats {\ntemplate <class T> class Boat {\npublic:\n};\n}\n"
    ),
    ("c.h", "Objective-C"): (
        '#import "Boat.h"\n@interface Ferry : Boat\n@property int seats;\n@end\n'
    ),
    ("a.v", "Verilog"): ("module boat(input wind, output sail);\nassign sail = wind;\nendmodule\n"),
    ("b.v", "Coq"): ("Require Import Arith.\nLemma boats : 1 + 1 = 2.\nProof. reflexivity. Qed.\n"),
    ("blank.h", "C++"): "\n\n\n".join(("#pragma once", "class Boat {", "  int seats_;", "};", "")),
    ("words.h", "C"): "/*\nusing the wind,\n  class of 1900\n*/\n\nint sail(void);\n",
    ("a.d", "D"): "module boats;\n\nimport std.stdio;\n\nvoid main() { writeln(3); }\n",
    ("b.d", "Makefile"): "out/boat.o: src/boat.c \\\n  src/wind.h\n\nsrc/wind.h:\n",
    ("c.d", "DTrace"): "syscall::read:entry\n/pid == 3/\n{\n  self->start = timestamp;\n}\n",
    ("a.cls", "OpenEdge ABL"): "CLASS Boat:\n  DEFINE VARIABLE sail AS INTEGER.\nEND CLASS.\n",
    ("b.cls", "TeX"): "% boats\n\\ProvidesClass{boats}\n\n\\LoadClass{article}\n",
    (
        "c.cls",
        "Apex",
    ): "public with sharing class Boat {\n\n  @AuraEnabled\n  public Id sail() { }\n}\n",
    (
        "d.cls",
        "VBA",
    ): 'VERSION 1.0 CLASS\nAttribute VB_Name = "Boat"\n\nPublic Sub Sail()\nEnd Sub\n',
    ("e.cls", "ObjectScript"): "Class Boats.Boat Extends %Persistent\n{\n\nMethod Sail() {}\n}\n",
    ("a.cl", "Common Lisp"): "; boats\n(defun sail (boat)\n  (move boat 3))\n",
    (
        "b.cl",
        "OpenCL",
    ): "__kernel void sail(__global int *boats) {\n  int i = get_global_id(0);\n}\n",
    ("CMakeLists.txt", "CMake"): "project(boats)\n",
    ("BUILD.bazel", "Python"): 'cc_library(name = "boats")\n',
    ("a.ts", "TypeScript"): "export const boats: number = 3\n",
    ("odd.ts", "XML"): "<TS>\n\n\n</TS>\n",
    ("b.ts", "XML"): (
        '<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS><context>\n<message>x</message>\n'
    ),
}
"""What a file of a name holds, by the name and the language."""


@pytest.mark.parametrize(("name", "language"), SAMPLES)
def test_content_tells_the_language_of_a_suffix_that_several_have(name, language):
    assert language_of_text(name, SAMPLES[name, language]) == language


@pytest.mark.parametrize("suffix", SIGNS)
def test_a_file_without_signs_is_of_the_first_language(suffix):
    assert language_of_text(f"a{suffix}", "") == SIGNS[suffix][0][0]


@pytest.mark.parametrize(
    ("first", "language"),
    {
        "#!/bin/sh": "Bash",
        "#! /usr/bin/env python3": "Python",
        "#!/usr/bin/env -S python3.12 -u": "Python",
        "#!/usr/local/bin/perl5.36 -w": "Perl",
        "#!/usr/bin/env LANG=C node": "JavaScript",
        "#!/usr/bin/Rscript --vanilla": "R",
        "#!/usr/bin/tclsh8.6": "Tcl",
        "#!/usr/bin/gawk -f": "Awk",
        "#!/opt/of/nobody": None,
        "#!": None,
        "# no script": None,
    }.items(),
)
def test_a_script_says_what_runs_it(tmp_path, first, language):
    put(tmp_path, "tree/sail", f"{first}\ngo\n")
    found, bad = everything(tmp_path, paths=["tree"], format="code")
    told = [meta(row)["programming_language"] for row in found]
    assert told == ([] if language is None else [language])
    assert [each.reason for each in bad] == [
        *(["no programming language goes by that name"] if language is None else [])
    ]


def test_what_is_no_script_is_not_read_to_its_end(tmp_path):
    put(tmp_path, "tree/photo.xyz", b"x" * 100)
    _, (bad,) = everything(tmp_path, paths=["tree"], format="code", max_bytes=10)
    assert (bad.skipped, bad.reason) == (True, "no programming language goes by that name")


CELLS = [
    {"cell_type": "markdown", "source": ["# Boats\n", "A *red* one."], "metadata": {}},
    {"cell_type": "code", "source": "sail(1)\n", "outputs": [{"text": "SECRET OUTPUT"}]},
    {"cell_type": "raw", "source": "raw words"},
    {"cell_type": "code", "source": []},
]
TEXT_OF_CELLS = "# Boats\nA *red* one.\n\nsail(1)\n"


@pytest.mark.parametrize(
    ("about", "language"),
    [
        ({}, "Python"),
        ({"kernelspec": {"language": "julia", "name": "julia-1.9"}}, "Julia"),
        ({"kernelspec": {"name": "ir"}}, "R"),
        ({"language_info": {"name": "scala"}, "kernelspec": {"name": "python3"}}, "Scala"),
    ],
)
@pytest.mark.parametrize("format", ["auto", "code"])
def test_a_notebook_is_the_source_of_its_cells(tmp_path, about, language, format):
    put(tmp_path, "tree/a.ipynb", json.dumps({"metadata": about, "nbformat": 4, "cells": CELLS}))
    (row,) = rows(tmp_path, paths=["tree"], format=format)
    assert texts([row]) == [TEXT_OF_CELLS]
    assert meta(row) == {
        "path": "tree/a.ipynb",
        "programming_language": language,
        "cells": {"code": 1, "markdown": 1},
    }


def test_notebooks_of_before_and_what_is_none(tmp_path):
    cells = [
        {"cell_type": "heading", "source": "Boats"},
        {"cell_type": "code", "input": ["sail(1)\n", "sail(2)"]},
    ]
    old = json.dumps({"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells}]})
    put(tmp_path, "tree/a.ipynb.gz", gzip.compress(old.encode()))
    for number, none in enumerate(("{}", "[", '{"cells": 3}', json.dumps({"cells": []}))):
        put(tmp_path, f"tree/b{number}.ipynb", none)
    found, bad = everything(tmp_path, paths=["tree"], strict=False)
    assert texts(found) == ["Boats\n\nsail(1)\nsail(2)\n"]
    assert [each.reason for each in bad] == [
        *["not a notebook"] * 3,
        "a notebook without code or text",
    ]


def test_what_is_no_cell_costs_itself_alone(tmp_path):
    cells = [
        None,
        {"cell_type": "code"},
        {"cell_type": "code", "source": None},
        {"source": "no kind"},
        {"cell_type": "markdown", "source": ["# Boats\n", "They sail."]},
        {"cell_type": "code", "source": "sail()"},
    ]
    put(tmp_path, "data/a.ipynb", json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
    (row,) = rows(tmp_path, format="code")
    assert texts([row]) == ["# Boats\nThey sail.\n\nsail()\n"]
    assert meta(row)["cells"] == {"code": 1, "markdown": 1}


def test_a_script_may_begin_with_a_mark(tmp_path):
    put(tmp_path, "data/sail", b"\xef\xbb\xbf#!/usr/bin/env ruby\nputs 1\n")
    assert meta(rows(tmp_path, format="code")[0])["programming_language"] == "Ruby"


def test_packed_source_files_have_a_language(tmp_path):
    put(tmp_path, "tree/a.py.gz", gzip.compress(b"sail()\n"))
    (row,) = rows(tmp_path, paths=["tree"], format="code")
    assert meta(row)["programming_language"] == "Python"
