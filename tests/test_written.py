"""Numbers as people write them: what is read, and what may never be called wrong."""

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chainrule.errors import InputError
from chainrule.marking.written import read_number

EXACTLY = Context(prec=2000)

doubles = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
everyday = (
    st.floats(-2, 2) | st.integers(-2000, 2000).map(lambda n: n / 1000) | st.integers(-4000, 4000).map(lambda n: n / 2048)
)


def cut(value: float, places: int, how: str) -> str:
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-places), how, EXACTLY):f}"


# reading


@pytest.mark.parametrize(
    ("text", "value", "figures"),
    [
        ("0.5", "0.5", 1),
        ("0,5", "0.5", 1),
        (".5", "0.5", 1),
        ("5.", "5", 1),
        ("0.50", "0.5", 2),
        ("0.500", "0.5", 3),
        ("100", "100", 3),
        ("0.00500", "0.005", 3),
        ("-0.019049119", "-0.019049119", 8),
        ("−0.05", "-0.05", 1),
        ("–0.05", "-0.05", 1),
        ("+0.05", "0.05", 1),
        (" 0.31 ", "0.31", 2),
        ("$0.31$", "0.31", 2),
        ("= 0.31", "0.31", 2),
        ("≈0.57", "0.57", 2),
        ("2.5e-3", "0.0025", 2),
        ("2.5E-3", "0.0025", 2),
        ("2,50e-3", "0.0025", 3),
        ("2.5·10^-3", "0.0025", 2),
        ("2.5 * 10^-3", "0.0025", 2),
        ("2.5×10⁻³", "0.0025", 2),
        ("2.5*10**-3", "0.0025", 2),
        (r"2.5 \cdot 10^{-3}", "0.0025", 2),
        (r"2.5\times10^{3}", "2500", 2),
        ("12.5 %", "0.125", 3),
        ("12,5%", "0.125", 3),
        (r"50\%", "0.5", 2),
        ("1/3", "1/3", 17),
        ("-2/7", "-2/7", 17),
        (r"\frac{1}{3}", "1/3", 17),
        (r"-\dfrac{1}{3}", "-1/3", 17),
        ("1,234.5", "1234.5", 5),
        ("1,234", "1.234", 4),
        ("0.1666…", "0.1666", 4),
        ("0.1666...", "0.1666", 4),
        (r"0.1666\ldots", "0.1666", 4),
        ("0", "0", 0),
        ("0.000", "0", 0),
        ("3.51e-05", "0.0000351", 3),
    ],
)
def test_what_is_read(text, value, figures):
    written = read_number(text)
    assert written.value == Fraction(value)
    assert written.figures == figures


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a number is missing"),
        ("  ", "a number is missing"),
        ("nan", "not a finite number"),
        ("-inf", "not a finite number"),
        ("∞", "not a finite number"),
        ("0.5 kg", "something stands behind the number"),
        ("0.5 V", "something stands behind the number"),
        ("abc", "not a number"),
        ("0.5.6", "not a number"),
        ("1/0", "a fraction over 0"),
        ("1e999", "beyond"),
        ("0x10", "something stands behind"),
        ("--5", "not a number"),
        (".", "not a number"),
        ("…", "not a number"),
        ("1" * 5000, "too long"),
        ("0.5;0.6", "something stands behind"),
    ],
)
def test_what_cannot_be_read(text, said):
    with pytest.raises(InputError, match=said):
        read_number(text)


@given(st.text(max_size=40))
@settings(deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        written = read_number(text)
    except InputError:
        return
    assert written.figures >= 0


# what no correct calculation may be called


@given(doubles | everyday, st.integers(0, 17), st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]))
@settings(deadline=None, max_examples=600)
@example(0.375, 2, ROUND_HALF_UP)
@example(0.365, 2, ROUND_HALF_UP)
@example(0.125, 2, ROUND_HALF_EVEN)
@example(2.5, 0, ROUND_HALF_EVEN)
@example(-0.5, 0, ROUND_HALF_UP)
def test_a_rounded_number_is_right(value, places, how):
    assert read_number(cut(value, places, how)).agreement(value) == "rounded"


@given(doubles | everyday, st.integers(0, 17))
@settings(deadline=None, max_examples=600)
@example(0.734928612717, 5)
@example(-0.0574, 2)
@example(0.9999, 0)
def test_a_truncated_number_is_right(value, places):
    written = read_number(cut(value, places, ROUND_DOWN))
    assert written.agreement(value) in ("rounded", "truncated")
    assert written.truncates(value)


@given(everyday, st.integers(1, 17))
@settings(deadline=None, max_examples=300)
def test_significant_figures_are_right(value, figures):
    assert read_number(f"{value:.{figures - 1}e}").agreement(value) == "rounded"
    assert read_number(f"{value:.{figures}g}").agreement(value) == "rounded"


@given(everyday, st.integers(2, 12))
@settings(deadline=None)
def test_a_comma_a_percent_and_a_power_say_the_same(value, places):
    text = cut(value, places, ROUND_HALF_UP)
    percent = f"{Decimal(text).scaleb(2):f}%"
    for each in (text.replace(".", ","), percent, f"{text}e0", f"{text}·10^0", f"${text}$"):
        assert read_number(each).value == Fraction(text)
        assert read_number(each).agreement(value) == "rounded"


@given(everyday.filter(lambda value: abs(value) > 1e-3), st.integers(4, 12))
@settings(deadline=None)
def test_dots_say_that_digits_were_left_out(value, places):
    text = cut(value, places, ROUND_DOWN)
    assert read_number(text + "…").agreement(value) == "truncated"


@given(st.integers(-50, 50), st.integers(1, 50))
def test_a_fraction_says_all_of_itself(above, below):
    written = read_number(f"{above}/{below}")
    assert written.agreement(above / below) == "rounded"
    assert written.agreement(above / below + 1e-9) == ""


@given(everyday, st.integers(3, 10), st.integers(3, 9))
@settings(deadline=None)
def test_what_is_off_by_units_is_not_right(value, places, units):
    unit = Decimal(1).scaleb(-places)
    text = f"{Decimal(cut(value, places, ROUND_HALF_UP)) + units * unit:f}"
    assert read_number(text).agreement(value) == ""


def test_the_last_digit():
    assert read_number("-0.019049119").agreement(-0.0190491182582781) == "last_digit"
    assert read_number("0.58").agreement(0.5699) == "", "two digits: one unit is another number"
    assert read_number("0.580").agreement(0.5789) == "last_digit"


def test_zeros_at_the_end_are_digits():
    assert read_number("0.50").agreement(0.5049) == "rounded"
    assert read_number("0.500").agreement(0.5049) == ""
    assert read_number("0.5").agreement(0.5049) == "rounded"


def test_nothing_agrees_with_what_is_not_finite():
    for value in (math.nan, math.inf, -math.inf):
        written = read_number("0.5")
        assert (written.agreement(value), written.truncates(value), written.agreeing_digits(value)) == ("", False, 0)


@pytest.mark.parametrize(
    ("text", "value", "digits"),
    [
        ("0.291027924", 0.29102777369, 6),
        ("0.75136079", 0.751365069552316, 5),
        ("0.5", 0.5, 1),
        ("0.5", 5.0, 0),
        ("0.31", 0.41, 0),
    ],
)
def test_digits_that_agree(text, value, digits):
    assert read_number(text).agreeing_digits(value) == digits


@pytest.mark.parametrize(("text", "decimals"), [("0.50", 2), ("100", 0), ("2.5e-3", 4), ("12.5 %", 3), ("1/3", 0)])
def test_decimals(text, decimals):
    assert read_number(text).decimals == decimals
