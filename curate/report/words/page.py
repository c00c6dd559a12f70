"""Words of the page itself: its top, its chapters, and what ran when."""

WORDS = {
    "as_written": ("{text}", "{text}"),
    "page.made": ("made by curate, {made}", "由 curate 生成，{made}"),
    "page.verdict": ("In short", "结论"),
    "page.warnings": ("Warnings", "警告"),
    "page.contents": ("Contents", "目录"),
    "page.skip": ("skip to the sections", "跳到正文"),
    "page.chart": ("chart: {heading}", "图：{heading}"),
    "page.table": ("table: {heading}", "表：{heading}"),
    "page.copy": ("copy", "复制"),
    "page.id": ("id", "编号"),
    "chapter.corpus": ("The corpus", "语料"),
    "chapter.people": ("People", "人员"),
    "chapter.model": ("The model", "模型"),
    "chapter.mixture": ("The mixture", "配比"),
    "chapter.proof": ("Evaluation", "检验"),
    "chapter.origin": ("Where it comes from", "来历"),
    "tile.read": ("documents read", "读入的文档"),
    "tile.kept": ("kept", "保留"),
    "tile.answers": ("answers by people", "人的回答"),
    "tile.answers_so_far": ("answers so far", "目前的回答"),
    "tile.exported": ("documents exported", "导出的文档"),
    "tile.tokens": ("tokens", "词元"),
    "verdict.good": ("good", "好"),
    "verdict.bad": ("bad", "不好"),
    "verdict.unsure": ("unsure", "不确定"),
    "verdict.corpus": (
        "{kept:,} of {documents:,} documents are kept; most are dropped for {reason}.",
        "{documents:,} 个文档保留了 {kept:,} 个；被去掉的主要原因是 {reason}。",
    ),
    "verdict.corpus_all": (
        "All {documents:,} documents are kept.",
        "{documents:,} 个文档全部保留。",
    ),
    "verdict.agreement": (
        "People agree on {question}: alpha {alpha:.2f}{interval}.",
        "人们对 {question} 意见一致：alpha {alpha:.2f}{interval}。",
    ),
    "verdict.disagreement": (
        "People hardly agree on {question}: alpha {alpha:.2f}{interval}; below .67 labels are "
        "weak evidence.",
        "人们对 {question} 意见不够一致：alpha {alpha:.2f}{interval}；低于 0.67 的标签证据较弱。",
    ),
    "verdict.interval": (
        ", 95 % from {low:.2f} to {high:.2f}",
        "，95 % 区间 {low:.2f} 到 {high:.2f}",
    ),
    "verdict.alone": (
        "Only one person answered {question}: nothing shows how reliable the labels are.",
        "只有一个人回答了 {question}：无法知道标签有多可靠。",
    ),
    "verdict.model_better": (
        "The model predicts {question} better than the trivial baseline: {measure} {value:.2f}, "
        "baseline {trivial:.2f}.",
        "模型对 {question} 的预测好于简单基线：{measure} {value:.2f}，基线 {trivial:.2f}。",
    ),
    "verdict.model_doubted": (
        "The model predicts {question} better than the trivial baseline ({measure} {value:.2f}, "
        "baseline {trivial:.2f}), but see the warning below.",
        "模型对 {question} 的预测好于简单基线（{measure} {value:.2f}，基线 {trivial:.2f}），"
        "但下面有一条警告对它存疑。",
    ),
    "verdict.model_unsure": (
        "The model of {question} is not better than the trivial baseline by more than chance: "
        "{measure} {value:.2f}, baseline {trivial:.2f}.",
        "模型对 {question} 的预测并不明显好于简单基线：{measure} {value:.2f}，基线 {trivial:.2f}。",
    ),
    "verdict.drawn": (
        "{tokens:,} tokens are drawn for a budget of {budget:,}.",
        "预算 {budget:,}，抽取了 {tokens:,} 个词元。",
    ),
    "verdict.better": (
        "By the proxy the mixture is better than {arms}.",
        "按代理模型，配比好于 {arms}。",
    ),
    "verdict.worse": (
        "By the proxy the mixture is worse than {arms}.",
        "按代理模型，配比差于 {arms}。",
    ),
    "verdict.mixed": (
        "By the proxy the mixture is better than {arms} on some texts and worse on others.",
        "按代理模型，配比在一些文本上好于 {arms}，在另一些上差于它。",
    ),
    "verdict.alike": (
        "By the proxy the mixture cannot be told apart from {arms}.",
        "按代理模型，配比与 {arms} 无法区分。",
    ),
    "verdict.not_compared": (
        "Whether the mixture helps was not measured: `curate evaluate` compares it.",
        "没有测量配比是否有帮助：用 `curate evaluate` 比较。",
    ),
    "verdict.why_not_compared": (
        "Whether the mixture helps was not measured: why is told under “Does it help?”.",
        "没有测量配比是否有帮助：原因见“有帮助吗”一节。",
    ),
    "verdict.no_mixture": ("There is no mixture yet.", "还没有配比。"),
    "verdict.warnings": (
        "There are {count:,} warnings below: read them first.",
        "下面有 {count:,} 条警告：请先阅读。",
    ),
    "verdict.one_warning": (
        "There is one warning below: read it first.",
        "下面有 1 条警告：请先阅读。",
    ),
    "verdict.no_warnings": ("No stage has a warning.", "各阶段都没有警告。"),
    "provenance.heading": ("Provenance", "出处"),
    "provenance.inputs": ("Inputs: {inputs}.", "输入：{inputs}。"),
    "provenance.more": (
        "{count:,} more inputs stand in `inputs.json`.",
        "另有 {count:,} 个输入见 `inputs.json`。",
    ),
    "provenance.no_inputs": ("Inputs: none yet.", "输入：还没有。"),
    "provenance.round": (
        "Round {number} ({purpose}){where}{end}.",
        "第 {number} 轮（{purpose}）{where}{end}。",
    ),
    "provenance.where": (" on {backend}, project {name}", "，在 {backend}，项目 {name}"),
    "provenance.open": (", open", "，未结束"),
    "provenance.closed": (", closed: {why}", "，已结束：{why}"),
    "provenance.nothing": ("", ""),
}
