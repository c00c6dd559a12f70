"""Warnings of stages in Chinese, by key; the figures are those that each stage gives.

A warning without an entry stands in the words of its stage.
"""

WARNINGS: dict[str, str] = {
    "report.outdated": "{tables} 早于它们的来源；用 `curate run` 重新生成",
    "report.part": "报告缺少一部分：{message}",
    "pool.empty_source": "{sources} 中什么也读不到",
    "pool.copies": "{sources} 几乎没有剩下：文档在其他来源中，或出现两次",
    "pool.lost_bytes": "有 {bytes:,} 字节无法读取；见 pool/_rejected.json",
    "pool.not_read": "有 {count:,} 个文件和文件夹没有读，例如 {example}",
    "pool.replaced": "替换了 {characters:,} 个在其编码中不是文字的字符",
    "pool.no_holdout": "虽然 `holdout` 是 {share:g}，但没有留出文档：文档太少",
    "clean.alike_items": "有的评测条目没有自己的词，不会被查找：{sets}",
    "pull.incomplete": "本轮已结束，{tasks:,} 个文本中有 {missing:,} 个缺少回答",
    "agree.one_annotator": "只有一个人回答了 {questions}：无法知道标签有多可靠",
    "agree.low_alpha": "alpha 低于 {least}：{questions}",
    "agree.undecided": "未决的太多：{questions}",
    "agree.none_left": "以前确定的回答都没有了：没有标签",
    "score.few_labels": "{question} 只有 {labels:,} 个标签",
    "score.absent": "{question} 没有值为 {values} 的标签：模型无从学起",
    "score.lost": "有 {labels:,} 个有标签的文档后来被去掉",
    "mix.short_group": "{groups} 的文档少于期望的比例：全部抽取，并且重复",
    "mix.short": "预算 {budget:,}，只抽取了 {tokens:,} 个词元",
    "mix.short_amount": "预算 {budget}，只抽取了 {drawn}",
    "mix.over_amount": "预算 {budget}，抽取了 {drawn}",
    "mix.over": "预算 {budget:,}，抽取了 {tokens:,} 个词元",
    "mix.flat_quality": "{groups} 的质量几乎没有差别：权重和五分位在那里没有意义",
    "mix.few_labels": "{groups} 背后的标签太少",
    "mix.not_told_apart": "无法区分 {groups} 的质量",
    "evaluate.few_held_out": "{sources} 的留出文档少于 {least} 个：结论较弱",
    "evaluate.none_held_out": "{sources} 没有留出文档：对它没有结论",
    "evaluate.worse": "按代理模型，配比差于 {arms}，没有一个评判认为更好",
    "sample.fewer": "想要 {n:,} 个文本，只有 {tasks:,} 个",
}
