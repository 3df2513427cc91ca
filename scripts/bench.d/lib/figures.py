# SPDX-License-Identifier: Apache-2.0
"""The figures of a run: gathered by name, shown as a table, written as JSON, drawn as curves."""
import json
import os
import platform
import statistics
import subprocess
import time

import network
import svg

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def cost(figures, *units):
    """From what Bench.measured() gives: CPU for each of these (requests, records, …), the first one's context switches and
    system calls, and CPU per gigabyte where megabytes were moved. A microsecond per record is a second per million of them."""
    out = {}
    if "system_calls" in figures:
        out[f"system_calls_per_{units[0][:-1]}"] = figures["system_calls"] / figures[units[0]]
        return out
    cpu = figures["cpu_seconds"]
    if figures.get("megabytes"):
        out["cpu_seconds_per_gb"] = cpu / figures["megabytes"] * 1000
    for unit in units:
        out[f"cpu_us_per_{unit[:-1]}"] = cpu / figures[unit] * 1e6
    out[f"switches_per_{units[0][:-1]}"] = figures["switches"] / figures[units[0]]
    out["peak_mb"] = figures["peak_mb"]
    out["written_mb"] = figures["written_mb"]
    out["load_cores"] = figures["load_cores"]
    out["steal_percent"] = figures["steal_percent"]
    return out


def delays(figures):
    """Those of the load `latency`."""
    return {name: value for name, value in figures.items() if name.endswith("_us")}


def _cell(values):
    text = f"{statistics.median(values):.4g}"
    return text if len(values) == 1 else text + f" [{min(values):.4g}, {max(values):.4g}]"


class Figures:
    def __init__(self):
        self.rows = {}  # workload -> figure -> kind -> [values]
        self.curves = {}  # curve -> {"x": name, "points": figure -> kind -> x -> [values]}

    def note(self, workload, kind, figures):
        for name, value in figures.items():
            self.rows.setdefault(workload, {}).setdefault(name, {}).setdefault(kind, []).append(value)

    def point(self, curve, x_name, x, kind, figures):
        points = self.curves.setdefault(curve, {"x": x_name, "points": {}})["points"]
        for name, value in figures.items():
            points.setdefault(name, {}).setdefault(kind, {}).setdefault(x, []).append(value)

    # ---- shown

    def _lines(self):
        """(label, kind -> values) of all rows, and of all points."""
        for workload, figures in self.rows.items():
            for name, by_kind in figures.items():
                yield f"{workload} {name}", by_kind
        for curve, what in self.curves.items():
            for name, by_kind in what["points"].items():
                for x in sorted({x for points in by_kind.values() for x in points}):
                    yield f"{curve} {what['x']}={x:g} {name}", {k: p[x] for k, p in by_kind.items() if x in p}

    def table(self, kinds, repeat):
        first, *rest = kinds
        out = [f"{machine()['cpu']}, {os.cpu_count()} cores, {network.described()}; {repeat} runs each by turns; "
               "median [lowest, highest]",
               f"{'':52}" + "".join(f"{kind:>30}" for kind in kinds) + "".join(f"{f'{first}/{kind}':>16}" for kind in rest)]
        for label, by_kind in self._lines():
            medians = {kind: statistics.median(values) for kind, values in by_kind.items()}
            cells = [_cell(by_kind[k]) if k in medians else "-" for k in kinds]
            ratios = [f"{medians[first] / medians[k]:.3f}" if first in medians and medians.get(k) else "-" for k in rest]
            out.append(f"{label:52}" + "".join(f"{c:>30}" for c in cells) + "".join(f"{r:>16}" for r in ratios))
        return "\n".join(out)

    def write(self, path, arguments):
        curves = {curve: {"x": what["x"], "points": {name: {kind: sorted(points.items()) for kind, points in by_kind.items()}
                                                     for name, by_kind in what["points"].items()}}
                  for curve, what in self.curves.items()}
        with open(path, "w") as out:
            json.dump({"machine": machine(), "arguments": arguments, "figures": self.rows, "curves": curves}, out, indent=1)

    def draw(self, folder):
        """An SVG for each figure of each curve."""
        os.makedirs(folder, exist_ok=True)
        for curve, what in self.curves.items():
            for name, by_kind in what["points"].items():
                series = {kind: [(x, statistics.median(v), min(v), max(v)) for x, v in sorted(points.items())]
                          for kind, points in by_kind.items()}
                with open(os.path.join(folder, f"{curve}-{name}.svg"), "w") as out:
                    out.write(svg.chart(curve, what["x"], name, series))


def _first(command):
    done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return (done.stdout.splitlines() or [""])[0]


def machine():
    """What the figures are of."""
    with open("/proc/cpuinfo") as text:
        cpu = next((line.split(":", 1)[1].strip() for line in text if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as text:
        memory_gb = int(text.readline().split()[1]) / 1048576
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gb": round(memory_gb, 1), "kernel": platform.release(),
            "commit": _first(["git", "describe", "--always", "--dirty"]), "java": _first(["java", "-version"]),
            "network": network.described(), "date": time.strftime("%Y-%m-%d")}
