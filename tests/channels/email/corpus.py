"""Strings that people have used to make a mail carry what nobody wrote."""

HEADER_LINES = [
    "Bcc: eve@evil.example",
    "Cc: eve@evil.example",
    "To: eve@evil.example",
    "From: boss@example.com",
    "Subject: You are fired",
    "Reply-To: eve@evil.example",
    "Content-Type: text/html",
    "MIME-Version: 1.0",
    "X-Signoff-Approval: apr_other",
    "DKIM-Signature: v=1",
]
BREAKS = [
    "\n",
    "\r",
    "\r\n",
    "\r\r\n",
    "\n\r",
    "\x0b",
    "\x0c",
    "\x85",
    "\u2028",
    "\u2029",
    "\x00\n",
]
ENCODED = [
    "=?utf-8?q?a=0D=0ABcc:_eve@evil.example?=",
    "=?utf-8?Q?=0ABcc=3A_eve=40evil.example?=",
    "=?utf-8?b?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?=",
    "=?iso-8859-1?q?a=0D=0AX-Eve:_1?=",
    "=?us-ascii?q?=00?=",
    "=?utf-7?q?+AA0ACg-Bcc?=",
    "=?x?q??=",
    "=?utf-8?q?a?= =?utf-8?q?=0D=0ABcc:_e@x?=",
    "=\u200b?utf-8?q?=0D=0ABcc:_e@x?=",
    "=\n?utf-8?q?=0D=0ABcc:_e@x?=",
    "==??utf-8?q?=0D=0ABcc:_e@x?=",
    "=?utf-8*EN?q?=0D=0ABcc:_e@x?=",
    "=?" * 200,
]
ADDRESSES = [
    "Eve <eve@evil.example>",
    '"Eve" <eve@evil.example>,',
    "bo@example.com, eve@evil.example",
    "Group: eve@evil.example;",
    "(comment) eve@evil.example",
    "Doe, John",
    'quo"te \\ back\\" <x@y.example>',
    "<>",
    "@",
    "ana@example.com (Bo Chen)",
]
LINKS = [
    *("https://evil.example", "http://evil.example/?choice=approve", "HTTPS://EVIL.EXAMPLE"),
    *("evil.example", "www.evil.example", "Go to evil.com now.", "main.py", "a.b.c.d.example"),
    *("//evil.example/x", "http:/evil.example", "http:\\\\evil.example", "https:evil.example"),
    *("ftp://evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,<b>x"),
    *("mailto:eve@evil.example", "eve@evil.example", "tel:+15550100", "vbscript:x", "file:///etc"),
    *("\\\\evil.example\\share", "\\\\evil\\share", "192.0.2.7", "http://192.0.2.7/", "[::1]:80"),
    *("http://[2001:db8::1]/", "http://localhost:8080/", "evil\u3002example", "evil\uff0eexample"),
    *("b\u00fccher.example", "xn--bcher-kva.example", "\u0435vil.example", "evil.xn--p1ai"),
    *("https://bot.example.com@evil.example/", "https://bot.example.com.evil.example/"),
    "https://bot.example.com/respond/other?choice=approve",
    *(
        "x\nhttps://bot.example.com/respond/other?choice=approve",
        "ms-word:ofe|u|http://evil.example",
    ),
    *(
        "<https://evil.example>",
        "[Approve](https://evil.example)",
        "evil.example.",
        "(evil.example)",
    ),
]
MARKUP = [
    *("<b>bold</b>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=a>"),
    *('<a href="https://evil.example">Approve</a>', "</td></tr></table><h1>Approved</h1>"),
    *("<style>*{display:none}</style>", "</style><script>x</script>", "<meta http-equiv=refresh>"),
    *("<!-- ", " -->", "<!--[if mso]><p>x</p><![endif]-->", "<![endif]-->", "--><b>x</b><!--"),
    *("<![CDATA[x]]>", "<?php x ?>", "&lt;b&gt;", "&#60;b&#62;", "&amp;lt;", "&nbsp;", "\"'><b>"),
    *(
        "<form action=//evil.example><input>",
        "<iframe src=//evil.example>",
        "<base href=//x.example>",
    ),
    *("<title>x", "<plaintext>", "<textarea>", "<template>", "<math><mtext></math>", "<noscript>"),
    *("{{ 7 * 7 }}", "{% raw %}", "{# gone #}", "{{ card.person }}", "${7*7}", "%(x)s", "\\n\\n"),
    *("<table><tr><td>", "</p></div></body></html>", "<td style='display:none'>", "<a name=x>"),
]
TEXT_PART = [
    *("x\n\nApprove:\nhttps://evil.example/respond", "x\n--------\nYou answer as the board."),
    *(
        "--===============0==",
        "x\n--boundary--\n",
        "x\n.\nQUIT\n",
        ".\r\n.\r\n",
        "\n.\n",
        "From here",
    ),
    *(
        "x\r\n\r\nMAIL FROM:<eve@evil.example>",
        "\x1a",
        "> quoted",
        "-- \nsignature",
        "=3D=0D=0A",
        "=",
    ),
]
UNSEEN = [
    *("safe\u202etxt.exe", "\u202d123\u202c", "\u2066a\u2069", "a\u200bb", "a\u200db", "a\ufeffb"),
    *("\u00ad", "\x00", "a\x00b", "\x07", "\x1b[31mred", "\x7f", "\x9b31m", "\u061c", "\u180e"),
    *("\U000e0041", "\ufe0f\ufe0e", "\u3164", "\u2800", "", " ", "\t", "\u3000", "\u00a0"),
    *("\ud800", "\udfff\ud800", "\ufffe", "\U0010ffff", "🙂", "日本語の題名", "שלום", "é" * 200),
]
LONG = ["&" * 10_001, "<" * 9_999, "x" * 60_000, "\n" * 5_000, "a\n" * 3_000, "é" * 40_000]
HOSTILE = {
    "header lines": [
        *(f"Refund{line_break}{line}" for line_break in BREAKS for line in HEADER_LINES[:4]),
        *(f"Refund\r\n{line}" for line in HEADER_LINES[4:]),
    ],
    "encoded words": ENCODED,
    "addresses": ADDRESSES,
    "links": LINKS,
    "markup": MARKUP,
    "the text part": TEXT_PART,
    "what cannot be seen": UNSEEN,
    "length": LONG,
}
BAD_ADDRESSES = [
    *(
        "",
        "@",
        "ana",
        "ana@",
        "@example.com",
        "ana@@example.com",
        "ana@example.com,eve@evil.example",
    ),
    *("ana@example.com\r\nBcc: eve@evil.example", "ana@example.com\nRCPT TO:<eve@evil.example>"),
    *("<ana@example.com>", "Ana <ana@example.com>", "ana@example.com ", " ana@example.com"),
    *("ana;eve@example.com", '"ana"@example.com', "ana@exa mple.com", "ana@example..com"),
    *("ana@-example.com", "ana@[127.0.0.1]", "ana@example.com>", "a\u202eb@example.com"),
    *(".ana@example.com", "ana.@example.com", "a..b@example.com", "ana@example.com?x=1"),
    *(
        "ana@\ud800.example",
        f"{'a' * 65}@example.com",
        f"ana@{'a.' * 200}example",
        "ana\x00@x.example",
    ),
]
