"""What stages say in sentences, in Chinese: warnings and notes, by key.

A sentence is filled with the figures that its stage gives, or made of them by a function. One
without an entry stands in the words of its stage: a test asks for an entry of every key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from curate.rounding import rounded
from curate.warning import MOST_NAMES

Figures = Mapping[str, Any]
Words = str | Callable[[Figures], str]
"""A template, or a function of the figures. Either raises KeyError for figures that are not there."""

TABLES = {
    "pool": "文档库", "clean": "清洗结果", "labels": "标签", "annotators": "标注者",
    "scores": "分数", "doubtful": "可疑标签", "mix": "配比", "groups": "配比的组",
}  # fmt: skip


SIDES = {"min": "下限", "max": "上限"}


def listed(names: Sequence[Any]) -> str:
    """The first names of a list, and how many there are beside them."""
    more = len(names) - MOST_NAMES
    first = "、".join(map(str, names[:MOST_NAMES]))
    return f"{first} 等，另有 {more:,} 个" if more > 0 else first


def _newer(figures: Figures) -> str:
    return f"标签确定之后又有 {figures['answers']:,} 个回答；`curate agree` 会处理它们"


def _left_out(figures: Figures) -> str:
    table = figures["table"]
    if "source" not in figures:
        return (
            f"没有使用{TABLES.get(table, table)}：配比是在没有它的情况下做的（`curate mix` 会使用）"
        )
    return (
        f"没有使用{TABLES.get(table, table)}：`{figures['of']}` 不是由现在的 `{figures['source']}` "
        f"做成的（`curate {figures['maker']}` 重做它，`curate run` 重做一切过期的）"
    )


def _lost(figures: Figures) -> str:
    """The sources that all but vanish, and the texts that did it."""
    units = {"documents": "个文档", "tokens": "个词元"}
    lost = [
        f"{own['source']}（{own['of']:,} {units[own['unit']]}中的 {own['lost']:,} 个"
        + (f"，多因 {own['reason']}）" if own["reason"] else "）")
        for own in figures["losses"][:MOST_NAMES]
    ]
    texts = [
        f"{own['source']} 有 {own['documents']:,} 个文档含有“{own['text']}”"
        f"（`curate clean --explain {own['id']}`）"
        for own in figures.get("templates", ())[:MOST_NAMES]
    ]
    return "、".join(lost) + "".join(f"；{text}" for text in texts)


def _amount(figures: Figures, name: str) -> str:
    """An amount in its unit; older mixtures stored both as English words."""
    if figures["unit"] == "seconds":
        return f"{rounded(figures[name], ',.1f')} 秒"
    return f"{figures[name]:,} 条"


def _dropped(cause: str) -> Words:
    return lambda figures: (
        f"`clean` 去掉了超过 {rounded(figures['most'], '.0%')} 的文档，{cause}：{_lost(figures)}"
    )


def _of_sets(figures: Figures) -> str:
    return "、".join(
        f"{own['set']}（{own['items']:,} 条中的 {own['found']:,} 条）"
        for own in figures["counted"][:MOST_NAMES]
    )


def _drift(figures: Figures) -> str:
    sources = listed([*figures["sources"]])
    then = f"请多抽取 {sources}" if sources else "请随机多抽取一些文本"
    return (
        f"有标签的文本与语料不像（p = {figures['p_value']:.2g}；分类器区分两者的 AUC 为 "
        f"{rounded(figures['auc'], '.2f')}）：{then}"
    )


def _epochs(figures: Figures) -> str:
    sources = "、".join(
        f"{own['source']}（{rounded(own['target'], '.2f')} 轮，"
        + ("没有读到文本）" if own["proxy"] is None else f"而不是 {rounded(own['proxy'], '.2f')}）")
        for own in figures["epochs"][:MOST_NAMES]
    )
    return f"代理模型重复 {sources} 的次数与整个训练不同：请提高 `evaluate.train_bytes`"


def _copies(figures: Figures) -> str:
    files = "".join(f"、{name} 中的 {n:,} 个文本" for name, n in figures["files"].items() if n)
    return (
        f"{figures['candidates']:,} 个候选、{figures['held_out']:,} 个留出文本{files}近似相同："
        "代理模型既不读它们，也不用它们评判"
    )


def _ends(figures: Figures) -> str:
    return f"；`curate round close {figures['round']}` 结束本轮" if figures["round"] else ""


def _missing(figures: Figures) -> str:
    reasons = "、".join(f"{name} {n:,}" for name, n in figures["counts"].items())
    return (
        f"抽取中的 {figures['documents']:,} 个文档没有了（{reasons}），共 {figures['lines']:,} 行："
        "见 missing.csv"
    )


def _differs(figures: Figures) -> str:
    stage = figures["stage"]
    first = f"；{stage} 是第一个不同的阶段" if stage else ""
    return f"内容与原来的导出不同：{figures['changed']:,} 个文档读起来不一样{first}"


def _stop(figures: Figures) -> str:
    return (
        f"可以停止：有 {figures['labels']:,} 个标签时，{figures['question']} 的损失为 "
        f"{rounded(figures['loss'], '.3f')}；在以前标注的 {figures['compared']:,} 个文本上，上一轮使它下降 "
        f"{rounded(figures['improvement'], '+.3f')} ± {rounded(figures['standard_error'], '.3f')}，小于标准误（本轮仍会进行）"
    )


def _judge_left_out(figures: Figures) -> str:
    return f"没有使用 `{figures['judge']}`：{WARNINGS[figures['reason']]}"


def _good(figures: Figures) -> str:
    people = f"或按人的回答（其中 {figures['answered']:,} 个）" if figures["answered"] else ""
    same = "；选择配比的是同一个分数，对它有利" if figures["follows_scores"] else ""
    return f"留出文本中按分数{people}最好的五分之一{same}"


def _stopped(stage: str, how: str) -> Words:
    def said(figures: Figures) -> str:
        hint = f"（{figures['hint']}）" if figures["hint"] else ""
        return f"{stage} {how}：“{figures['message']}”{hint}"

    return said


STAGES = (
    *("pool", "clean", "sample", "push", "pull", "agree", "score", "mix", "export", "evaluate"),
)

WARNINGS: dict[str, Words] = {
    **{f"{stage}.newer_answers": _newer for stage in (*STAGES, "report", "estimate")},
    **{f"{stage}.left_out": _left_out for stage in ("export", "evaluate", "estimate", "mix")},
    **{f"{stage}.failed": _stopped(stage, "失败") for stage in STAGES},
    **{f"{stage}.skipped": _stopped(stage, "被跳过") for stage in STAGES},
    "report.outdated": "{tables} 早于它们的来源；用 `curate run` 重新生成",
    "report.part": "报告缺少一部分：“{message}”",
    "pool.empty_source": "{sources} 中什么也读不到",
    "pool.copies": "{sources} 几乎没有剩下：文档在其他来源中，或出现两次",
    "pool.bad_rows": "有 {rows:,} 行无法使用（{share:.1%}）；见 pool/_rejected.json",
    "pool.lost_bytes": "有 {bytes:,} 字节无法读取；见 pool/_rejected.json",
    "pool.not_read": "有 {count:,} 个文件和文件夹没有读，例如 {example}",
    "pool.guessed_encoding": (
        "有 {files:,} 个文件的编码是根据很少的字节猜的，例如 {file}（{encoding}，根据 {bytes:,} 个非 "
        "ASCII 字节）；如果猜错了，请用 `encoding:` 指定"
    ),
    "pool.replaced": "替换了 {characters:,} 个在其编码中不是文字的字符",
    "pool.no_holdout": "虽然 `holdout` 是 {share:g}，但没有留出文档：文档太少",
    "clean.duplicates": _dropped("因为近似重复"),
    "clean.passages": _dropped("因为段落与其他文档相同"),
    "clean.dropped": _dropped("因为规则"),
    "clean.languages": "有 {documents:,} 个文档（{share:.0%}）的语言与声明的不同",
    "clean.short_items": lambda own: (
        f"有的评测条目少于 {own['least']} 个词，太短，不会被查找：{_of_sets(own)}"
    ),
    "clean.alike_items": lambda own: f"有的评测条目没有自己的词，不会被查找：{_of_sets(own)}",
    "pull.incomplete": "本轮已结束，{tasks:,} 个文本中有 {missing:,} 个缺少回答",
    "pull.rejected": "有 {answers:,} 个回答被拒：{reasons}",
    "pull.unjoined": "有 {rows:,} 行找不到对应的文档：{examples}",
    "pull.unanswered": "没有任何一行回答 {questions}；请用 `--column 问题=列名` 说明答案在哪一列",
    "pull.unopened": (
        "有 {answers:,} 个回答什么都没有标注或选择；该工具对没有人打开过的文本也这样写：请只导出已审核的文本"
    ),
    "pull.offsets": (
        "有 {spans:,} 个片段位于表情符号、生僻字或连续空白之后；有的工具对这些字符的计数不同，从文件中看不出是哪"
        "一种：请用 `--offsets` 说明"
    ),
    "pull.altered": lambda own: (
        f"服务器上的表单被改过：符合本轮表单的回答会收回，其他的被拒，不再发送任何文本{_ends(own)}"
    ),
    "pull.unserved": lambda own: (
        f"服务器不再把 {own['texts']:,} 个文本给任何人看，虽然它们缺少回答：它计入了一些在这里不算的回答"
        f"{_ends(own)}"
    ),
    "pull.gone": lambda own: (
        f"有 {own['texts']:,} 个缺少回答的文本在服务器上不见了"
        + (_ends(own) if "push" not in own["again"] else "；用 `curate push` 重新发送")
    ),
    "pull.outside": (
        "{people} 在服务器上看不到文本：`curate push` 让他们加入；`curate round close {round}` 结束本轮"
    ),
    "pull.waits": lambda own: (
        f"有 {own['texts']:,} 个文本在等 {listed(own['people'])}：他们的回答被拒，只有他们自己能在"
        f"服务器上修改{_ends(own)}"
    ),
    "push.absent": "无法请 {people} 回答：{server} 上没有账号 {logins}",
    "push.left_out": "有 {values:,} 个建议值没有使用：{reasons}",
    "agree.one_annotator": "只有一个人回答了 {questions}：无法知道标签有多可靠",
    "agree.low_alpha": "alpha 低于 {least}：{questions}",
    "agree.undecided": "未决的太多：{questions}",
    "agree.none_left": "以前确定的回答都没有了：没有标签",
    "agree.other_kind": (
        "没有使用对 {questions} 的 {answers:,} 个回答：后来的表单改变了问题的类型；改过的问题请用新的名称"
    ),
    "score.few_labels": "{question} 只有 {labels:,} 个标签",
    "score.absent": "{question} 没有值为 {values} 的标签：模型无从学起",
    "score.lost": "有 {labels:,} 个有标签的文档后来被去掉",
    "score.no_better": (
        "{question} 的模型不比简单基线好：准确率 {accuracy:.3f}，基线 {trivial:.3f}；交叉熵 "
        "{entropy:.3f}，基线 {trivial_entropy:.3f}"
    ),
    "score.constant": "{sources} 内部的质量几乎没有差别：不能用它区分其中的文档",
    "score.domain": (
        "质量更多取决于来源而不是文本：与人的标签的秩相关总体为 {spearman:.2f}，来源内部为 {within:.2f}"
        "（`centre_by: source` 从来源内部的差别学习）"
    ),
    "score.drift": _drift,
    "score.not_learned": "没有学习 {question}：“{why}”",
    "score.abstained": (
        "{question} 的概率与 {groups} 的标签不符：其中的文档（共 {documents:,} 个弃权）在 `mix` 中取平均质量"
    ),
    "score.unfit": (
        "{question} 的概率与它的 {labels:,} 个标签不符（校准误差 {error:.3f}，p = {p_value:.3f}）："
        "`calibrate_by: source` 会指出是哪些来源"
    ),
    "mix.short_group": "{groups} 的文档少于期望的比例：全部抽取，并且重复",
    "mix.short": "预算 {budget:,}，只抽取了 {tokens:,} 个词元",
    "mix.short_amount": lambda own: (
        f"预算 {_amount(own, 'budget')}，只抽取了 {_amount(own, 'drawn')}"
    ),
    "mix.over_amount": lambda own: f"预算 {_amount(own, 'budget')}，抽取了 {_amount(own, 'drawn')}",
    "mix.over": "预算 {budget:,}，抽取了 {tokens:,} 个词元",
    "mix.flat_quality": "{groups} 的质量几乎没有差别：权重和五分位在那里没有意义",
    "mix.few_labels": "{groups} 背后的标签太少",
    "mix.not_told_apart": "无法区分 {groups} 的质量",
    "mix.empty_class": "没有候选被预测为 {values}：配比中没有它",
    "mix.unused_limits": "`mix.limits` 中的组没有候选：配比中没有 {groups}",
    "mix.unfilled_shares": "没有候选属于 {values}：它在 `mix.between.shares` 中的比例归其他值",
    "mix.unreachable": lambda own: (
        f"以前的部分已经抽取的文档使 {own['limit']} 达不到{SIDES.get(own['side'], own['side'])} {rounded(own['asked'], '.2%')}："
        f"最接近的是 {rounded(own['reachable'], '.2%')}"
    ),
    "evaluate.few_held_out": "{sources} 的留出文档少于 {least} 个：结论较弱",
    "evaluate.none_held_out": "{sources} 没有留出文档：对它没有结论",
    "evaluate.worse": "按代理模型，配比差于 {arms}，没有一个评判认为更好",
    "evaluate.moved": lambda own: (
        f"对照 {own['arm']} 中 {own['group']} 占 {rounded(own['has'], '.1%')}，而不是 {rounded(own['wanted'], '.1%')}："
        "代理模型读的文本中没有更多"
    ),
    "evaluate.phases": "配比按阶段 {phase} 比较；没有使用 {others}",
    "evaluate.shortfall": "没有比较配比：“{what}”",
    "evaluate.contaminated": _copies,
    "evaluate.epochs": _epochs,
    "evaluate.group_not_held_out": (
        "没有留出 {groups} 的文本，它占配比的 {share:.0%}：`promised` 没有算上它"
    ),
    "evaluate.overfits": (
        "代理模型在 {arms} 上过拟合：训练损失下降时，留出损失上升；请设置 `patience`，减少 `steps` 或 "
        "`epochs`，加 `dropout`，或提高 `train_bytes`"
    ),
    "evaluate.no_holdout": "没有留出文本：设置 `pool: {{holdout: .05}}` 才能比较配比",
    "evaluate.no_text": "留出的文档都没有代理模型能读的文本",
    "evaluate.empty_holdout": ("`pool.holdout: {share:g}` 留出的文档都没有通过 `clean`：请提高它"),
    "evaluate.judge_left_out": _judge_left_out,
    "evaluate.all_copies": "其中每个文本在候选中都有近似的副本",
    "evaluate.none_of_promised": "配比承诺的内容都没有留出文本",
    "evaluate.no_quality": "没有留出文本有 `score` 的质量",
    "evaluate.of_file": "你自己的文本，按字节加权",
    "evaluate.of_pool": "留出文本原样，有所偏好的配比在此预期会差一些；每个来源权重相同",
    "evaluate.of_sources": "留出文本，按配比中各来源的比例加权（留出文本属于哪个组不知道）",
    "evaluate.of_groups": "留出文本，按配比承诺各组的比例加权",
    "evaluate.of_good": _good,
    "sample.fewer": "想要 {n:,} 个文本，只有 {tasks:,} 个",
    "sample.outdated_scores": lambda own: (
        f"本轮抽样所用的分数已过期：`{own['of']}` 不是由现在的 `{own['source']}` 做成的"
        f"（`curate {own['maker']}` 重做它）"
    ),
    "sample.stop": _stop,
    "export.missing": _missing,
    "export.differs": _differs,
    "estimate.left_out": "没有使用：“{why}”（{hint}）",
    "estimate.no_predictions": "{questions}：没有预测，区间只靠标签，所以很宽",
    "estimate.unanswered": (
        "{question}：发出的 {asked:,} 个文本中有 {missing:,} 个没有标签；由同一轮、同一层的其他文本代表"
    ),
    "estimate.not_drawn": (
        "{question}：{others:,} 个有标签的文档不代表其他文档（导入的、重新标注的等），没有算入估计"
    ),
    "estimate.windows": "{question}：长文本只给人看了随机的一段，估计的是这些段落",
    "estimate.other_corpus": (
        "{question}：标签代表 {stood_for:,} 个文档，语料有 {documents:,} 个：抽样之后语料变了，或另外发出了文档"
    ),
}
