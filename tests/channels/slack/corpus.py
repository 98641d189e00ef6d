"""Strings that people have used to make a card say what nobody approved."""

MENTIONS = [
    *("<!channel>", "<!here>", "<!everyone>", "<!channel|channel>", "<!here|x>", "<@U0ANA>"),
    *("<@U0ANA|Bo>", "<@W012>", "<#C0GENERAL>", "<#C0GENERAL|general>", "<#C0SECRET|>"),
    *("<!subteam^S012>", "<!subteam^S012|@finance>", "<!date^0^{date}|approved>"),
    *("<!date^1392734382^{date}^https://evil.example/|now>", "@channel", "@here", "@everyone"),
    *(
        "@ana",
        "#general",
        "\uff20channel",
        "<\uff01channel>",
        "&lt;!channel&gt;",
        "&#60;!channel&#62;",
    ),
    *("&amp;lt;!here&amp;gt;", "<<!here>>", "<!he<!here>re>", "< !here >", "<!here", "!here>"),
]
LINKS = [
    *("<https://evil.example>", "<https://evil.example|Approve>", "<http://evil.example|x>"),
    *("<mailto:a@evil.example|mail>", "<tel:+1|call>", "<javascript:alert(1)|Open>"),
    *("<slack://open?team=T|Open>", "https://evil.example", "http://evil.example/?a=1&b=2"),
    *("evil.example", "www.evil.example", "[Open](https://evil.example)", "https://evil.example|x"),
    *("<https://bot.example.com@evil.example|x>", "<//evil.example|x>", "data:text/html,<b>"),
    *("<https://bot.example.com/approvals/apr_x|Open the record>\n<https://evil.example|Open>",),
    *("\\<https://evil.example\\>", "<HTTPS://EVIL.EXAMPLE|x>", "<https://evil.example\n|x>"),
    *(
        "hxxps://evil.example",
        "https://\u0435vil.example",
        "<https://evil.example#|x>",
        "a@evil.example",
    ),
]
MARKUP = [
    *("*bold*", "_it_", "~no~", "`code`", "```block```", "`", "``", "```", "` <!here> `", "&"),
    *("> quoted", ">>> all of it", "• list", "1. one", "*", "_", "~", "*_~`*_~`", "&&&", "&amp"),
    *(":white_check_mark:", ":tada: Approved by Ana", ":+1::skin-tone-2:", "\\n*Approved*"),
    *("x\n*Approved by the board*", "x\r\n*Risk:* low", "x\r*Risk:* low", "\n" * 50 + "hidden"),
    *("x\u2028*Approved*", "x\u2029*Approved*", "x\x0b*Approved*", "x\x85*Approved*", "\ttab"),
    *("<b>bold</b>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&nbsp;"),
    *("{{ 7 * 7 }}", "{% raw %}", "{# gone #}", "${7*7}", "%s %n", "{0}", "{card.title}"),
]
UNSEEN = [
    *("safe\u202etxt.exe", "\u202d123\u202c", "\u2066a\u2069", "a\u200bb", "a\u200db", "a\ufeffb"),
    *("\u00ad", "\x00", "a\x00b", "\x07", "\x1b[31mred", "\x7f", "\x9b31m", "\u061c", "\u180e"),
    *("\U000e0041\U000e0042", "\U000e0001", "\ufe0f\ufe0e", "\u3164", "\u115f", "\u2800"),
    *("", " ", "\u3000", "\u00a0", "\ud800", "\udfff\ud800", "\ufffe", "\U0010ffff"),
]
LONG = [
    *("&" * 3_000, "<" * 2_999, "a" * 2_999 + "&", "a" * 149 + "<!here>", "<!here>" * 600),
    *("x" * 150, "x" * 151, "x" * 3_000, "x" * 3_001, "x" * 40_000, "🙂" * 3_000, "é" * 151),
]
HOSTILE = [*MENTIONS, *LINKS, *MARKUP, *UNSEEN, *LONG]
