"""Texts that break pages: each holds TARGET once, between characters that are counted wrongly.

What would run as script leaves a trace, `window.hacked`, which no page may ever have.
"""

TARGET = "TARGET"

_RUN = "window.hacked=1;alert(1)"

HOSTILE = {
    "plain": "a TARGET b",
    "family": "👩‍👩‍👧‍👦TARGET👍🏽 met 🏳️‍🌈 in 🇨🇳 TARG",
    "astral": "𠮷野家 𝔘𝔫𝔦 TARGET 𝟘",
    "crlf": "one\r\ntwo\r\nTARGET three\r\n",
    "lone_cr": "one\rtwo TARGET\rthree",
    "newlines": "\r\n\n\rTARGET\n\r\r\n\n",
    "tabs": "\ta\t\tTARGET\tb\t",
    "leading": "\n\n   \n  TARGET  trailing   \n\n",
    "controls": "page\x0cfeed \x0b TARGET \x1f \x7f end",
    "bold": "<b>TARGET</b> <i>x",
    "script": f"<script>{_RUN}</script> TARGET </script>",
    "handler": f"<img src=x onerror='{_RUN}'> TARGET <svg/onload={_RUN}>",
    "frame": f'<iframe srcdoc="<script>parent.{_RUN}</script>"></iframe> TARGET',
    "breakout": f"</div></span></textarea></title><script>{_RUN}</script>--> TARGET <!-- x",
    "entities": "&amp; &lt;b&gt; &#39; &amp;amp; &notanentity; TARGET &nbsp;&copy",
    "breaks": "a<br>b<br/>TARGET<p>c",
    "chinese": "我们在北京的TARGET公司工作，今天天气很好。",
    "mixed_width": "ＡＢＣ　TARGET　、。",
    "combining": "e\u0301\u0327 n\u0303 TARGET Z\u0351\u036b\u0343\u036a\u0302 क्षि",
    "right_to_left": "שלום TARGET עולם مرحبا \u202eabc\u202c \u200fx\u200e",
    "spaces": "a\u00a0\u00a0 \u2003 \u202f TARGET \u00a0 \u3000b",
    "invisible": "a\u200bb\u200cc\ufeff TARGET \u2060d\u00ad",
    "separators": "a\u2028b\u2029c\u0085 TARGET d\u2028",
    "braces": "{{7*7}} {% if x %} ${1+1} #{2} TARGET {{ constructor }}",
    "variables": "$text costs $5 TARGET $record_id %(text)s {text} \\u0041 \\n",
    "markdown": "# x\n\n* **TARGET** [y](javascript:alert(1)) `z`\n\n![i](x) ~~a~~ | b | \n---\n",
    "json": '{"TARGET": [1, null, "\\""], "id": 7} \\" \' `',
    "address": "https://127.0.0.1/TARGET?a=1&b=2#c",
    "runs_as_address": f"javascript:{_RUN} TARGET data:text/html,<script>{_RUN}</script>",
    "long": "The quick brown fox, 北京 🙂, jumps.\n" * 800 + "TARGET" + " and on and on 🙂" * 1000,
    "long_word": "x" * 10_000 + "TARGET" + "y" * 10_000,
}
"""Name → text."""
