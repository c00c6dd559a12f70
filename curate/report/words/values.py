"""Words that stand in cells and charts, by key: (English, Chinese). Others stand as they are."""

_SAME = {
    "yes": "是", "no": "否", "read": "读入", "distinct": "去重后", "kept by clean": "清洗后保留",
    "candidates": "候选", "drawn": "抽到", "flag": "标记", "mask": "遮盖", "drop": "去掉",
    "the document is dropped": "去掉该文档", "email": "邮箱", "phone": "电话", "key": "密钥",
    "card": "银行卡", "ip": "IP 地址", "unshown": "不可遮盖",
    "pilot, in no label": "试标，不进标签", "labels": "标签", "these people": "这些人",
    "people like these": "类似的人", "undecided": "未决", "submitted": "已提交", "draft": "草稿",
    "skipped": "跳过", "discarded": "丢弃", "withdrawn": "撤回", "rejected": "被拒",
    "with predictions": "结合预测", "labels weighted": "加权标签", "all": "全部",
    "model": "模型", "trivial baseline": "简单基线", "characters": "字符", "precision": "精确率",
    "recall": "召回率", "f1": "F1", "all sources": "所有来源", "accuracy": "准确率",
    "macro F1": "宏平均 F1", "cross-entropy": "交叉熵", "Brier score": "Brier 分数",
    "squared error": "平方误差", "absolute error": "绝对误差", "rank correlation": "秩相关",
    "wanted": "期望", "promised": "承诺", "realised": "实际", "expected": "预计",
    "estimated": "估计", "small transformer": "小型 transformer",
    "byte n-gram model": "字节 n-gram 模型", "better than": "好于", "worse than": "差于",
    "not told apart from": "无法区分于", "trained on": "训练文本", "held out": "留出文本",
    "before": "训练前", "after": "训练后", "language": "语言", "source": "来源", "length": "长度",
    "license": "许可", "host": "网站", "head": "模型", "neighbours": "近邻",
    "head, neighbours": "模型、近邻",
    "label": "标注", "pilot": "试标", "review": "复核", "import": "导入", "group": "组",
    "quality": "质量", "dropped": "被去掉", "no value": "无值",
    "macro precision": "宏平均精确率", "macro recall": "宏平均召回率", "micro F1": "微平均 F1",
    "strict precision": "strict 精确率", "strict recall": "strict 召回率", "strict F1": "strict F1",
    "exact F1": "exact F1", "partial F1": "partial F1", "type F1": "type F1", "place": "拍摄地点",
    "minimum": "下限", "maximum": "上限",
}  # fmt: skip
"""Chinese words by English ones, which are keys."""

_SENTENCES = {
    "there is no mixture to compare": ("There is no mixture to compare", "没有可以比较的配比"),
    "the mixture was not compared": ("The mixture was not compared", "没有比较配比"),
}

VALUES: dict[str, tuple[str, str]] = {
    **{key: (key, words) for key, words in _SAME.items()},
    **_SENTENCES,
}
