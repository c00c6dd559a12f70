"""Words about the mixture, and whether it helps."""

WORDS = {
    "shares.heading": ("The mixture", "配比"),
    "shares.words": (
        "{tokens:,} tokens are drawn for a budget of {budget:,}, out of {supply:,}. Wanted is the "
        "share that the strategy asks for, promised the share after the limits, realised the share "
        "drawn. Expected is the share by the calibrated model; estimated is the true share, from "
        "people's labels. Intervals are 90 %.",
        "预算 {budget:,}，从 {supply:,} 个词元中抽取了 {tokens:,} 个。“期望”是策略想要的，“承诺”是"
        "加上限制之后的，“实际”是抽到的；“预计”是校准后的模型预见的比例，“估计”是根据人的标签得到的"
        "真实比例。区间为 90 %。",
    ),
    "limits.heading": ("Limits", "限制"),
    "limits.words": (
        "Limits are shares of tokens. If a limit changes the mixture, its side is named. The "
        "multiplier is how much KL, the distance to the wanted mixture, would fall for each unit "
        "of share by which that side is moved; the gain is how much KL would fall without the "
        "limit, in nats.",
        "词元比例。起作用的限制会注明是哪一侧。乘子是该侧每移动一个单位比例时 KL（与期望配比的距离）"
        "减少多少；收益是去掉该限制后 KL 减少多少，单位 nat。",
    ),
    "what_if.heading": ("What if?", "如果……会怎样"),
    "what_if.words": (
        "Move a slider: the shares are computed here, by the formulas of `curate mix`. A group's "
        "share is in proportion to supply ** alpha · exp(beta · its mean quality); then the "
        "nearest shares in KL within the cap, the recipe's limits and the epochs. The temperature "
        "is that of the softmax within each group: the lower, the better the documents drawn and "
        "the fewer kinds of them. Nothing is written; the last line is the recipe to copy. "
        "`curate mix --what-if` tries any setting on the real documents.",
        "移动滑块，比例在此页按 `curate mix` 的公式计算。每组的比例正比于 供给 ** alpha · "
        "exp(beta · 平均质量)；再取满足上限、配方限制和轮数的、KL 最近的比例。温度是组内 softmax 的"
        "温度：越低，抽到的文档质量越高、种类越少。不会写入任何东西；最后一行是可以复制的配方。"
        "`curate mix --what-if` 用真实文档尝试任何设置。",
    ),
    "what_if.alpha": ("alpha: exponent of the supply", "alpha：供给的指数"),
    "what_if.beta": ("beta: strength of quality", "beta：质量的强度"),
    "what_if.temperature": ("temperature within groups", "组内温度"),
    "what_if.cap": ("cap: largest share of a group", "上限：一组的最大比例"),
    "what_if.reset": ("as it is", "恢复当前设置"),
    "what_if.impossible": (
        "No shares keep these limits within the budget.",
        "在此预算内没有满足这些限制的比例。",
    ),
    "what_if.none": ("no preference", "无偏好"),
    "what_if.group": ("group", "组"),
    "what_if.today": ("today", "现在"),
    "what_if.would": ("would be", "将会是"),
    "what_if.epochs": ("epochs", "轮数"),
    "what_if.quality": ("mean quality", "平均质量"),
    "proxy.heading": ("Does it help?", "有帮助吗"),
    "proxy.none": ("{verdict}. {notes}", "{verdict}。{notes}"),
    "proxy.words": (
        "Cross-entropy of a {model} in nats per byte (lower is better), for each judge and for the "
        "holdout of each source, over several draws of equal size. Differences are paired by draw; "
        "their 95 % interval includes the draws and the held-out documents ({documents}). Such a "
        "small model sees style and words, not their value: it can show that a mixture is worse, "
        "but hardly prove that it is better.",
        "{model}的交叉熵，单位 nat/字节，越低越好，按评判对象和每个来源的留出集统计，用多次等量抽取。"
        "差值按抽取配对；95 % 区间考虑了抽取和留出文档（{documents}）。这么小的模型只看得到文风和用词，"
        "看不到价值：它可以否定一个配比，很难证明一个配比。",
    ),
    "proxy.held_out": ("{source} {count:,}", "{source} {count:,}"),
    "proxy.on": ("on {judge}", "按 {judge}"),
    "proxy.alike": (
        "{judge}: not told apart from {arm} ({difference:+.4f}, {interval}).",
        "{judge}：与 {arm} 无法区分（{difference:+.4f}，{interval}）。",
    ),
    "proxy.alike_of_several": (
        "{judge}: not told apart from {arm} ({difference:+.4f}, {interval}): not enough, "
        "since several comparisons are made at once.",
        "{judge}：与 {arm} 无法区分（{difference:+.4f}，{interval}）：同时做多个比较，这点差别还不够。",
    ),
    "proxy.better": (
        "{judge}: better than {arm} by {size:.4f} nats per byte ({interval}); perplexity "
        "{perplexity} % lower.",
        "{judge}：比 {arm} 好 {size:.4f} nat/字节（{interval}），困惑度低 {perplexity} %。",
    ),
    "proxy.worse": (
        "{judge}: worse than {arm} by {size:.4f} nats per byte ({interval}); perplexity "
        "{perplexity} % higher.",
        "{judge}：比 {arm} 差 {size:.4f} nat/字节（{interval}），困惑度高 {perplexity} %。",
    ),
    "proxy.interval": ("{low:+.4f} to {high:+.4f}", "{low:+.4f} 到 {high:+.4f}"),
    "proxy.no_interval": ("no interval: too few texts", "文本太少，没有区间"),
    "judged.heading": ("What it is judged on", "评判的对象"),
    "judged.words": (
        "{about} A judge is a weighting of texts; the proxy is measured on each text once. A "
        "difference below 0 says that the mixture is better. Each interval holds 95 % for itself; "
        "better and worse are corrected for the number of arms of a judge (Holm). {notes}",
        "{about}每个评判是对文本的一种加权；代理模型对每个文本只测一次。差值低于 0 说明配比更好。"
        "每个区间单独为 95 %；好与差是对同一评判下的所有对照一起判断的（Holm 校正）。{notes}",
    ),
    "judged.one": (
        "`{judge}`, {texts:,} texts: {about}.",
        "`{judge}`，{texts:,} 个文本：{about}。",
    ),
    "judged.verdict": ("{verdict} {arm}", "{verdict} {arm}"),
    "repeated.heading": ("Repetition", "重复次数"),
    "repeated.words": (
        "Epochs are tokens of the mixture divided by available tokens. The proxy reads the same "
        "part of every source and of the budget, so it repeats a source as often as the whole run. "
        "{candidates:,} candidates and {held_out:,} held-out texts are near copies of each other; "
        "the proxy neither reads them nor is judged on them.",
        "轮数：配比中的词元除以现有词元。代理模型读取每个来源和预算的相同部分，所以重复次数与整个训练"
        "一样。{candidates:,} 个候选与 {held_out:,} 个留出文本近似相同，代理模型既不读它们，"
        "也不用它们评判。",
    ),
    "weights.heading": ("Weights over time", "随时间变化的权重"),
    "weights.words": (
        "The arm `dynamic` begins with the shares of the mixture. After each of {parts} parts of "
        "the budget its weights follow the losses (`{strategy}`) on texts that no mixture is "
        "judged on. The last weights are in `dynamic_weights.json`, which `between: {{weights: {{file: "
        "…}}}}` reads.",
        "对照 `dynamic` 从配比的比例开始，预算分 {parts} 份，每份之后权重跟随不参与评判的文本上的损失"
        "（`{strategy}`）。最后的权重在 `dynamic_weights.json`，可用 `between: {{weights: {{file: "
        "…}}}}` 读取。",
    ),
    "curves.heading": ("How the proxy was trained", "代理模型的训练"),
    "curves.words": (
        "A transformer of {parameters:,} parameters was trained on each mixture. The loss is in "
        "nats per token, the mean over the draws: on texts that it was trained on, and on held-out "
        "texts. The gap is how far the held-out loss is above the other at the end. An epoch reads "
        "the whole mixture once. A training overfits if its held-out loss ends more than 1 % above "
        "its minimum while its training loss has fallen: it then learns texts by heart.",
        "在每个配比上训练了一个 {parameters:,} 参数的 transformer。损失单位 nat/词元，对各次抽取取平均："
        "分别在训练文本和留出文本上。差距是训练结束时后者高出多少。一轮是把整个配比读一遍。如果留出损失"
        "最后比最低点高 1 % 以上，而训练损失仍在下降，就是过拟合：它在背诵文本。",
    ),
    "curves.overfits": (
        "It overfits on {arms}: it reads too few texts too often.",
        "在 {arms} 上过拟合：文本太少，读的次数太多。",
    ),
    "curves.of": ("{part} of {whole}", "{part}/{whole}"),
    "samples.heading": ("What the proxy writes", "代理模型写出的文字"),
    "samples.words": (
        "What the proxy of the first draw writes {after}, before and after training. Such a small "
        "model learns which letters and words are likely, not what they mean.",
        "第一次抽取的代理模型{after}写出的文字，训练前和训练后。这么小的模型学到的是哪些字词常见，"
        "而不是它们的意思。",
    ),
    "samples.prompt": ("after {prompt!r}", "在 {prompt!r} 之后"),
    "samples.start": ("as the beginning of a new text", "作为新文本的开头"),
    "bias.heading": ("Whose documents?", "谁的文档"),
    "bias.none": (
        "Of {looked_at:,} differences none is more than chance.",
        "{looked_at:,} 个差异都没有超出偶然。",
    ),
    "bias.certain": (
        "Of {looked_at:,} differences these are certain, the largest first: {told}.",
        "{looked_at:,} 个差异中，以下是确定的，最大的在前：{told}。",
    ),
    "bias.certain_first": (
        "Of {looked_at:,} differences these are certain ({shown} of {certain:,}), the largest "
        "first: {told}.",
        "{looked_at:,} 个差异中，以下是确定的（{certain:,} 个中的 {shown} 个），最大的在前：{told}。",
    ),
    "bias.one": (
        "{words}",
        "`{stage}`：{key} {value} 为 {here:.3g}，其他为 {beside:.3g}（差 {difference:+.3g}，95 % 区间 "
        "{low:+.3g} 到 {high:+.3g}）",
    ),
    "bias.mark": ("{stage} · {key} {value}", "{stage} · {key} {value}"),
    "bias.tokens": ("{tokens} tokens", "{tokens} 个词元"),
    "bias.between": ("{low} to {high} tokens", "{low} 到 {high} 个词元"),
    "bias.about": (
        "A difference need not be wrong: it says where to look. Others are all documents of the "
        "pool with another value. The 95 % intervals treat documents as a sample of documents of "
        "their kind. Certain differences are corrected for the number of differences (Holm, "
        "5 %). In the table, kept is the number kept of 1,000 documents, with its interval; shares "
        "are of tokens: of those that `mix` could draw, and of those that it drew.",
        "差异不一定是错误，它只提示该看哪里。“其他”是取值不同的所有文档。95 % 区间把文档看作同类文档的"
        "样本。虽然看了很多差异，称为确定的仍然确定（Holm 校正，p 值 5 %）。表中“保留”是每 1,000 个文档"
        "保留多少，附区间；比例按词元计：`mix` 可以抽取的，和实际抽取的。",
    ),
}
