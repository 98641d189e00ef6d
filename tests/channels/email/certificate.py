"""A certificate for this machine that nobody trusts unless told to; its key protects nothing."""

import ssl
from pathlib import Path

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBozCCAUmgAwIBAgIUDAy4HymIccKd5HZZ7nFwsfz/GoEwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNc2lnbm9mZiB0ZXN0czAgFw0yNjExMjEwODU5MTRaGA8yMTI2
MTAyODA4NTkxNFowGDEWMBQGA1UEAwwNc2lnbm9mZiB0ZXN0czBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABOekOLJ3iGe8v5FvSj+TriV7iDH6EPxZD8O7gso/t886
XVZaSYB4TcYPayiPTHHHf26CFQkWqoYvBIdcPm0LFb+jbzBtMB0GA1UdDgQWBBSp
YZ/D/7H05XqySTCQKnJo8x+qnTAfBgNVHSMEGDAWgBSpYZ/D/7H05XqySTCQKnJo
8x+qnTAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiAvkl8DtnAxaJRDWhX9JOzN6yl/BEJi3BjmNYAO
4sUMRwIhANDqnRxFwvHglQDu9KjpKRMi/siDXfErQ8btUN7weD4+
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUOHGIn4kkBDYm9ks
0yaSmBLVG0i5Rim8Nfs1nKDX3yqhRANCAATnpDiyd4hnvL+Rb0o/k64le4gx+hD8
WQ/Du4LKP7fPOl1WWkmAeE3GD2soj0xxx39ughUJFqqGLwSHXD5tCxW/
-----END PRIVATE KEY-----
"""


def serving(folder: Path) -> ssl.SSLContext:
    """What a server needs to show the certificate; its files are written into `folder`."""
    chain = folder / "server.pem"
    chain.write_text(KEY + CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def trusting() -> ssl.SSLContext:
    """A client that trusts this certificate alone."""
    return ssl.create_default_context(cadata=CERTIFICATE)
