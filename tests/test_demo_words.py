"""What a demo says of its run: gains, costs, and what cannot be told, each under its heading."""

import json

from recipes.demo.__main__ import verdict

STORY = [
    "on pool (as they come): worse than proportional: perplexity 1.2 % higher (1.0 to 1.4 %)",
    "on promised (as promised): better than uniform: perplexity 3.0 % lower (2.5 to 3.5 %)",
    "on promised (as promised): not told apart from proportional (perplexity +0.1 %; -1 to +1 %)",
]


def test_gains_costs_and_doubts_have_a_heading_each(tmp_path, capsys):
    models = {"mood": {"accuracy": 0.8, "trivial_accuracy": 0.5}, "tone": None}
    models["topic"] = {"accuracy": 0.4, "trivial_accuracy": 0.6}
    told = {"models": models, "story": STORY}
    (tmp_path / "evaluate.json").write_text(json.dumps(told), encoding="utf-8")
    verdict(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    places = {
        name: lines.index(name)
        for name in (
            "What was gained, as this run measured it:",
            "What it cost:",
            "What it cannot tell:",
        )
    }
    gained, cost, unsure = places.values()
    assert lines[gained + 1].startswith("  mood: 80% of the labels predicted")
    assert lines[gained + 2] == f"  {STORY[1]}"
    assert lines[cost + 1] == f"  {STORY[0]}"
    assert lines[unsure + 1].startswith("  topic: 40% of the labels predicted")
    assert lines[unsure + 2] == f"  {STORY[2]}"
    assert lines[-1] == "What wins in a small run need not win in a large one."
