# SPDX-License-Identifier: Apache-2.0
"""A line chart as the text of an SVG: one line a series, with the range of each point. The x axis is logarithmic where it spans
a magnitude or more, the y axis where its values do; else both begin at 0."""
import html
import math

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 150, 40, 60
COLOURS = ("#0b5fa5", "#c8401c", "#2e8b3d", "#7a4fa0", "#b8860b", "#555555")


class Axis:
    """Values to places between `begin` and `end`."""

    def __init__(self, values, begin, end):
        low, high = min(values), max(values)
        self.begin, self.end = begin, end
        self.log = low > 0 and high / low >= 10
        if self.log:
            self.low, self.high = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
        else:
            self.low, self.high = min(0, low), high * 1.1 if high > 0 else 1

    def place(self, value):
        at = math.log10(max(value, 10.0 ** self.low)) if self.log else value
        return self.begin + (self.end - self.begin) * (at - self.low) / ((self.high - self.low) or 1)

    def ticks(self):
        if self.log:
            decades = range(self.low, self.high + 1)
            fine = (1, 2, 5) if len(decades) <= 3 else (1,)
            return [m * 10.0 ** d for d in decades for m in fine if math.log10(m * 10.0 ** d) <= self.high + 1e-9]
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / 4))
        step *= next(m for m in (1, 2, 5, 10) if (self.high - self.low) / (step * m) <= 6)
        return [step * i for i in range(math.ceil(self.low / step), int(self.high / step) + 1)]


def _number(value):
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"


def _text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{html.escape(words)}</text>'


def chart(title, x_name, y_name, series):
    """`series`: name -> [(x, median, lowest, highest)]."""
    points = [p for line in series.values() for p in line]
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    xs = Axis([p[0] for p in points], LEFT, right)
    ys = Axis([v for p in points for v in p[1:]], bottom, TOP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12" fill="#222">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           _text(LEFT, 24, title, "start", ' font-size="15"')]
    for x in xs.ticks():
        out.append(f'<path d="M{xs.place(x):.1f} {TOP}V{bottom}" stroke="#ddd"/>' + _text(xs.place(x), bottom + 18, _number(x)))
    for y in ys.ticks():
        out.append(f'<path d="M{LEFT} {ys.place(y):.1f}H{right}" stroke="#ddd"/>'
                   + _text(LEFT - 8, ys.place(y) + 4, _number(y), "end"))
    out.append(f'<path d="M{LEFT} {TOP}V{bottom}H{right}" stroke="#222" fill="none"/>')
    out.append(_text((LEFT + right) / 2, HEIGHT - 16, x_name))
    out.append(_text(0, 0, y_name, "middle", f' transform="translate(18 {(TOP + bottom) / 2:.1f}) rotate(-90)"'))
    for i, (name, line) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = "L".join(f"{xs.place(x):.1f} {ys.place(y):.1f}" for x, y, *_ in line)
        out.append(f'<path d="M{path}" stroke="{colour}" stroke-width="2" fill="none"/>')
        for x, y, low, high in line:
            at = xs.place(x)
            out.append(f'<path d="M{at:.1f} {ys.place(low):.1f}V{ys.place(high):.1f}" stroke="{colour}"/>'
                       f'<circle cx="{at:.1f}" cy="{ys.place(y):.1f}" r="3.5" fill="{colour}"/>')
        row = TOP + 10 + 20 * i
        out.append(f'<path d="M{right + 16} {row}h22" stroke="{colour}" stroke-width="2"/>' + _text(right + 44, row + 4, name, "start"))
    return "\n".join(out) + "\n</svg>\n"
