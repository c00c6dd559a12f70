"""Words about the corpus: what was read, and what was dropped."""

WORDS = {
    "funnel.heading": ("From rows to documents", "从行到文档"),
    "funnel.words": (
        "{copies:,} rows were exact copies of others and {unreadable:,} could not be read; "
        "{holdout:,} documents are held out to measure on.",
        "{copies:,} 行与其他行完全相同，{unreadable:,} 行无法读取；留出 {holdout:,} 个文档用于评测。",
    ),
    "duplicates.heading": ("Copies", "重复"),
    "duplicates.words": (
        "{total:,} exact copies were set aside ({copied}).",
        "去掉了 {total:,} 个完全相同的副本（{copied}）。",
    ),
    "duplicates.of_source": ("{name} {count:,}", "{name} {count:,}"),
    "duplicates.shared": (
        "Some documents are in more than one source:",
        "有些文档出现在多个来源中：",
    ),
    "duplicates.warning": (
        "{texts:,} texts are in two sources, letter for letter; {loosely:,} if punctuation and "
        "case are ignored. If a source implies a label, such a text gets both labels.",
        "{texts:,} 个文本一字不差地出现在两个来源中；不计标点和大小写则有 {loosely:,} 个。"
        "如果来源决定标签，这些文本会有两种标签。",
    ),
    "reasons.heading": ("Why documents were dropped", "文档被去掉的原因"),
    "reasons.words": (
        "{dropped:,} of {documents:,} documents were dropped, each for one reason.",
        "{documents:,} 个文档中去掉了 {dropped:,} 个，每个文档只记一个原因。",
    ),
    "reasons.examples": (
        "Below are the documents nearest to each limit, on both sides of it. "
        "`curate clean --explain RULE:SIGNAL` shows more; `curate clean --what-if` tries other "
        "limits.",
        "下面是离每个界限最近的文档，界限两侧都有。`curate clean --explain RULE:SIGNAL` "
        "显示更多例子，`curate clean --what-if` 试用其他界限。",
    ),
    "reasons.limit": ("{reason} ({limit})", "{reason}（{limit}）"),
    "reasons.no_limit": ("{reason}", "{reason}"),
    "side.fails": ("just dropped", "刚好被去掉"),
    "side.passes": ("just kept", "刚好保留"),
    "side.dropped": ("dropped", "被去掉"),
    "side.kept_instead": ("kept in their place", "保留下来的相似文档"),
    "passages.heading": ("Passages", "重复段落"),
    "passages.removed": (
        "Sequences of {tokens} or more words that another document also has are removed; the first "
        "document keeps them. `curate clean --explain ID` shows those of a document.",
        "与另一文档相同、长度不少于 {tokens} 个词的片段被删除，第一个文档保留。"
        "`curate clean --explain ID` 显示某个文档的重复段落。",
    ),
    "passages.flagged": (
        "Sequences of {tokens} or more words that another document also has are flagged and kept. "
        "`curate clean --explain ID` shows those of a document.",
        "与另一文档相同、长度不少于 {tokens} 个词的片段只作标记，不删除。"
        "`curate clean --explain ID` 显示某个文档的重复段落。",
    ),
    "languages.heading": ("Languages", "语言"),
    "languages.words": (
        "The language that the source declares, otherwise the detected one; und if that is not "
        "sure. The detected language of {differing:,} documents differs from the declared one.",
        "以来源声明的语言为准，否则以检测结果为准；und 表示无法确定。"
        "{differing:,} 个文档的检测语言与声明不同。",
    ),
    "privacy.heading": ("Privacy", "隐私"),
    "privacy.words": (
        "Values are found by pattern and check digit; their number and places are stored, never "
        "the values. Masked values are not shown to anybody, not learned from, and not exported.",
        "按格式和校验位查找，只记数量和位置，从不复制内容。被遮盖的内容不会展示给任何人，"
        "不参与学习，也不出现在导出中。",
    ),
    "contamination.heading": ("Contamination by evaluation sets", "评测集污染"),
    "contamination.words": (
        "A document is dropped if it holds {limit:.0%} or more of an item's word sequences.",
        "文档如果包含某个评测条目 {limit:.0%} 或更多的词串，就被去掉。",
    ),
    "contamination.passage": (
        "So is a document with {passage} words of an item in a row.",
        "连续包含某个条目 {passage} 个词的文档也被去掉。",
    ),
    "map.heading": ("A map of the pool", "文档地图"),
    "map.words": (
        "Each point is a document of {shown:,} out of {documents:,}, chosen by its id. Near points "
        "have similar embeddings (`{encoder}`); the axes have no meaning of their own. The plane "
        "keeps {kept:.0%} of the variance of the embeddings ({method}). Point at one, or move with "
        "the arrow keys, to read how its text begins.",
        "每个点是一个文档，共 {documents:,} 个中按编号选出 {shown:,} 个。相近的点嵌入向量相似"
        "（`{encoder}`），坐标轴本身没有含义。平面保留了嵌入方差的 {kept:.0%}（{method}）。"
        "用鼠标指向某点，或用方向键移动，可以读到文本开头。",
    ),
    "map.colour": ("coloured by", "着色依据"),
    "map.group": ("group of the mixture", "配比的组"),
    "map.quality": ("predicted quality", "预测质量"),
    "map.label": ("predicted {question}", "预测的 {question}"),
    "map.source": ("source", "来源"),
    "map.others": ("{count:,} others", "其他 {count:,} 个"),
    "map.caption": (
        "a map of {shown:,} documents; arrow keys move from point to point",
        "{shown:,} 个文档的地图；方向键在点之间移动",
    ),
    "map.hint": (
        "The text of the selected point is shown here.",
        "所指的点的文本显示在这里。",
    ),
    "media.heading": ("Pictures, sounds and films", "图片、声音和视频"),
    "media.drawn": ("Media of drawn documents: {kinds}.", "抽到的文档中的媒体：{kinds}。"),
    "media.kept": (
        "Media of documents that `clean` keeps: {kinds}.",
        "`clean` 保留的文档中的媒体：{kinds}。",
    ),
    "media.image": ("images {count:,}", "图片 {count:,}"),
    "media.audio": ("sounds {count:,}", "声音 {count:,}"),
    "media.video": ("films {count:,}", "视频 {count:,}"),
    "media.words": (
        "{each} of each group are shown, chosen at random: pictures as small copies, films by "
        "their first key frame. Sounds and films play if this page is beside their files.",
        "每组随机显示 {each} 个：图片重新绘制为小图，视频显示第一个关键帧。"
        "本页与文件放在一起时可以播放声音和视频。",
    ),
    "picture_map.heading": ("Map of pictures", "图片地图"),
    "picture_map.words": (
        "{shown:,} documents at random, by their embeddings (`{encoder}`): similar pictures are "
        "near each other. The axes are the two directions of largest variance.",
        "随机的 {shown:,} 个文档按嵌入（`{encoder}`）排列：相似的图片彼此靠近。"
        "地图由方差最大的两个方向构成。",
    ),
}
