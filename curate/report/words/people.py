"""Words about people: how far they agree, and what their labels say."""

WORDS = {
    "agreement.heading": ("Agreement", "一致性"),
    "agreement.words": (
        "Krippendorff's alpha is 1 for full agreement and 0 for agreement by chance. Its 95 % "
        "intervals hold for these people only (a bootstrap over texts), or for people like them "
        "(a jackknife over people); the column “headline” says which to quote. An undecided text "
        "has no value; its posterior is kept.",
        "Krippendorff alpha 为 1 表示完全一致，为 0 表示与随机作答无异。95 % 区间有两种：只针对这些人"
        "（对文本做自助抽样），或针对与他们类似的人（对人做刀切法）；“引用”一列说明该引用哪一个。"
        "未决的标签没有值，但保留其后验概率。",
    ),
    "agreement.excluded": (
        "Left out by the settings of `agree`: {said}.",
        "按 `agree` 的设置排除：{said}。",
    ),
    "agreement.excluded_one": ("{name} ({count:,} answers)", "{name}（{count:,} 个回答）"),
    "annotators.heading": ("Annotators", "标注者"),
    "annotators.words": (
        "Answers until now: {counted}. Skill is the probability of the right answer, with its "
        "90 % interval.",
        "目前的回答：{counted}。能力是答对的概率，附 90 % 区间。",
    ),
    "annotators.counted": ("{count:,} {status}", "{status} {count:,}"),
    "mistaken.heading": ("What people confuse", "人们混淆了什么"),
    "mistaken.words": (
        "Answers by the settled value. Answers off the diagonal differ from it. The settled value "
        "is made from these answers too, so the diagonal is a little too good.",
        "按最终确定的值统计各种回答。对角线以外是与之不同的回答。最终值也来自这些回答，"
        "所以对角线略偏乐观。",
    ),
    "mistaken.caption": ("{question}", "{question}"),
    "mistaken.said": ("people said {value}", "回答 {value}"),
    "disputed.heading": ("Disputed labels", "有争议的标签"),
    "disputed.words": (
        "People disagree on these labels most: the mean distance of two answers is 1 if all "
        "differ fully. `curate labels --disputed 20` says who said what, and "
        "`curate sample --relabel disputed` sends the first of them to people again.",
        "人们对这些标签分歧最大：两个回答的平均距离为 1 表示完全不同。"
        "`curate labels --disputed 20` 显示谁说了什么，"
        "`curate sample --relabel disputed` 把前几个再次发给人标注。",
    ),
    "doubtful.heading": ("Doubtful labels", "可疑的标签"),
    "doubtful.words": (
        "These labels differ most from the predictions of heads that never saw them, and from the "
        "labels of similar texts. A doubt above .5 says that another value is more probable; for "
        "several labels, and for the words of a text, the worst counts most. "
        "`curate sample --relabel doubtful` sends the first of them to people again.",
        "这些标签与未见过它们的模型的预测、以及与相似文本的标签最不相符。可疑度高于 0.5 表示另一个值"
        "更有可能；多标签和文本片段以最差的一个为主。"
        "`curate sample --relabel doubtful` 把前几个再次发给人标注。",
    ),
    "estimates.heading": ("Estimates", "估计"),
    "estimates.words": (
        "Shares and means in the corpus and in its groups, with 90 % intervals. The naive mean "
        "ignores how the labelled texts were drawn. Labels are weighted by 1 / propensity; with "
        "predictions, the residuals of labelled texts correct the model's predictions for all "
        "texts. Each label is then read together with the model's prediction, and so depends on "
        "its calibration; “votes only” does not. Quote the column that “quote” names.",
        "语料及其各组的比例和均值，附 90 % 区间。朴素均值不考虑文本是怎样抽取的。标签按 1/抽取概率"
        "加权；结合预测时，用已标注文本的残差修正模型对全部文本的判断。这时每个标签都与模型的预测一起"
        "解读，依赖模型的校准；“仅凭投票”则不依赖。请引用“引用”一列所指的数字。",
    ),
    "estimates.older": (
        "older than {tables}: `curate estimate` makes them again",
        "早于 {tables}：用 `curate estimate` 重新计算",
    ),
}
