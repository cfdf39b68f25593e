"""AlignBench's facts: its categories, question types and dimensions, and our wording of what each dimension means.

Categories, the types of the 36 subcategories and the dimensions of each type are those of THUDM/AlignBench at 5b79d4a
(``config/``); the definitions are our own words. English names of categories and dimensions follow the paper (Liu et
al. 2023, arXiv 2311.18743).
"""

from __future__ import annotations

FACTUALITY = "事实正确性"
SATISFACTION = "满足用户需求"
CLARITY = "清晰度"
COMPLETENESS = "完备性"
COHERENCE = "逻辑连贯性"
CREATIVITY = "创造性"
RICHNESS = "丰富度"
FAIRNESS = "公平与可负责程度"

REASONING_CATEGORIES = {"数学计算": "math", "逻辑推理": "logic"}
LANGUAGE_CATEGORIES = {
    "基本任务": "fundamental",
    "中文理解": "chinese",
    "综合问答": "open",
    "文本写作": "writing",
    "角色扮演": "roleplay",
    "专业能力": "professional",
}
CATEGORIES = {**REASONING_CATEGORIES, **LANGUAGE_CATEGORIES}
"""The eight categories, with the English name that a metric has."""

DIMENSIONS = {
    FACTUALITY: "factuality",
    SATISFACTION: "satisfaction",
    CLARITY: "clarity",
    COMPLETENESS: "completeness",
    COHERENCE: "coherence",
    CREATIVITY: "creativity",
    RICHNESS: "richness",
    FAIRNESS: "fairness",
}
"""The eight dimensions, with the English name that a metric has."""

DEFINITIONS = {
    FACTUALITY: "所述内容是否真实、计算是否准确，有没有编造或说错的地方。",
    SATISFACTION: "是否回应了提问者真正想要的东西，题目里的每一项要求是否都照做了。",
    CLARITY: "语言是否简明、条理是否分明，读者能不能一遍看懂。",
    COMPLETENESS: "该讲的要点和细节是否都讲到了，有没有漏掉重要的部分。",
    COHERENCE: "前后是否一致，推导是否一步接一步，有没有跳步或自相矛盾。",
    CREATIVITY: "构思和表达是否新颖，有没有不落俗套的想法或写法。",
    RICHNESS: "内容是否充实，有没有例子、背景和不同角度的展开。",
    FAIRNESS: "是否兼顾不同立场、不偏向一方，所提建议是否可行，是否顾及风险与后果。",
}

_EXPLAINING = (FACTUALITY, SATISFACTION, CLARITY, COMPLETENESS)
_REASONING = (FACTUALITY, SATISFACTION, COHERENCE, COMPLETENESS)
_GENERATING = (FACTUALITY, SATISFACTION, COHERENCE, CREATIVITY, RICHNESS)
_ADVISING = (FACTUALITY, SATISFACTION, FAIRNESS, CREATIVITY)

_SUBCATEGORIES_BY_TYPE = {
    _EXPLAINING: (
        "常识知识 阅读理解 文本分类 信息抽取 字词理解 文化理解 物理 化学 计算机 生物医学 经济 天文 历史 音乐 法律 "
        "体育 地理 文学 其他"
    ),
    _REASONING: "证明 推理 初等数学 高等数学 应用数学",
    _GENERATING: (
        "翻译 实用文体写作 创意文体写作 专业文体写作 其他写作类 现实生活类 游戏娱乐类 功能类 现实名人类 （虚拟）恋爱类"
    ),
    _ADVISING: "观点表达 寻求建议",
}
DIMENSIONS_OF = {
    subcategory: dimensions for dimensions, names in _SUBCATEGORIES_BY_TYPE.items() for subcategory in names.split()
}
"""The dimensions in which the answers of each of the 36 subcategories are rated, in AlignBench's order."""
