"""Every exact value of the source documents' worked examples, as computed in double precision and independently."""

import pytest

from chainrule.derivation import derive
from chainrule.spec import load_example

MAZUR = {
    "net_h1": 0.3775, "net_h2": 0.3925, "out_h1": 0.593269992107187, "out_h2": 0.596884378259767,
    "net_o1": 1.10590596705977, "net_o2": 1.22492140409647, "out_o1": 0.751365069552316, "out_o2": 0.772928465321463,
    "E_o1": 0.274811083176155, "E_o2": 0.0235600255838477, "E_total": 0.298371108760003,
    "dE/dout_o1": 0.741365069552316, "dout_o1/dnet_o1": 0.186815601808959,
    "delta_o1": 0.138498561628557, "delta_o2": -0.0380982365165562,
    "dE/dw5": 0.0821670405642308, "dE/dw6": 0.0826676278475333,
    "dE/dw7": -0.0226025404774751, "dE/dw8": -0.0227402422159782,
    "w5+": 0.358916479717885, "w6+": 0.408666186076233, "w7+": 0.511301270238738, "w8+": 0.561370121107989,
    "dE_o1/dout_h1": 0.0553994246514228, "dE_o2/dout_h1": -0.0190491182582781,
    "dE/dout_h1": 0.0363503063931447, "dout_h1/dnet_h1": 0.241300708572325,
    "dE/dw1": 0.000438567734474347, "dE/dw2": 0.000877135468948693,
    "dE/dw3": 0.00049771273526086, "dE/dw4": 0.00099542547052172,
    "w1+": 0.149780716132763, "w2+": 0.199561432265526, "w3+": 0.24975114363237, "w4+": 0.299502287264739,
}  # fmt: skip
LAMSAL = {
    "net_h1": 0.41, "net_h2": 0.47, "out_h1": 0.601087878848, "out_h2": 0.615383756391,
    "net_o1": 1.01977419326, "net_o2": 1.26306852031, "out_o1": 0.734928612717, "out_o2": 0.779553884168,
    "E_o1": 0.234563602259, "E_o2": 0.0145259392011, "E_total": 0.24908954146,
    "delta_o1": 0.133429947792, "delta_o2": -0.0292911012328,
    "dE/dw5": 0.0802031242932, "dE/dw6": 0.0821106224873, "dE/dw7": -0.0176065259092, "dE/dw8": -0.0180252679055,
    "w5+": 0.451878125424, "w6+": 0.550733626508, "w7+": 0.710563915545, "w8+": 0.810815160743,
    "dE/dout_h1": 0.0462112030331, "dE/dout_h2": 0.056625087689, "delta_h1": 0.0110805795998, "delta_h2": 0.0134023988434,
    "w1+": 0.099335165224, "w2+": 0.199195856069, "w3+": 0.29667582612, "w4+": 0.395979280347,
}  # fmt: skip
TWO_TWO_ONE = {
    "net_h1": 0.41, "net_h2": 0.47, "out_h1": 0.601087878848, "out_h2": 0.615383756391, "net_o1": 1.09142135678,
    "out_o1": 0.748649277854, "E_total": 0.00263689666489, "delta_o1": -0.0193256939886,
    "delta_h1": -0.00278036332976, "delta_h2": -0.00320189280992,
    "dE/dW[2][1,1]": -0.0116164404069, "dE/dW[2][1,2]": -0.0118927181616, "dE/db[2][1]": -0.0193256939886,
    "dE/dW[1][1,1]": -0.00139018166488, "dE/dW[1][2,1]": -0.00160094640496,
    "dE/dW[1][1,2]": -0.000834108998929, "dE/dW[1][2,2]": -0.000960567842976,
    "W+[2][1,1]": 0.601161644041, "W+[2][1,2]": 0.701189271816, "b+[2][1]": 0.301932569399,
    "W+[1][1,1]": 0.500139018166, "W+[1][2,1]": 0.30016009464, "W+[1][1,2]": 0.2000834109, "W+[1][2,2]": 0.400096056784,
    "b+[1][1]": 0.100278036333, "b+[1][2]": 0.200320189281,
}  # fmt: skip


def within_digits(value: float) -> float:
    """1e-12, or half a unit of the last of the 12 digits printed where that is more."""
    digits = len(repr(abs(value)).replace("0.", "").lstrip("0").replace(".", ""))
    if digits >= 13:
        return 1e-12
    decimals = len(repr(value).partition(".")[2])
    return max(1e-12, 0.51 * 10.0**-decimals)


@pytest.mark.parametrize(
    ("example", "name", "value"),
    [(e, n, v) for e, table in (("mazur", MAZUR), ("lamsal", LAMSAL), ("two-two-one", TWO_TWO_ONE)) for n, v in table.items()],
)
def test_exact_value(example, name, value):
    assert traces[example][name].value == pytest.approx(value, rel=0, abs=within_digits(value))


traces = {name: derive(load_example(name)) for name in ("mazur", "lamsal", "two-two-one")}


def test_losses_after_one_update():
    assert traces["mazur"].loss_after == pytest.approx(0.291027773693599, abs=1e-12)
    assert traces["lamsal"].loss_after == pytest.approx(0.240724905462, abs=1e-12)
    assert traces["two-two-one"].loss_after == pytest.approx(0.002569985095, abs=1e-12)
    (output,) = [change for change in traces["two-two-one"].changes if change.id == "a[2][1]"]
    assert output.after == pytest.approx(0.749304979584, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "loss"),
    [
        ((), 3.510187782978859e-05),
        ((("update.order", "sequential"),), 3.5084786296e-05),
        ((("update.biases", "updated_per_unit"),), 2.4475622359e-06),
    ],
)
def test_loss_after_ten_thousand_updates(settings, loss):
    trace = derive(load_example("mazur", settings), after=10_000)
    assert trace.number == 10_001
    assert trace.loss == pytest.approx(loss, rel=1e-10)


def test_one_update_less_is_another_loss():
    assert derive(load_example("mazur"), after=9_999).loss == pytest.approx(3.510854812e-05, rel=1e-9)


def test_the_famous_loss_is_the_sequential_order():
    trace = derive(load_example("mazur", (("update.order", "sequential"),)))
    assert trace.loss_after == pytest.approx(0.291027923905442, abs=1e-14)
    trace = derive(load_example("mazur", (("update.order", "sequential"),)), after=10_000)
    assert [trace["out_o1"].value, trace["out_o2"].value] == pytest.approx([0.015912196326, 0.984065734486], abs=1e-11)


def test_outputs_after_ten_thousand_updates():
    trace = derive(load_example("mazur"), after=10_000)
    assert [trace["out_o1"].value, trace["out_o2"].value] == pytest.approx([0.01591362044, 0.98406427351], abs=1e-11)


def test_biases_updated_per_unit_after_one_update():
    trace = derive(load_example("mazur", (("update.biases", "updated_per_unit"),)))
    assert trace.loss_after == pytest.approx(0.28047144679143016, abs=1e-14)


def test_three_layers_pass_a_delta_through_two_hidden_layers():
    trace = derive(load_example("three-layer"))
    shares = [trace[f"dE/dout_h1_1 via net_h2_{unit}"].value for unit in (1, 2)]
    assert trace["dE/dout_h1_1"].value == pytest.approx(sum(shares), abs=1e-15)
    for unit in (1, 2, 3):
        sums = trace[f"net_h1_{unit}"]
        assert len(repr(round(sums.value, 12))) <= 6, "the sums before the activation are short decimals"
