"""Two tabs look at one desk: what one asks is never answered with numbers of the step that the other went to."""

import pytest

from chainrule.page.asks import ASKS
from chainrule.page.desk import OutdatedError, laid


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("open", {"id": "dE/dW[2][1,1]"}),
        ("check", {"answers": {"z[1][1]": "0.3775"}}),
        ("keep", {"format": "toml"}),
        ("fields", {}),
    ],
)
def test_an_ask_about_another_step_is_refused(verb, body):
    desk = laid("mazur")
    view = ASKS["look"](desk, {})
    seen = [view["version"], view["after"], view["sample"]]
    assert ASKS[verb](desk, {"seen": seen, **body}) == ASKS[verb](desk, body)
    ASKS["look"](desk, {"after": 3})
    with pytest.raises(OutdatedError, match="another step"):
        ASKS[verb](desk, {"seen": seen, **body})
    ASKS["look"](desk, {"after": 0})
    ASKS[verb](desk, {"seen": seen, **body})
    ASKS["change"](desk, {"version": view["version"], "edits": [["W[1][1,1]", 0.2]]})
    with pytest.raises(OutdatedError):
        ASKS[verb](desk, {"seen": seen, **body})


def test_what_it_has_seen_is_not_an_unknown_key():
    desk = laid("mazur")
    assert ASKS["look"](desk, {"seen": [1, 0, 1]})["version"] == 1


def test_the_page_offers_to_show_it_as_it_is(open_page):
    page = open_page("mazur", expected=["409"])
    status, _, view = page.server.post(
        "look", {"after": 5}, page.evaluate("({'X-Chainrule-Token': sessionStorage.getItem('chainrule-key')})") | cookie(page)
    )
    assert status == 200
    page.get_by_role("tab", name="Try").click()
    page.locator('[id="try-z[1][1]"]').fill("0.3775")
    page.locator(".try button[type=submit]").click()
    page.get_by_role("button", name="Show it as it is now").click()
    page.wait_for_function("shown => document.querySelector('section.drawing').textContent.includes(shown)", arg="w5")
    page.get_by_role("tab", name="Walk").click()
    new = next(unit for unit in view["network"]["columns"][1]["units"])["shown"]
    page.wait_for_function("shown => document.querySelector('section.drawing').textContent.includes(shown)", arg=new)


def cookie(page):
    return {"Cookie": "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())}
