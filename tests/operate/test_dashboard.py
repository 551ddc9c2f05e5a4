"""examples/dashboard: the live page in a real, headless Chromium, drawn from a real Prometheus."""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from browser import Browser
from conftest import ROOT, tool
from harness.message import wait_until
from prometheus import Prometheus, free_port
from server import PageServer

PAGE = ROOT / "examples" / "dashboard" / "page"
VENDOR = PAGE / "vendor"
# Width, height, dark.
LOOKS = {"light": (1440, 1000, False), "dark": (1440, 1000, True), "phone": (390, 844, False), "dark phone": (390, 844, True)}
FIGURES = (
    "return Object.fromEntries([...document.querySelectorAll('figure')].map(f => [f.querySelector('h3').textContent, f.dataset.drawn]))"
)
# Of each chart, how much of its width the widest line or bar takes: axes go from one side to the other.
WIDTHS = """return [...document.querySelectorAll('.canvas svg')].map(svg =>
  Math.max(...[...svg.querySelectorAll('path')].map(path => path.getBBox().width)) / svg.parentNode.clientWidth)"""
SHAPES = "return [...document.querySelectorAll('.canvas svg')].map(svg => svg.querySelectorAll('path').length)"
# Above this ratio text is readable for people with moderately low vision (WCAG 2, AA).
READABLE = 4.5


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory):
    driver, chromium = tool("chromedriver", "chromium-driver"), tool("chromium", "chromium")
    browser = Browser(driver, chromium, tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def serve():
    running: list[PageServer] = []

    def start(prometheus: str) -> PageServer:
        running.append(PageServer(prometheus))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def visit(browser: Browser, server: PageServer, query: str = "range=300&refresh=0") -> None:
    # The page before goes on asking a server that is gone.
    browser.open("about:blank")
    browser.console()
    browser.open(f"{server.url}?{query}")
    wait_until(lambda: browser.run("return document.body.dataset.refreshed") is not None, "the page to be drawn")


@pytest.mark.parametrize("look", LOOKS)
def test_every_panel_is_drawn_with_data_on_every_screen_and_nothing_goes_wrong(stack, serve, browser, look, tmp_path: Path):
    browser.look(*LOOKS[look])
    visit(browser, serve(stack.prometheus.url))
    drawn = browser.run(FIGURES)
    assert len(drawn) == 17
    assert drawn.pop("Trouble") == "empty"
    assert drawn.pop("Policies") == "table"
    assert set(drawn.values()) == {"chart"}, drawn
    assert min(browser.run(WIDTHS)) > 0.35
    assert min(browser.run(SHAPES)) >= 2
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    assert browser.run("return document.getElementById('trouble').hidden")
    tiles = browser.run("return [...document.querySelectorAll('.tile .value')].map(tile => tile.textContent)")
    assert len(tiles) == 6 and all(re.match(r"[\d<]", tile) for tile in tiles), tiles
    labels = browser.run("return [...document.querySelectorAll('.canvas[role=img]')].map(canvas => canvas.ariaLabel)")
    assert len(labels) == 15 and all(": " in label for label in labels)
    assert browser.run("return matchMedia('(prefers-color-scheme: dark)').matches") == LOOKS[look][2]
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background))) < 200) == LOOKS[look][2]
    elsewhere = browser.run(
        "return performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith(location.origin))"
    )
    assert elsewhere == [], "the page works offline"
    assert browser.console() == []
    browser.picture(tmp_path / f"{look}.png")
    assert (tmp_path / f"{look}.png").stat().st_size > 50_000


def test_the_choice_of_a_policy_and_of_a_series_changes_what_is_drawn(stack, serve, browser):
    browser.look(*LOOKS["light"])
    visit(browser, serve(stack.prometheus.url))
    browser.run("const s = document.getElementById('policy'); s.value = 'internal-tools'; s.dispatchEvent(new Event('change'))")
    wait_until(lambda: int(browser.run("return document.body.dataset.refreshed")) > 1, "the page to be drawn anew")
    rows = browser.run("return [...document.querySelectorAll('tbody tr td:first-child')].map(cell => cell.textContent)")
    assert rows == ["internal-tools"]
    verdicts = "return [...[...document.querySelectorAll('figure')].find(f => f.textContent.includes('by verdict')).querySelectorAll('.legend button')]"
    names = f"{verdicts}.map(button => button.dataset.name)"
    assert "would_block" in browser.run(names) and "blocked" not in browser.run(names)
    browser.run(f"{verdicts}[0].click()".replace("return ", "", 1))
    assert browser.run(f"{verdicts}[0].ariaPressed") == "false"
    assert browser.console() == []


def test_changing_to_dark_while_the_page_is_open_redraws_it(stack, serve, browser):
    browser.look(*LOOKS["light"])
    visit(browser, serve(stack.prometheus.url))
    labels = "return [...document.querySelectorAll('.canvas svg text')].map(text => text.getAttribute('fill')).join()"
    before = browser.run(labels)
    browser.look(*LOOKS["dark"])
    wait_until(lambda: browser.run(labels) != before, "the charts to be drawn in other colours")


def test_a_prometheus_that_cannot_be_reached_is_told_and_its_return_is_seen(stack, serve, browser):
    server = serve(f"http://127.0.0.1:{free_port()}")
    visit(browser, server, "range=300&refresh=5")
    assert "Prometheus cannot be reached" in browser.run("return document.getElementById('trouble').innerText")
    assert set(browser.run(FIGURES).values()) == {"empty"}
    assert browser.run("return document.getElementById('state').className") == "state lost"
    server.RequestHandlerClass.keywords["prometheus"] = stack.prometheus.url
    wait_until(lambda: browser.run("return document.getElementById('trouble').hidden"), "the page to recover")
    wait_until(lambda: "chart" in browser.run(FIGURES).values(), "the charts")


def test_the_page_can_be_drawn_from_a_prometheus_elsewhere(stack, serve, browser):
    visit(browser, serve(f"http://127.0.0.1:{free_port()}"), f"range=300&refresh=0&prometheus={stack.prometheus.url}/")
    assert "chart" in browser.run(FIGURES).values()
    assert browser.console() == []


def test_a_prometheus_that_knows_nothing_of_bodyguard_is_no_error(serve, browser, tmp_path: Path):
    empty = Prometheus(tmp_path / "empty", {}, "1s")
    try:
        visit(browser, serve(empty.url))
        assert set(browser.run(FIGURES).values()) == {"empty"}
        assert browser.run("return document.getElementById('trouble').hidden")
        assert browser.console() == []
    finally:
        empty.stop()


def test_the_page_asks_prometheus_for_nothing_but_what_it_draws(stack, serve):

    server = serve(stack.prometheus.url)
    for path in ("api/v1/status/config", "api/v1/admin/tsdb/snapshot", "../stack.py", "%2e%2e/stack.py"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server.url + path, timeout=5)
        assert refused.value.code == 404


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_every_background(scheme):
    block = re.findall(r":root \{(.*?)\}", (PAGE / "style.css").read_text(), re.S)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    pairs = [(text, ground) for text in ("text", "dim") for ground in ("page", "card", "warn-card", "bad-card")]
    pairs += [(text, "card") for text in ("accent", "good", "warn", "bad")]
    for text, ground in pairs:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= READABLE, f"{text} on {ground}"


def test_the_charting_library_is_the_one_that_was_built_and_says_whose_it_is():
    digest, name = (VENDOR / "echarts.js.sha256").read_text().split()
    library = (VENDOR / name).read_bytes()
    assert hashlib.sha256(library).hexdigest() == digest
    version = re.search(r'"echarts": "([\d.]+)"', (ROOT / "examples/dashboard/echarts/package.json").read_text())[1]
    assert library.startswith(f"/* Apache ECharts {version}".encode())
    assert "Apache License" in (VENDOR / "LICENSE").read_text()
    assert len(library) < 600_000
