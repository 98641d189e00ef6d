"""The words of which the hash of a journal's entry is made."""

from engine.digest import quoted


def spelled(
    run: str,
    position: int,
    named: tuple[str, str | None, str | None],
    *,
    data: str,
    at: str,
    previous: str,
) -> str:
    """The words of which an entry's hash is made; `named` are its kind, its name and its path.

    Written out in RFC 8785's key order, so that `data` is spelled once and its stored bytes are hashed.
    """
    kind, name, path = named
    return (
        f'{{"at":"{at}","data":{data},"kind":{quoted(kind)},"name":{quoted(name)},'
        f'"path":{quoted(path)},"position":{position},"previous":"{previous}","run":"{run}"}}'
    )
