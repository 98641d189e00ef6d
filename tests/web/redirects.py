"""What has been tried elsewhere to make a page lead people to another site."""

from urllib.parse import quote

_EVIL = "evil.example"
_HEADS = (
    "//", "///", "////", "/\\", "\\\\", "\\/", "/\\/", "/\\\\", "//\\", "/%2f", "/%2F", "%2f%2f", "/%5c",
    "%5c%5c", "/%09/", "/\t/", "/\n/", "/\r/", "\t//", "\n//", " //", "\u00a0//", "/ /", "/./", "/..//",
    "/../../", "//;@", "//@", "/@", "@", "//www.", "/.", ".", "?", "?//", "#//", ";//", "/;//", "~//",
    "/\u2044", "/\uff0f", "\uff0f\uff0f", "\u2215\u2215", "/\u29f8", "//\u3002", "//\uff0e", "\u2044\u2044",
    "http:", "http:/", "http://", "https:", "https:/", "https://", "HTTPS://", "hTtP://", "https:///", "https:\\\\",
    "http:%0a//", "ht\ntp://", "\x01https://", "\x00https://", "ftp://", "ws://", "file://", "blob:https://",
    "javascript:", "JavaScript:", "java\nscript:", "javascript://%0a", "data:text/html,", "vbscript:", "mailto:a@",
    "https://127.0.0.1:8080@", "https://127.0.0.1:8080.", "http://127.0.0.1:8080%40", "//127.0.0.1:8080@",
    "//127.0.0.1:8080\\@", "//127.0.0.1:8080#@", "/approvals@", "/approvals//", "/approvals/../..//",
    "/approvals/..//", "/approvals\\..\\\\", "/approvals/%2e%2e//", "/approvals/\\", "/approvals:80//",
    "/approvals?x\r\nLocation: https://", "/approvals\r\nSet-Cookie: a=", "/approvals%0d%0aLocation:%20//",
    "/runs/\u202e//", "/runs/x/y//", "/docs/../api//", "/sign-out//", "/static//", "/respond//", "/sign-in?next=//",
)  # fmt: skip
_TAILS = (
    "/approvals/\n", "/approvals/x\n", "/approvals?a\n", "/approvals#//evil.example", "/approvals?a#b",
    "/approvals?<x>", "/approvals?next=//evil.example\u2028", "/approvals/" + "a" * 101, "/approvals?" + "a" * 401,
    "/approvals;x",
    "/approvals/apr_1/votes", "/approvals/bulk/x", "/unknown", "/api/approvals", "approvals", "./approvals", "",
    " /approvals", "/approvals ", "/Approvals/é", "/approvals/\ud83d\ude00", "/approvals/a%2fb", "/approvals/a b",
    "/approvals/a'b", '/approvals/"x', "/approvals/a;b", "/approvals?a'b", '/approvals?a"b', "/approvals?a\\b",
    "/approvals?a;b", "/approvals?a b", "/approvals?a:b", "/approvals?a@b", "/approvals?a/b", "//", "/\\", "///",
)  # fmt: skip

PAYLOADS = tuple(
    dict.fromkeys(
        (
            *(f"{head}{_EVIL}" for head in _HEADS),
            *(quote(f"{head}{_EVIL}", safe="") for head in _HEADS[:40]),
            *_TAILS,
        )
    )
)
