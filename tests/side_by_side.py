"""Tests in several processes that are forks of one: what they import is imported, and they are collected, once.

`--side-by-side 4` has four. Each takes the next file whenever it is done with one, in the order in which they were
collected, so that all end at about the same time; tests that are marked to be `together` are one file. A process
that dies fails the test it was at, and another goes on behind it; what goes wrong when a process has no test left
fails the run.
"""

import os
import shutil
import sys
import warnings
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from typing_extensions import override

from tests.memory import of_one_run
from tests.nursery import ROOT, nursery

OF_THE_FIRST: Final = ("terminalreporter", "lfplugin", "nfplugin", "stepwiseplugin")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where nothing is said, one process does it all."""
    parser.addoption(
        "--side-by-side",
        type=int,
        default=1,
        metavar="N",
        help="Run the tests in N processes, which take file after file.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """What was never compiled is compiled on two processors: a fork imports the tests from their end."""
    config = session.config
    is_everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if _processes(config) < 2 or not is_everything:
        return
    if not sys.dont_write_bytecode:
        modules = sorted(config.rootpath.glob("tests/**/test_*.py"), reverse=True)
        _import_elsewhere(config.rootpath, [each for each in modules if not _is_compiled(each)])
    if config.rootpath == ROOT:
        nursery()  # one for all processes, and it is ready when they are


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Begin when all are collected; what could not be collected is pytest's own to tell."""
    wanted = _processes(session.config)
    if wanted < 2 or session.testsfailed or session.config.option.collectonly:
        return None
    first = os.getpid()
    folder = None if session.config.option.basetemp else of_one_run()
    if folder is not None:
        session.config.option.basetemp = str(folder / "process")
    try:
        return _Company(session).work(wanted)
    finally:
        if folder is not None and first == os.getpid() and not session.testsfailed:
            shutil.rmtree(folder, ignore_errors=True)


def _processes(config: pytest.Config) -> int:
    """As many as are wanted, but one where pytest-xdist was asked to see to it, or is at it."""
    wanted: int = config.getoption("--side-by-side")
    is_others = config.getoption("numprocesses", 0) or hasattr(config, "workerinput")
    return 1 if is_others else wanted


def _is_compiled(module: Path) -> bool:
    return any((module.parent / "__pycache__").glob(f"{module.stem}.*-pytest-*.pyc"))


def _import_elsewhere(root: Path, modules: Sequence[Path]) -> None:
    if not modules or os.fork():
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for each in (1, 2):
        os.dup2(nothing, each)
    for module in modules:
        with suppress(Exception):  # whoever collects it says so
            import_module(".".join(module.relative_to(root).with_suffix("").parts))
    os._exit(0)


class _Between(pytest.Item):
    """Stands for the next test while none is known, so that what is made once per process is kept."""

    @override
    def runtest(self) -> None:
        """Nothing: it is never run."""


@dataclass
class _Worker:
    """What the first process knows of another."""

    pid: int
    places: Sequence[int] = ()  # of what it runs, in the session
    at: int = 0
    is_stopped: bool = False

    @property
    def node(self) -> SimpleNamespace:
        """Itself as pytest would tell of it."""
        version = sys.version_info
        told = {"id": self.pid, "sysplatform": sys.platform, "version_info": version}
        whole = {**told, "executable": sys.executable}
        return SimpleNamespace(gateway=SimpleNamespace(id=self.pid), workerinfo=whole)


class _Company:
    """The first process: it hands out files, and tells what the others report as if it were its own."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._hook = session.config.hook
        files: defaultdict[object, list[int]] = defaultdict(list)
        for place, item in enumerate(session.items):
            marker = item.get_closest_marker("together")
            files[marker.args if marker else item.path].append(place)
        self._left: deque[Sequence[int]] = deque(files.values())
        self._workers: dict[Connection, _Worker] = {}
        self._hired = 0

    def work(self, wanted: int) -> bool:
        """Have all tests run by as many processes; in each of them, whether it may go on to its end."""
        for _ in range(min(wanted, len(self._left))):
            if self._hire():
                return True
        try:
            while self._workers:
                for line in wait([*self._workers]):
                    if isinstance(line, Connection) and self._hear(line):
                        return True
        finally:
            for line, worker in self._workers.items():
                line.close()
                os.waitpid(worker.pid, 0)
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)
        return True

    def _hire(self) -> bool:
        """Whether this is the new process, which has then done all it was given."""
        ours, its = Pipe()
        self._hired += 1
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            its.close()
            self._workers[ours] = _Worker(pid)
            return False
        ours.close()
        for line in self._workers:
            line.close()
        self._workers.clear()
        _serve(self._session, its, self._hired)
        return True

    def _hear(self, line: Connection) -> bool:
        worker = self._workers[line]
        try:
            word, said = line.recv()
        except (EOFError, ConnectionResetError):
            del self._workers[line]
            return self._ended(worker)
        match word:
            case "next":
                worker.places, worker.at = self._next(), 0
                if not worker.is_stopped:  # else it is being told
                    self._give(line, worker)
            case "began":
                worker.at = said
            case "report":
                report = self._hook.pytest_report_from_serializable(
                    config=self._session.config, data=said
                )
                self._tell(report, worker)
            case _:
                self._hook.pytest_warning_recorded.call_historic(kwargs=said)
        return False

    def _next(self) -> Sequence[int]:
        return self._left.popleft() if self._left and not self._is_over() else ()

    def _give(self, line: Connection, worker: _Worker) -> None:
        """To be given nothing is to stop, and is told once."""
        worker.is_stopped = not worker.places
        with suppress(BrokenPipeError):  # its end is heard next
            line.send(worker.places)

    def _is_over(self) -> bool:
        return bool(self._session.shouldfail or self._session.shouldstop)

    def _tell(self, report: pytest.TestReport, worker: _Worker) -> None:
        # As pytest-xdist marks them: tests of several files are told in turn.
        vars(report)["node"] = worker.node
        was_over = self._is_over()
        self._hook.pytest_runtest_logreport(report=report)
        if self._is_over() and not was_over:
            for line, each in self._workers.items():
                if not each.is_stopped:
                    each.places = ()
                    self._give(line, each)

    def _say(self, sentence: str) -> None:
        terminal: Any = self._session.config.pluginmanager.getplugin("terminalreporter")
        terminal.ensure_newline()
        terminal.write_line(sentence, red=True)

    def _ended(self, worker: _Worker) -> bool:
        _pid, status = os.waitpid(worker.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if worker.is_stopped:
            if code:
                self._session.testsfailed += 1
                self._say(f"A process of tests ended with {code} when it had no test left.")
            return False
        if worker.places:
            died = self._session.items[worker.places[worker.at]]
            self._tell(_died(died, code), worker)
            behind = worker.places[worker.at + 1 :]
            if behind:
                self._left.appendleft(behind)
        return self._hire() if self._left and not self._is_over() else False


def _died(item: pytest.Item, code: int) -> pytest.TestReport:
    keywords: Mapping[str, Any] = dict.fromkeys(item.keywords, 1)
    return pytest.TestReport(
        nodeid=item.nodeid, location=item.location, keywords=keywords, outcome="failed",
        longrepr=f"The process of this test ended with {code}.", when="call",
    )  # fmt: skip


class _Teller:
    """What another process tells the first."""

    def __init__(self, config: pytest.Config, line: Connection) -> None:
        self._config = config
        self._line = line
        self.is_heard = False  # what the first process was told before this one began, it knows

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._line.send(("report", data))

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        if not self.is_heard:
            return
        where = (warning_message.category, warning_message.filename, warning_message.lineno)
        plain = warnings.WarningMessage(str(warning_message.message), *where)
        told = {"warning_message": plain, "when": when, "nodeid": nodeid, "location": location}
        self._line.send(("warning", told))


def _serve(session: pytest.Session, line: Connection, number: int) -> None:
    """Run file after file until there is none, in a process whose terminal and cache are the first one's."""
    config = session.config
    plugins = config.pluginmanager
    for name in OF_THE_FIRST:
        if plugins.has_plugin(name):
            plugins.unregister(name=name)
    if config.option.basetemp:
        config.option.basetemp = f"{config.option.basetemp}-{number}"
        plugins.getplugin("tmpdir").pytest_configure(config)
    capture: Any = plugins.getplugin("capturemanager")
    capture.stop_global_capturing()  # what it captures into is shared
    capture.start_global_capturing()
    capture.suspend_global_capture()
    teller = _Teller(config, line)
    plugins.register(teller)
    teller.is_heard = True
    between = _Between.from_parent(session, name="between")
    line.send(("next", None))
    while places := line.recv():
        items = [session.items[each] for each in places]
        for at, (item, following) in enumerate(zip(items, [*items[1:], between], strict=True)):
            line.send(("began", at))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if line.poll():  # nothing is sent unasked but that it is over
                break
        else:
            line.send(("next", None))
    session.testsfailed = 0  # the first process counts them
