"""Words about the model: how well it predicts what people say."""

WORDS = {
    "accuracy.heading": ("The models", "模型"),
    "accuracy.only": ("The model of {question}", "{question} 的模型"),
    "accuracy.words": (
        "Measured out of fold on settled texts, by heads that never saw the label. The trivial "
        "baseline predicts the class shares for every text.",
        "在已确定标签的文本上交叉验证，模型没有见过这些标签。简单基线对每个文本都预测各类别的比例。",
    ),
    "measures.heading": ("Beside the trivial baseline", "与简单基线相比"),
    "measures.words": (
        "Out of fold on settled labels, with 95 % bootstrap intervals over texts or comparisons. "
        "The trivial baseline predicts the most frequent class, the class shares, the mean rating, "
        "no rare label, no span. The model is better by more than chance if the interval of the "
        "gain is above 0. For cross-entropy, Brier score and errors, less is better.",
        "在已确定的标签上交叉验证，附对文本或比较做自助抽样的 95 % 区间。简单基线总是回答最常见的类别、"
        "类别比例、平均评分、没有罕见标签、没有片段。“提升”的区间高于 0，说明模型确实更好，不是偶然。"
        "交叉熵、Brier 分数和误差越小越好。",
    ),
    "measures.of_label": ("{scheme}F1 of {label}", "{label} 的 {scheme}F1"),
    "measures.spans": (
        "Measured: entity F1; strict wants borders and label, exact borders, partial half for "
        "overlaps, type overlaps of one label.",
        "指标：实体 F1；strict 要求边界和标签都对，exact 只要求边界，partial 对重叠记一半，"
        "type 要求同标签有重叠。",
    ),
    "measures.labels": (
        "Measured: F1 of whether each label occurs.",
        "指标：每个标签是否出现的 F1。",
    ),
    "ratings.heading": ("Ratings", "评分"),
    "ratings.words": (
        "The model's expected rating beside people's, out of fold, with 95 % intervals. Squared "
        "and absolute errors are in steps of the scale; the trivial baseline predicts the mean "
        "rating. Rank correlation (Spearman) is 1 if the model puts all texts in people's order, "
        "and 0 by chance. Below: how far the most probable rating is from people's.",
        "模型的期望评分与人的评分对比，交叉验证，附 95 % 区间。平方误差和绝对误差以评分的一级为单位；"
        "简单基线总是回答平均评分。秩相关（Spearman）为 1 表示模型的排序与人完全一致，0 表示随机。"
        "下表：最可能的评分与人的评分相差多少。",
    ),
    "ratings.off": ("{question}: off by", "{question}：相差"),
    "confusion.heading": ("What the model confuses", "模型混淆了什么"),
    "confusion.only": ("What is confused in {question}", "{question} 中混淆了什么"),
    "confusion.words": (
        "Settled texts by what people said and what was predicted out of fold.",
        "已确定标签的文本，按人的回答和交叉验证的预测统计。",
    ),
    "confusion.listed": (
        "Only pairs that differ are listed, the most frequent first.",
        "只列出不同的组合，最常见的在前。",
    ),
    "confusion.nothing": ("Nothing is confused.", "没有混淆。"),
    "confusion.predicted": ("predicted {value}", "预测 {value}"),
    "comparisons.heading": ("Comparisons", "比较"),
    "comparisons.words": (
        "Measured out of fold, by heads that never saw the comparison. A tie is half of each "
        "answer. The trivial baseline predicts the shares of the answers for every pair.",
        "交叉验证，模型没有见过这些比较。平局算两个答案各一半。简单基线对每一对都预测各答案的比例。",
    ),
    "calibration.heading": ("Calibration", "校准"),
    "calibration.words": (
        "For a point on the diagonal the confidence of predictions equals the share that came "
        "true. The expected calibration error is the mean distance from the diagonal, weighted by "
        "the number of predictions.",
        "对角线上的点表示：有这种置信度的预测，恰好有这么多是对的。期望校准误差是与对角线的平均距离，"
        "按预测数加权。",
    ),
    "foresight.heading": ("Quality out of fold", "交叉验证的质量"),
    "foresight.words": (
        "Spearman's rank correlation between the quality by people's labels and the quality "
        "predicted out of fold, over {documents:,} labelled texts and within each source that has "
        "20 or more of them. If it is high over all sources but low within them, quality follows "
        "the source, not the text. The root mean squared error is {error:.3f}.",
        "人的标签给出的质量与交叉验证预测的质量之间的 Spearman 秩相关，共 {documents:,} 个已标注文本，"
        "并在有 20 个以上的每个来源内分别计算。如果总体高而来源内低，说明质量取决于来源而不是文本。"
        "均方根误差为 {error:.3f}。",
    ),
    "quality.heading": ("Quality by group", "各组的质量"),
    "quality.words": (
        "The bar spans the middle half of each group's quality, the tick is its median. Quality is "
        "predicted. For 90 % of documents people's answer is between low and high. The qualities "
        "by heads learned from resampled labels are between spread_low and spread_high: how sure "
        "the score itself is.",
        "横条是每组质量的中间一半，竖线是中位数。质量是预测值。对 90 % 的文档，人的回答介于 low 和 high "
        "之间。spread_low 和 spread_high 之间是用重抽样标签学到的模型给出的质量：表示分数本身有多确定。",
    ),
    "standing.heading": ("Texts of each group", "各组的文本"),
    "standing.words": (
        "The documents that could be drawn with the best, the median and the worst predicted "
        "quality, and the ones that people disagree on most. Groups with the most documents drawn "
        "come first. If the best do not look better to you than the worst, do not trust the score.",
        "可供抽取的文档中预测质量最好、居中和最差的，以及人们分歧最大的。抽取文档最多的组在前。"
        "如果你觉得最好的并不比最差的好，就不要相信这个分数。",
    ),
    "standing.group": ("{group}", "{group}"),
    "standing.best": ("best", "最好"),
    "standing.middle": ("middle", "居中"),
    "standing.worst": ("worst", "最差"),
    "standing.disputed": ("most disputed", "争议最大"),
}
