"""Printers: a term's tree as text, LaTeX, MathML, a spreadsheet formula or C++. One walk, one short class a format.

Parentheses come from precedence, never from the text. Long sums show their largest addends and the rest as one number.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import ClassVar
from xml.sax.saxutils import escape

from chainrule.phrases import say, speaking
from chainrule.terms.digits import Digits
from chainrule.terms.symbols import Symbol, parse
from chainrule.terms.term import Term

CHOICE, SUM, PRODUCT, POWER, ATOM = range(5)  # how tightly a printed piece holds together

LONG, SHOWN = 12, 6  # a sum of more than LONG addends shows its SHOWN largest


class Text:
    """Unicode text. What it prints can be evaluated again: `·` multiplies, `^` is a power, a bracketed rest is its number."""

    dot: ClassVar[str] = "·"
    equals: ClassVar[str] = " = "
    calls: ClassVar[dict[str, str]] = {
        "log": "ln", "tanh": "tanh", "sqrt": "sqrt", "abs": "abs", "sign": "sign", "maximum": "max", "minimum": "min",
        "erfc": "erfc",
    }  # fmt: skip

    def __init__(self, label: Callable[[Hashable], str] = str, digits: Digits = Digits(), values: bool = False) -> None:
        self.label = label
        self.digits = digits
        self.values = values

    def print(self, term: Term) -> str:
        """The formula of a term. Named terms inside it stand for themselves; to open one, print its definition."""
        return self._walk(term)[0]

    # what a format may say differently

    def number(self, value: object) -> str:
        return self.digits.text(value)

    def name(self, name: Hashable) -> str:
        return self.label(name)

    def wrap(self, text: str) -> str:
        return f"({text})"

    def negative(self, text: str) -> str:
        return f"-{text}"

    def add(self, parts: list[tuple[str, str]]) -> str:
        """parts: a sign and what follows it. A plus in front is not written."""
        first = parts[0][1] if parts[0][0] == "+" else self.negative(parts[0][1])
        return first + "".join(f" {sign} {part}" for sign, part in parts[1:])

    def go_on(self, parts: list[tuple[str, str]]) -> str:
        """Further addends of a sum that began on the line before."""
        return " ".join(f"{sign} {part}" for sign, part in parts)

    closing: ClassVar[str] = ")"

    def opening(self, divisor: str) -> str:
        """One over a divisor, in front of a bracket that `closing` closes, perhaps on another line."""
        return f"1/{divisor}{self.dot}("

    def rest(self, count: int, value: str) -> str:
        return say("[{n} more terms, together {value}]", n=f"{count:,}", value=value)

    def fraction(self, top: tuple[str, int], bottom: tuple[str, int]) -> tuple[str, int]:
        return f"{self._tight(top, PRODUCT, ratio=True)}/{self._tight(bottom, POWER, ratio=True)}", PRODUCT

    def power(self, base: tuple[str, int], exponent: str) -> tuple[str, int]:
        return f"{self._tight(base, ATOM, ratio=True)}^{exponent}", POWER

    def exp(self, x: tuple[str, int]) -> tuple[str, int]:
        return f"e^{self._tight(x, ATOM, ratio=True)}", POWER

    def call(self, name: str, args: list[str]) -> str:
        return f"{self.calls[name]}({', '.join(args)})"

    def where(self, condition: str, x: str, y: str) -> tuple[str, int]:
        return f"{x} if {condition} else {y}", CHOICE

    def compare(self, x: str, y: str) -> str:
        return f"{x} > {y}"

    # the walk

    def _tight(self, piece: tuple[str, int], level: int, ratio: bool = False) -> str:
        text, held = piece
        loose = held < level or (ratio and held == ATOM and "/" in text and not text.startswith(("(", "max", "min")))
        return self.wrap(text) if loose else text

    def _walk(self, term: Term) -> tuple[str, int]:
        op, args = term.op, term.args
        if op == "name" or op == "literal":
            return self._leaf(term)
        if op in ("+", "-"):
            return self.add(self.addends(term)), SUM
        if op == "*":
            return self.dot.join(self._factor(arg, place) for place, arg in enumerate(args)), PRODUCT
        if op == "/":
            return self.fraction(self._walk(args[0]), self._walk(args[1]))
        if op == "neg":
            return self.negative(self._tight(self._walk(args[0]), PRODUCT)), SUM
        if op == "**":
            return self.power(self._walk(args[0]), str(args[1].value))
        return self._function(term, [self._walk(arg) for arg in args])

    def _leaf(self, term: Term) -> tuple[str, int]:
        if term.op == "name" and not self.values:
            return self.name(term.name), ATOM
        text = self.digits.text(term.value)
        if text.startswith("-"):
            return self.negative(self.number(-term.value)), SUM
        return self.number(term.value), ATOM if "/" not in text else PRODUCT

    def _factor(self, arg: Term, place: int) -> str:
        piece = self._walk(arg)
        return self.wrap(piece[0]) if place and arg.op == "/" and piece[1] == PRODUCT else self._tight(piece, PRODUCT)

    def addends(self, term: Term) -> list[tuple[str, str]]:
        """A sum's signs and addends; a sum within a sum needs no parentheses. Of a long one the largest, and the rest as one.
        Anything else is its only addend."""
        if term.op == "-":
            return [*self.addends(term.args[0]), self._subtrahend(term.args[1])]
        if term.op != "+":
            return [self._addend(term)]
        args = term.args
        if len(args) <= LONG:
            return [part for arg in args for part in self.addends(arg)]
        shown = sorted(range(len(args)), key=lambda i: -abs(args[i].value))[:SHOWN]
        rest = sum(args[i].value for i in range(len(args)) if i not in set(shown))
        parts = [part for i in shown for part in self.addends(args[i])]
        return [*parts, ("+", self.rest(len(args) - SHOWN, self.number(rest)))]

    def _addend(self, arg: Term) -> tuple[str, str]:
        if arg.op == "neg":
            return "-", self._tight(self._walk(arg.args[0]), PRODUCT)
        if (
            arg.op in ("name", "literal")
            and (self.values or arg.op == "literal")
            and self.digits.text(arg.value).startswith("-")
        ):
            return "-", self.number(-arg.value)
        return "+", self._tight(self._walk(arg), SUM)

    def _subtrahend(self, arg: Term) -> tuple[str, str]:
        return "-", self._tight(self._walk(arg), PRODUCT)

    def _function(self, term: Term, args: list[tuple[str, int]]) -> tuple[str, int]:
        op = term.op
        if op == "exp":
            return self.exp(args[0])
        if op == "sigmoid":
            of = term.args[0]
            opposite = self._walk(of.args[0]) if of.op == "neg" else (self.negative(self._tight(args[0], PRODUCT)), SUM)
            power = self.exp(opposite)
            return self.fraction((self.number(1), ATOM), (self.add([("+", self.number(1)), ("+", power[0])]), SUM))
        if op == "log1p":
            return self.call("log", [self.add([("+", self.number(1)), self._addend(term.args[0])])]), ATOM
        if op == "expm1":
            return self.add([("+", self.exp(args[0])[0]), ("-", self.number(1))]), SUM
        if op == "where":
            return self.where(*(text for text, _ in args))
        if op == "greater":
            return self.compare(*(text for text, _ in args)), CHOICE
        return self.call(op, [text for text, _ in args]), ATOM


class Latex(Text):
    """LaTeX mathematics; needs amsmath and nothing else."""

    dot = r" \cdot "
    calls: ClassVar[dict[str, str]] = {
        "log": r"\ln", "tanh": r"\tanh", "sign": r"\operatorname{sign}", "maximum": r"\max", "minimum": r"\min",
        "erfc": r"\operatorname{erfc}",
    }  # fmt: skip

    def number(self, value: object) -> str:
        return latex_number(self.digits.text(value))

    def name(self, name: Hashable) -> str:
        return latex_name(self.label(name))

    def wrap(self, text: str) -> str:
        return rf"\left({text}\right)"

    closing = r"\bigr)"

    def opening(self, divisor: str) -> str:
        return rf"\tfrac{{1}}{{{divisor}}} \bigl("

    def rest(self, count: int, value: str) -> str:
        return rf"\underbrace{{\cdots}}_{{\text{{{say('{n} more', n=f'{count:,}')}}}}}{value}"

    def fraction(self, top: tuple[str, int], bottom: tuple[str, int]) -> tuple[str, int]:
        return rf"\frac{{{top[0]}}}{{{bottom[0]}}}", PRODUCT

    def power(self, base: tuple[str, int], exponent: str) -> tuple[str, int]:
        text = self.wrap(base[0]) if "^" in base[0] or r"\frac" in base[0] else self._tight(base, ATOM)
        return f"{text}^{{{exponent}}}", POWER

    def exp(self, x: tuple[str, int]) -> tuple[str, int]:
        return f"e^{{{x[0]}}}", POWER

    def call(self, name: str, args: list[str]) -> str:
        if name == "sqrt":
            return rf"\sqrt{{{args[0]}}}"
        if name == "abs":
            return rf"\left|{args[0]}\right|"
        return rf"{self.calls[name]}\left({', '.join(args)}\right)"

    def where(self, condition: str, x: str, y: str) -> tuple[str, int]:
        return rf"\begin{{cases}} {x} & \text{{if }} {condition} \\ {y} & \text{{otherwise}} \end{{cases}}", CHOICE


_MATHML_SIGNS = {"+": "+", "-": "−"}


class MathML(Text):
    """MathML Core, as browsers set it. Every piece is a single element or an mrow."""

    dot = "<mo>·</mo>"
    equals = "<mo>=</mo>"
    calls: ClassVar[dict[str, str]] = {**Text.calls}

    def print(self, term: Term) -> str:
        return f"<mrow>{super().print(term)}</mrow>"

    def number(self, value: object) -> str:
        return mathml_number(self.digits.text(value))

    def name(self, name: Hashable) -> str:
        return mathml_name(self.label(name))

    def wrap(self, text: str) -> str:
        return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"

    def negative(self, text: str) -> str:
        return f'<mrow><mo form="prefix">−</mo>{text}</mrow>'

    def add(self, parts: list[tuple[str, str]]) -> str:
        first = parts[0][1] if parts[0][0] == "+" else self.negative(parts[0][1])
        return f"<mrow>{first}{''.join(f'<mo>{_MATHML_SIGNS[sign]}</mo>{part}' for sign, part in parts[1:])}</mrow>"

    def go_on(self, parts: list[tuple[str, str]]) -> str:
        return "".join(f'<mo form="infix">{_MATHML_SIGNS[sign]}</mo>{part}' for sign, part in parts)

    closing = '<mo stretchy="false">)</mo>'

    def opening(self, divisor: str) -> str:
        return f'<mfrac><mn>1</mn><mrow>{divisor}</mrow></mfrac><mo stretchy="false">(</mo>'

    def rest(self, count: int, value: str) -> str:
        return f"<munder><mrow>{value}</mrow><mtext>{say('{n} more terms', n=f'{count:,}')}</mtext></munder>"

    def fraction(self, top: tuple[str, int], bottom: tuple[str, int]) -> tuple[str, int]:
        return f"<mfrac><mrow>{top[0]}</mrow><mrow>{bottom[0]}</mrow></mfrac>", PRODUCT

    def power(self, base: tuple[str, int], exponent: str) -> tuple[str, int]:
        text = self._tight(base, ATOM)
        text = self.wrap(base[0]) if text.startswith(("<mfrac", "<msup")) else text
        return f"<msup><mrow>{text}</mrow><mn>{exponent}</mn></msup>", POWER

    def exp(self, x: tuple[str, int]) -> tuple[str, int]:
        return f"<msup><mi>e</mi><mrow>{x[0]}</mrow></msup>", POWER

    def call(self, name: str, args: list[str]) -> str:
        if name == "sqrt":
            return f"<msqrt>{args[0]}</msqrt>"
        if name == "abs":
            return f"<mrow><mo>|</mo>{args[0]}<mo>|</mo></mrow>"
        return f"<mrow><mi>{self.calls[name]}</mi><mo>(</mo>{'<mo>,</mo>'.join(args)}<mo>)</mo></mrow>"

    def where(self, condition: str, x: str, y: str) -> tuple[str, int]:
        rows = "".join(
            f"<mtr><mtd>{value}</mtd><mtd><mtext>{word}</mtext>{test}</mtd></mtr>"
            for value, word, test in ((x, "if ", condition), (y, "otherwise", ""))
        )
        return f"<mrow><mo>{{</mo><mtable>{rows}</mtable></mrow>", ATOM

    def compare(self, x: str, y: str) -> str:
        return f"<mrow>{x}<mo>&gt;</mo>{y}</mrow>"

    def _tight(self, piece: tuple[str, int], level: int, ratio: bool = False) -> str:
        return self.wrap(piece[0]) if piece[1] < level else piece[0]


class Spreadsheet(Text):
    """A formula of Excel, LibreOffice or Google Sheets; `label` gives each name its cell address."""

    dot = "*"
    calls: ClassVar[dict[str, str]] = {
        "log": "LN", "tanh": "TANH", "sqrt": "SQRT", "abs": "ABS", "sign": "SIGN", "maximum": "MAX", "minimum": "MIN",
        "erfc": "ERFC",
    }  # fmt: skip

    def print(self, term: Term) -> str:
        return "=" + super().print(term)

    def rest(self, count: int, value: str) -> str:
        return self.wrap(value) if value.startswith("-") else value

    def exp(self, x: tuple[str, int]) -> tuple[str, int]:
        return f"EXP({x[0]})", ATOM

    def power(self, base: tuple[str, int], exponent: str) -> tuple[str, int]:
        return f"POWER({base[0]},{exponent})", ATOM  # a spreadsheet reads -2^2 as 4

    def where(self, condition: str, x: str, y: str) -> tuple[str, int]:
        return f"IF({condition},{x},{y})", ATOM

    def call(self, name: str, args: list[str]) -> str:
        return f"{self.calls[name]}({','.join(args)})"


class Cpp(Text):
    """A C++ expression over scalars of type T; functions come from the engine's own vector library, by their names."""

    dot = " * "

    def number(self, value: object) -> str:
        return f"T({Digits(17).text(value)})"

    def power(self, base: tuple[str, int], exponent: str) -> tuple[str, int]:
        text = self._tight(base, ATOM)
        return " * ".join([text] * int(exponent)), PRODUCT

    def exp(self, x: tuple[str, int]) -> tuple[str, int]:
        return f"exp({x[0]})", ATOM

    def fraction(self, top: tuple[str, int], bottom: tuple[str, int]) -> tuple[str, int]:
        return f"{self._tight(top, PRODUCT)} / {self._tight(bottom, ATOM)}", PRODUCT

    def where(self, condition: str, x: str, y: str) -> tuple[str, int]:
        return f"where({condition}, {x}, {y})", ATOM

    def _function(self, term: Term, args: list[tuple[str, int]]) -> tuple[str, int]:
        if term.op in ("where", "greater"):
            return super()._function(term, args)
        return f"{term.op}({', '.join(text for text, _ in args)})", ATOM


# numbers and names, set


def latex_number(text: str) -> str:
    mantissa, e, exponent = text.partition("e")
    if text in ("inf", "-inf", "nan"):
        return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\text{NaN}"}[text]
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else mantissa


def mathml_number(text: str) -> str:
    if text.startswith("-"):
        return f'<mrow><mo form="prefix">−</mo>{mathml_number(text[1:])}</mrow>'
    mantissa, e, exponent = text.partition("e")
    if not e:
        return f"<mn>{text}</mn>"
    power = f"<mn>{-int(exponent)}</mn>" if int(exponent) < 0 else f"<mn>{int(exponent)}</mn>"
    sign = '<mo form="prefix">−</mo>' if int(exponent) < 0 else ""
    return f"<mrow><mn>{mantissa}</mn><mo>·</mo><msup><mn>10</mn><mrow>{sign}{power}</mrow></msup></mrow>"


_LATEX_SIGNS = {
    "\\": r"\backslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\hat{}", "~": r"\sim{}", "δ": r"\delta{}", "η": r"\eta{}", "γ": r"\gamma{}", "β": r"\beta{}",
    "α": r"\alpha{}", "λ": r"\lambda{}", "μ": r"\mu{}", "ρ": r"\rho{}", "ε": r"\varepsilon{}", "ψ": r"\psi{}",
    "·": r"\cdot{}", "−": "-", "µ": r"\mu{}",
}  # fmt: skip


def latex_escape(text: str) -> str:
    """Any text, safe inside LaTeX mathematics; signs that plain LaTeX lacks become their code point."""
    return "".join(_LATEX_SIGNS.get(sign, sign if 0x20 <= ord(sign) < 0x7F else f"[U+{ord(sign):04X}]") for sign in text)


@lru_cache(maxsize=100_000)
def latex_name(name: str) -> str:
    """A name, set in LaTeX."""
    parsed = parse(name)
    if isinstance(parsed, Symbol):
        return _latex_symbol(parsed)
    note = rf"\,\text{{({latex_text(parsed.note)})}}" if parsed.note else ""
    if not parsed.by.base:
        return _latex_symbol(parsed.of) + note
    return rf"\frac{{\partial {_latex_symbol(parsed.of)}}}{{\partial {_latex_symbol(parsed.by)}}}{note}"


def latex_text(text: str) -> str:
    """Any text, safe in LaTeX's text mode."""
    signs = {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
        "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
        "|": r"\textbar{}", "·": r"\textperiodcentered{}",
    }  # fmt: skip
    out = []
    for sign in text:
        if sign in signs:
            out.append(signs[sign])
        elif sign in _LATEX_SIGNS:
            out.append(f"${_LATEX_SIGNS[sign]}$")
        else:
            plain = 0x20 <= ord(sign) < 0x7F or 0xC0 <= ord(sign) < 0x180 or _set_in_chinese(sign)
            out.append(sign if plain else f"[U+{ord(sign):04X}]")
    return "".join(out)


def _set_in_chinese(sign: str) -> bool:
    """Whether a sign can be set because the document is a Chinese one."""
    return speaking() == "zh" and (0x3000 <= ord(sign) < 0xA000 or 0xFF00 <= ord(sign) < 0xFFF0 or sign in "“”‘’…")


def _latex_symbol(symbol: Symbol) -> str:
    base = latex_escape(symbol.base)
    text = rf"\mathit{{{base}}}" if len(symbol.base) > 1 else base
    if symbol.below:
        text += rf"_{{\mathrm{{{latex_escape(symbol.below)}}}}}"
    return text + (f"^{{{latex_escape(symbol.above)}}}" if symbol.above else "")


@lru_cache(maxsize=100_000)
def mathml_name(name: str) -> str:
    """A name, set in MathML."""
    parsed = parse(name)
    if isinstance(parsed, Symbol):
        return _mathml_symbol(parsed)
    note = f"<mtext> ({escape(parsed.note)})</mtext>" if parsed.note else ""
    if not parsed.by.base:
        return f"<mrow>{_mathml_symbol(parsed.of)}{note}</mrow>"
    top, bottom = (f"<mrow><mo>∂</mo>{_mathml_symbol(symbol)}</mrow>" for symbol in (parsed.of, parsed.by))
    fraction = f"<mfrac>{top}{bottom}</mfrac>"
    return f"<mrow>{fraction}{note}</mrow>" if note else fraction


def _mathml_symbol(symbol: Symbol) -> str:
    base, below, above = (escape(part) for part in symbol)
    below, above = (f"<mtext>{part}</mtext>" if part else "" for part in (below, above))
    if below and above:
        return f"<msubsup><mi>{base}</mi>{below}{above}</msubsup>"
    if below:
        return f"<msub><mi>{base}</mi>{below}</msub>"
    return f"<msup><mi>{base}</mi>{above}</msup>" if above else f"<mi>{base}</mi>"
