"""The forms of panels that the dashboard is made of, as Grafana wants them. Knows nothing of bodyguard's metrics."""

from __future__ import annotations

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
# What is neither good nor bad.
CALM = "#3274D9"
# One colour for each outcome, on every panel. Told apart also by those who do not see red and green.
COLOURS = {
    "clean": "#8AB8FF",
    "redacted": "#3274D9",
    "redact": "#3274D9",
    "would_redact": "#B877D9",
    "would_block": "#FF9830",
    "block": "#C4162A",
    "blocked": "#C4162A",
    "failed_closed": "#7A0A1B",
    "failed_open": "#FADE2A",
    "detect": "#8F98A5",
}


def query(expression: str, legend: str = "__auto", **more: object) -> dict:
    return {"datasource": SOURCE, "expr": expression, "legendFormat": legend, **more}


def now(expression: str, legend: str = "__auto") -> dict:
    """A query for the value at the end of the time that is shown."""
    return query(expression, legend, instant=True, range=False)


def steps(*pairs: tuple[float | None, str]) -> dict:
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in pairs]}


def fixed_colours(names: dict[str, str]) -> list[dict]:
    return [
        {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]}
        for name, colour in names.items()
    ]


def panel(kind: str, title: str, about: str, width: int, targets: list[dict], unit: str = "short", height: int = 8, **more: object) -> dict:
    defaults = {"unit": unit, "min": 0, "color": {"mode": "palette-classic"}, **more.pop("defaults", {})}
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "gridPos": {"w": width, "h": height},
        "targets": [{**target, "refId": chr(ord("A") + number)} for number, target in enumerate(targets)],
        "fieldConfig": {"defaults": defaults, "overrides": more.pop("overrides", [])},
        **more,
    }


def stat(title: str, about: str, expression: str, unit: str, thresholds: dict, decimals: int | None = None) -> dict:
    defaults = {"color": {"mode": "thresholds"}, "thresholds": thresholds, "noValue": "0"}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {"colorMode": "value", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value"}
    return panel("stat", title, about, 4, [query(expression)], unit, 4, defaults=defaults, options=options)


def series(
    title: str, about: str, width: int, targets: list[dict], unit: str = "short", stacked: bool = False, bars: bool = False, **more: object
) -> dict:
    custom = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 70 if bars else 25 if stacked else 8,
        "lineWidth": 0 if bars else 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked or bars else "none", "group": "A"},
        **more.pop("custom", {}),
    }
    options = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel(
        "timeseries", title, about, width, targets, unit, defaults={"custom": custom, **more.pop("defaults", {})}, options=options, **more
    )


def heatmap(title: str, about: str, width: int, target: dict, y: dict, cell_unit: str, **options: object) -> dict:
    scheme = {"mode": "scheme", "scheme": "Blues", "steps": 64, "exponent": 0.5, "reverse": False, "fill": "dark-blue"}
    more = {"color": scheme, "yAxis": y, "cellGap": 1, "tooltip": {"mode": "single", "showColorScale": True}, "filterValues": {"le": 1e-9}}
    return panel(
        "heatmap", title, about, width, [target], options={"calculate": False, "cellValues": {"unit": cell_unit}, **more, **options}
    )


def row(title: str) -> dict:
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": COLUMNS, "h": 1}}
